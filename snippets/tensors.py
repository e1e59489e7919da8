"""Tensors: shape, dtype, products, broadcasting, reductions, views and copies."""

from snippets import raises

# %% imports
import numpy as np
import torch

# %% list-sum
list_a = [1, 2, 3]
list_b = [4, 5, 6]
list_a + list_b

# %% tensor-sum
a = torch.tensor(list_a)
b = torch.tensor(list_b)
a + b

# %% numpy-sum
np.array(list_a) + np.array(list_b)

# %% orders
scalar = torch.tensor(7.0)
vector = torch.tensor([1.0, -1.0])
X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
stack = torch.zeros(4, 2, 3)
for tensor in (scalar, vector, X, stack):
    print(tensor.ndim, tensor.shape, tensor.numel())

# %% indexing
print(X[1, 2])
print(X[1])
print(X[:, 2])

# %% ragged
with raises(ValueError, "expected sequence of length 2 at dim 1"):
    torch.tensor([[1, 2], [3]])

# %% inferred-types
print(torch.tensor([1, 2]).dtype)
print(torch.tensor([1, 2.5]).dtype)
print(torch.tensor(np.array([1, 2.5])).dtype)
print(torch.tensor([True, False]).dtype)

# %% capital-t
print(torch.tensor([1, 2, 3]), torch.Tensor([1, 2, 3]))
print(torch.tensor(3).shape, torch.Tensor(3).shape)

# %% promotion
print((a + 0.5).dtype)
print((X + X.double()).dtype)
print((X + torch.tensor(0.5, dtype=torch.float64)).dtype)

# %% mixed-product
with raises(RuntimeError, "expected m1 and m2 to have the same dtype"):
    X @ torch.tensor(np.array([[1.0], [0.0], [2.0]]))

# %% float32-limit
print((torch.tensor(2.0**24) + 1).item())
print((torch.tensor(2.0**24, dtype=torch.float64) + 1).item())

# %% star-and-at
A = torch.tensor([[1, 2], [3, 4]])
B = torch.tensor([[0, 1], [1, 0]])
print(A * B)
print(A @ B)

# %% product-shapes
w = torch.tensor([3.0, 2.0, 1.0])
u = torch.tensor([1.0, -1.0])
print(X @ w)
print(u @ X)
print(w @ w)

# %% either-side
print(X @ w)
print(w @ X.T)

# %% row-and-column
row = w[None, :]
column = w[:, None]
print(row.shape, column.shape)
X @ column

# %% row-product
with raises(RuntimeError, "shapes cannot be multiplied (2x3 and 1x3)"):
    X @ row

# %% broadcast-row
X + torch.tensor([10.0, 20.0, 30.0])

# %% broadcast-column
X + torch.tensor([[100.0], [200.0]])

# %% broadcast-mismatch
with raises(RuntimeError, "The size of tensor a (3) must match"):
    X + torch.tensor([100.0, 200.0])

# %% all-pairs
y = torch.tensor([2.0, 4.0, 9.0])
p = torch.tensor([[2.0], [4.0], [9.0]])
p - y

# %% wrong-loss
wrong = ((p - y) ** 2).sum()
right = ((p[:, 0] - y) ** 2).sum()
print(wrong, right)

# %% wrong-loss-formula
spread = ((y - y.mean()) ** 2).sum()
print(2 * 3 * spread)

# %% wrong-minimum
constant = y.mean() * torch.ones(3, 1)
lower = ((constant - y) ** 2).sum()
print(lower)

# %% broadcast-shapes
torch.broadcast_shapes((3, 1), (3,))

# %% sums
print(X.sum())
print(X.sum(dim=0))
print(X.sum(dim=1))

# %% sums-as-products
print(torch.ones(2) @ X)
print(X @ torch.ones(3))

# %% row-means
with raises(RuntimeError, "The size of tensor a (3) must match"):
    X - X.mean(dim=1)

# %% keepdim
print(X.mean(dim=1, keepdim=True).shape)
X - X.mean(dim=1, keepdim=True)

# %% square-is-silent
Q = torch.tensor([[1.0, 3.0], [10.0, 20.0]])
print(Q - Q.mean(dim=1))
print(Q - Q.mean(dim=1, keepdim=True))

