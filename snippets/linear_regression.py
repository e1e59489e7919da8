"""Linear regression: one loss, its gradient by four routes, and what it means.

The running example is the sheet's data: X is 3 × 3 of rank 2, w = (3, 2, 1) and
y = (2, 4, 8). The loss ‖Xw − y‖² is 2084 and its gradient (740, 880, 1020).
"""

from torch.linalg import LinAlgError as _LinAlgError  # as tracebacks name it

from snippets import raises

# %% imports
import numpy as np
import torch
from torch import nn

# %% data
X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
w = torch.tensor([3.0, 2.0, 1.0], requires_grad=True)
y = torch.tensor([2.0, 4.0, 8.0])


# %% squared-error
def squared_error(w):
    """Sum of squared residuals of the weights w, a scalar."""
    residual = X @ w - y
    return residual @ residual


squared_error(w)

# %% by-components
residual = (X @ w - y).tolist()
gradient = []
for j in range(3):
    terms = [2 * residual[i] * X[i, j].item() for i in range(3)]
    gradient.append(sum(terms))
print(residual)
print(gradient)

# %% by-expansion
h = torch.tensor([1.0, -1.0, 2.0])
change = squared_error(w + h) - squared_error(w)
first_order = torch.tensor(gradient) @ h
second_order = (X @ h) @ (X @ h)
print(change.item(), first_order.item(), second_order.item())

# %% figure-squared-error
from snippets import figures

w_leaf = w.detach().clone().requires_grad_()
with figures.record() as recording:
    z_ = X @ w_leaf
    r_ = z_ - y
    m_ = torch.linalg.vector_norm(r_)
    L_ = m_**2
    L_.backward()
figures.draw(recording, X=X, w=w_leaf, y=y, z=z_, r=r_, m=m_, L=L_)

# %% graph-forward
z = X @ w
r = z - y
m = torch.linalg.vector_norm(r)
L = m**2

# %% graph-backward
for vertex in (z, r, m):
    vertex.retain_grad()
L.backward()
for name, vertex in {"m": m, "r": r, "z": z, "w": w}.items():
    print(name, vertex.grad)

# %% figure-sum-of-squares
w_leaf = w.detach().clone().requires_grad_()
with figures.record() as recording:
    z_ = X @ w_leaf
    r_ = z_ - y
    q = r_**2
    L_ = q.sum()
    L_.backward()
figures.draw(recording, X=X, w=w_leaf, y=y, z=z_, r=r_, q=q, L=L_)

# %% zero-residual
perfect = torch.zeros(3, requires_grad=True)
for loss in (
    perfect @ perfect,
    torch.linalg.vector_norm(perfect) ** 2,
    torch.sqrt(perfect @ perfect) ** 2,
):
    print(torch.autograd.grad(loss, perfect)[0])

# %% figure-zero-residual
r_ = torch.zeros(3, requires_grad=True)
with figures.record() as recording:
    q = r_ @ r_
    m_ = torch.sqrt(q)
    L_ = m_**2
    L_.backward()
figures.draw(recording, r=r_, q=q, m=m_, L=L_)

# %% route-numpy
X_np = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
w_np = np.array([3.0, 2.0, 1.0])
y_np = np.array([2.0, 4.0, 8.0])
by_hand = 2 * (X_np.T @ (X_np @ w_np) - X_np.T @ y_np)
by_hand

# %% route-norm
w.grad = None
loss_norm = torch.linalg.vector_norm(X @ w - y) ** 2
loss_norm.backward()
by_norm = w.grad
print(loss_norm.item(), by_norm)

# %% route-mse
w.grad = None
loss_mse = nn.MSELoss(reduction="sum")(X @ w, y)
loss_mse.backward()
by_mse = w.grad
print(loss_mse.item(), by_mse)


# %% route-differences
def central_differences(f, w, h):
    """Slope of f at w along each axis, from two points 2h apart."""
    moves = h * torch.eye(len(w), dtype=w.dtype)
    slopes = [(f(w + move) - f(w - move)) / (2 * h) for move in moves]
    return torch.stack(slopes)


with torch.no_grad():
    by_differences = central_differences(squared_error, w, h=1.0)
by_differences

# %% tiny-difference
with torch.no_grad():
    tiny = central_differences(squared_error, w, h=1e-6)
grain = np.spacing(np.float32(2084)) / 2e-6
print(tiny, tiny / grain)


# %% equality
ones = torch.ones(2, dtype=torch.float64)
detour = torch.linalg.vector_norm(ones) ** 2
direct = ones @ ones
print(detour.item(), direct.item())
print(detour == direct, torch.isclose(detour, direct))

# %% blind-tolerance
small, large = torch.tensor(1e-9), torch.tensor(5e-9)
print(torch.allclose(small, large))
print(torch.allclose(small, large, atol=0.0))

# %% answer-same-result
torch.manual_seed(0)
X_new, y_new = torch.randn(5, 3), torch.randn(5)
w_new = torch.randn(3, requires_grad=True)
nn.MSELoss(reduction="sum")(X_new @ w_new, y_new).backward()
trio = (X_new, w_new.detach(), y_new)
A, v, b = (t.double().numpy() for t in trio)
hand = 2 * (A.T @ (A @ v) - A.T @ b)
gap = np.abs(w_new.grad.numpy() - hand).max()
print(hand, f"{gap:.0e}")

# %% mean
w.grad = None
loss_mean = nn.MSELoss()(X @ w, y)
loss_mean.backward()
by_mean = w.grad
print(loss_mean.item(), by_mean)