# %% maximum
X.max(dim=1)

# %% shared-memory
flat = torch.arange(6)
table = flat.reshape(2, 3)
table[0, 0] = 100
flat

# %% clone
copy = flat.clone()
copy[1] = -1
print(copy, flat, sep="\n")

# %% strides
grid = torch.arange(6).reshape(2, 3)
print(grid.stride(), grid.T.stride(), grid.reshape(3, 2).stride())

# %% figure-memory
from snippets.figures.memory import draw_memory

readings = {
    "grid": grid,
    "grid.T": grid.T,
    "grid.reshape(3, 2)": grid.reshape(3, 2),
}
draw_memory(**readings)

# %% reshape-or-transpose
print(grid.reshape(3, 2))
print(grid.T)

# %% view-of-transpose
with raises(RuntimeError, "view size is not compatible"):
    grid.T.view(6)

# %% reshape-copies
straight = grid.T.reshape(6)
straight[0] = 100
print(straight, grid, sep="\n")

# %% numpy-shares
array = np.array([1.0, 2.0, 3.0])
shared = torch.from_numpy(array)
copied = torch.tensor(array)
array[0] = 100.0
print(shared, copied, sep="\n")

# %% numpy-back
back = shared.numpy()
shared[1] = -5.0
print(back, array)

# %% answer-shapes
H, c = torch.zeros(5, 3), torch.zeros(5, 1)
v, t = torch.zeros(3), torch.zeros(5)
print((H @ v).shape, (H * v).shape, (H.T @ t).shape)
print((H - c).shape, (c - t).shape, H.sum(dim=0).shape)
print(H[:, 1].shape, H[:, [1]].shape, (v @ v).shape)

# %% answer-shapes-error
with raises(RuntimeError, "The size of tensor a (3) must match"):
    H - t

# %% answer-sharing
source = torch.zeros(4)
part, listed, plus_zero = source[:2], source[[0, 1]], source + 0
reshaped, cloned = source.reshape(2, 2), source.clone()
source[0] = 7.0
print(part, listed, plus_zero, reshaped, cloned, sep="\n")

# %% answer-gram
gram = X.T @ X
outer_products = X[:, :, None] * X[:, None, :]
print(outer_products.shape)
print(gram, outer_products.sum(dim=0), sep="\n")

# %% answer-reshape-row
long = torch.arange(4).reshape(1, 4)
print(torch.equal(long.reshape(4, 1), long.T))
square = torch.arange(4).reshape(2, 2)
print(torch.equal(square.reshape(2, 2), square.T))


# %% answer-distances
def squared_distances(X, Z):
    """Entry (i, j): row i of X to row j of Z, squared distance."""
    return (X**2).sum(1)[:, None] + (Z**2).sum(1) - 2 * X @ Z.T


Z = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
print(squared_distances(X, Z))
print(((X[:, None, :] - Z) ** 2).sum(dim=2))

# %% answer-cancellation
far, near_far = torch.tensor([[4097.0]]), torch.tensor([[4097.5]])
negative = squared_distances(far, near_far)
print(negative, (far - near_far) ** 2)


# %% answer-standardise
def standardise(X):
    """Shift and scale each column to mean 0 and standard deviation 1."""
    return (X - X.mean(dim=0)) / X.std(dim=0, correction=0)


D = torch.tensor([[1.0, 10.0], [2.0, 30.0], [6.0, 50.0]])
standard = standardise(D)
print(standard)
print(standard.std(dim=0, correction=0), standard.std(dim=0))


# %% answer-residual
def residual(p, y):
    """The difference of two tensors of equal shape."""
    if p.shape != y.shape:
        raise ValueError(f"predictions {p.shape}, targets {y.shape}")
    return p - y


residual(p[:, 0], y)

# %% answer-residual-error
with raises(ValueError, "predictions torch.Size([3, 1])"):
    residual(p, y)


# %% answer-one-hot
def one_hot(labels, k):
    """One row for each label: 1.0 in the label's column, else 0.0."""
    return (labels[:, None] == torch.arange(k)).float()


one_hot(torch.tensor([2, 0, 1, 2]), 3)

# %% answer-order
F = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
C = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
print(C.inverse() @ F @ C)
print(C.T @ F @ C)