# %% descend
def descend(reduction, rate, steps=4):
    """Sum of squared residuals at the start and after each step."""
    criterion = nn.MSELoss(reduction=reduction)
    w = torch.tensor([3.0, 2.0, 1.0], requires_grad=True)
    errors = [squared_error(w).item()]
    for _ in range(steps):
        (g,) = torch.autograd.grad(criterion(X @ w, y), w)
        w = (w - rate * g).detach().requires_grad_()
        errors.append(squared_error(w).item())
    return errors


# %% same-rate
runs = {
    "mean, 0.005": descend("mean", 0.005),
    "sum,  0.005": descend("sum", 0.005),
    "sum,  0.005 / 3": descend("sum", 0.005 / 3),
}
for name, errors in runs.items():
    print(f"{name:16}", *(f"{error:10.1f}" for error in errors))

# %% null-direction
u = torch.tensor([1.0, -2.0, 1.0])
print(X @ u, u @ X, u @ y)

# %% minimisers
X64, y64, u64 = X.double(), y.double(), u.double()
shortest = torch.tensor([3.0, 2.0, 1.0]).double() / 6
for t in (0.0, -1 / 6, 10.0):
    w_t = shortest + t * u64
    r_t = X64 @ w_t - y64
    steepest = (2 * X64.T @ r_t).abs().max()
    print(f"{r_t @ r_t:.6f} {steepest:.6f}", w_t.numpy().round(4))

# %% lstsq
answer = torch.linalg.lstsq(X64, y64)
print(answer.solution, answer.rank)


# %% nearly-parallel
e = 2.0**-27
slim = torch.tensor([[1.0, 1.0], [e, 0.0], [0.0, e]]).double()
target = slim @ torch.tensor([1.0, 2.0]).double()
print(torch.linalg.matrix_rank(slim), slim.T @ slim)
print(torch.linalg.lstsq(slim, target).solution)

# %% nearly-parallel-normal
with raises(_LinAlgError, "singular"):
    torch.linalg.solve(slim.T @ slim, slim.T @ target)

# %% parabola
inputs = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
slope = torch.tensor(0.0, requires_grad=True)
misfit = nn.MSELoss(reduction="sum")(slope * inputs, inputs**2)
misfit.backward()
print(slope.grad, misfit.item())

# %% likelihood
sigma = 2.0
model = torch.distributions.Normal(X @ w, sigma)
nll = -model.log_prob(y).sum()
(nll_gradient,) = torch.autograd.grad(nll, w)
print(nll)
print(nll_gradient)

# %% likelihood-formula
constant = 3 / 2 * np.log(2 * np.pi * sigma**2)
print(f"{constant + squared_error(w) / (2 * sigma**2):.4f}")
print(torch.tensor(gradient) / (2 * sigma**2))

# %% answer-wrong-transpose
errors_only = (X @ w - y).detach()
print(2 * X @ errors_only)
print(2 * X.T @ errors_only)

# %% answer-transpose-caught
with raises(RuntimeError, "size mismatch"):
    2 * X[:2] @ errors_only[:2]

# %% answer-factors
for factor in (1, 1 / 3, 1 / 2, 1 / 6):
    (g,) = torch.autograd.grad(factor * squared_error(w), w)
    print(f"{factor:.3f}", g, f"{0.001 / factor:.3f}")

# %% answer-bias
bias = torch.tensor(0.0, requires_grad=True)
with_bias = nn.MSELoss(reduction="sum")(X @ w + bias, y)
(bias_gradient,) = torch.autograd.grad(with_bias, bias)
widened = torch.cat([X64, torch.ones(3, 1).double()], dim=1)
print(bias_gradient, torch.linalg.matrix_rank(widened))


# %% answer-ridge
def ridge(strength):
    """The minimiser on the sheet's data for this λ."""
    shifted = X64.T @ X64 + strength * torch.eye(3, dtype=torch.float64)
    return torch.linalg.solve(shifted, X64.T @ y64)


for strength in (1.0, 0.01, 0.0001):
    print(strength, ridge(strength))

# %% answer-variance
best_fit = X64 @ shortest
spread = (torch.tensor(2.0).double() / 9).sqrt().requires_grad_()
noise = torch.distributions.Normal(best_fit, spread)
cost = -noise.log_prob(y64).sum()
(spread_gradient,) = torch.autograd.grad(cost, spread)
print(f"{spread_gradient.abs().item():.6f}")


# %% answer-many-outputs
def gradient_by_weights(W, X, Y):
    """Of the sum of squared residuals of X Wᵀ - Y."""
    return 2 * (X @ W.T - Y).T @ X


torch.manual_seed(0)
inputs4 = torch.randn(4, 3, dtype=torch.float64)
targets = torch.randn(4, 2, dtype=torch.float64)
W = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
formula = gradient_by_weights(W.detach(), inputs4, targets)
for reduction in ("sum", "mean"):
    total = nn.MSELoss(reduction=reduction)(inputs4 @ W.T, targets)
    (grad_W,) = torch.autograd.grad(total, W)
    print(reduction, formula / grad_W)


# %% answer-two-starts
def settle(start, rate=0.003, steps=3000):
    """The weights after many steps on the sum of squares."""
    w = torch.tensor(start, dtype=torch.float64)
    for _ in range(steps):
        w = w - rate * 2 * X64.T @ (X64 @ w - y64)
    return w


ends = [settle([3.0, 2.0, 1.0]), settle([0.0, 0.0, 3.0])]
for end in ends:
    print(end, f"{((X64 @ end - y64) ** 2).sum().item():.6f}")
