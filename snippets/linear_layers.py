"""Linear layers: affine gradients, parameters, initial values."""

from snippets import raises

# %% imports
import torch
from torch import nn

ce = nn.CrossEntropyLoss(reduction="sum")

# %% layer
torch.manual_seed(0)
layer = nn.Linear(3, 2)
print(layer.weight.shape, layer.bias.shape)

# %% chosen-values
W = torch.tensor([[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
b = torch.tensor([18.0, 0.0])
x = torch.tensor([1.0, 2.0, 3.0])
with torch.no_grad():
    layer.weight.copy_(W)
    layer.bias.copy_(b)
print(layer(x).tolist())
print((W @ x + b).tolist())

# %% batch
X = torch.tensor([[1.0, 2, 3], [0, 1, 0], [2, 0, 1], [0, 0, 0]])
print(layer(X))
print(X @ W.T + b)

# %% more-axes
layer(torch.zeros(5, 4, 3)).shape

# %% column
with raises(RuntimeError, "mat1 and mat2 shapes cannot be multiplied"):
    layer(x.reshape(3, 1))

# %% transpose-in-the-graph
product = layer(X).grad_fn
print(product.name())
print([f.name() if f else None for f, _ in product.next_functions])

# %% integers
with raises(RuntimeError, "mat1 and mat2 must have the same dtype"):
    layer(torch.tensor([1, 2, 3]))


# %% own-module
class Affine(nn.Module):
    """The affine map x ↦ Wx + b from d to k numbers."""

    def __init__(self, d, k):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(k, d))
        self.bias = nn.Parameter(torch.zeros(k))

    def forward(self, x):
        """Map rows: (…, d) to (…, k)."""
        return x @ self.weight.T + self.bias


own = Affine(3, 2)
own.load_state_dict(layer.state_dict())
print(own(x).tolist())

# %% hook
handle = layer.register_forward_hook(lambda *_: print("the hook ran"))
layer(x)
layer.forward(x)
handle.remove()


# %% attributes
class Mixed(nn.Module):
    """Five attributes, of five kinds."""

    def __init__(self):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(2))
        self.inner = nn.Linear(3, 2)
        self.gain = torch.ones(2, requires_grad=True)
        self.others = [nn.Linear(2, 2)]
        self.register_buffer("centre", torch.ones(3))

    def forward(self, x):
        """Map rows: (…, 3) to (…, 2)."""
        z = self.gain * self.inner(x - self.centre)
        return self.others[0](z) + self.offset


# %% what-is-listed
torch.manual_seed(0)
mixed = Mixed()
print([name for name, _ in mixed.named_parameters()])
print(list(mixed.state_dict()))

# %% gain-has-a-gradient
mixed(x).sum().backward()
print(mixed.gain.grad)
print(any(p is mixed.gain for p in mixed.parameters()))

# %% assign-a-tensor
with raises(TypeError, "cannot assign 'torch.FloatTensor' as parameter 'weight'"):
    layer.weight = torch.ones(2, 3)

# %% answer-parameters
answer_parameters = list(layer.parameters())
print(answer_parameters)
print(answer_parameters[0] is layer.weight)

# %% one-example
x_leaf = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
z = layer(x_leaf)
z.retain_grad()
loss = ce(z, torch.tensor(1))
loss.backward()
print(layer.weight.grad)
print(layer.bias.grad)
print(x_leaf.grad)
print(z.grad)

# %% figure-graph
from snippets import figures

W_leaf = layer.weight.detach().clone().requires_grad_()
b_leaf = layer.bias.detach().clone().requires_grad_()
x_leaf_ = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
with figures.record() as recording:
    u_ = W_leaf @ x_leaf_
    z_leaf = u_ + b_leaf
    lse = torch.logsumexp(z_leaf, dim=0)
    z_y = z_leaf[1]
    L = lse - z_y
    L.backward()
figures.draw(
    recording, W=W_leaf, x=x_leaf_, b=b_leaf, u=u_, z=z_leaf, l=lse, z_y=z_y, L=L
)

# %% batch-gradient
G = torch.tensor([[1.0, 0], [0, -1], [2, 1], [0, 3]])
X_leaf = X.clone().requires_grad_()
layer.zero_grad()
layer(X_leaf).backward(G)
print(layer.weight.grad)
print(layer.bias.grad)
print(X_leaf.grad)

# %% batch-gradient-by-hand
print(G.T @ X)
print(G.sum(dim=0))
print(G @ W)

# %% three-runs
torch.manual_seed(0)
for _ in range(3):
    z = nn.Linear(3, 2)(x)
    loss_0, loss_1 = ce(z, torch.tensor(0)), ce(z, torch.tensor(1))
    print(f"{loss_0:.4f}  {loss_1:.4f}")


# %% seeds
def first_loss(seed, draws_before=0):
    """The loss of a fresh layer on x with label 0."""
    torch.manual_seed(seed)
    torch.rand(draws_before)
    return ce(nn.Linear(3, 2)(x), torch.tensor(0)).item()


print(f"{first_loss(0):.6f}  {first_loss(0):.6f}")
print(f"{first_loss(1):.6f}")
print(f"{first_loss(0, draws_before=1):.6f}")

# %% answer-difference
print(f"{loss_0 - loss_1:.4f}  {z[1] - z[0]:.4f}")

# %% many-rows
torch.manual_seed(0)
wide = nn.Linear(3, 100_000)
for name, p in wide.named_parameters():
    low, high, var = p.min(), p.max(), p.detach().var()
    print(f"{name:6}  {low:.4f} to {high:.4f}  variance {var:.4f}")

# %% output-variance
z_wide = wide(x).detach()
predicted = (x @ x + 1) / (3 * 3)
print(f"{z_wide.mean():.4f}  {z_wide.var():.4f}  {predicted:.4f}")

# %% at-zero
print(layer(torch.zeros(3)).tolist())
print(layer(2 * x).tolist())

# %% weighted-sums
u, v = X[0], X[2]
for alpha, beta in [(1, 1), (2, 3), (0.5, 0.5), (3, -2)]:
    left = layer(alpha * u + beta * v)
    right = alpha * layer(u) + beta * layer(v)
    print(alpha + beta, (left - right).tolist())

# %% no-bias
torch.manual_seed(0)
plain = nn.Linear(3, 2, bias=False)
with torch.no_grad():
    plain.weight.copy_(W)
print(plain.bias)
print((plain(2 * u + 3 * v) - (2 * plain(u) + 3 * plain(v))).tolist())

# %% stack
torch.manual_seed(0)
first = nn.Linear(3, 4, dtype=torch.float64)
second = nn.Linear(4, 2, dtype=torch.float64)
stack = nn.Sequential(first, second)
print(stack(X.double()).detach())

# %% collapsed
M = second.weight @ first.weight
c = second.weight @ first.bias + second.bias
print(M.shape, c.shape)
print((X.double() @ M.T + c).detach())

# %% narrow
torch.manual_seed(0)
narrow = nn.Sequential(nn.Linear(3, 1), nn.Linear(1, 2))
M_narrow = (narrow[1].weight @ narrow[0].weight).detach()
print(M_narrow)
print(torch.linalg.matrix_rank(M_narrow))

# %% stack-gradient
H = first(X.double())
second(H).backward(G.double())
print(second.weight.grad)
print(first.weight.grad)

# %% stack-gradient-by-hand
with torch.no_grad():
    print(G.double().T @ H)
    print(second.weight.T @ G.double().T @ X.double())

# %% loss-after
y = torch.tensor([1, 0, 1, 0])


def loss_after(net):
    """The loss after 30 steps of size 0.2 against the gradient."""
    for _ in range(30):
        net.zero_grad()
        ce(net(X), y).backward()
        with torch.no_grad():
            for p in net.parameters():
                p.sub_(0.2 * p.grad)
    return ce(net(X), y).item()


# %% start-matters
def zeroed(net):
    """The same network with every parameter set to zero."""
    for p in net.parameters():
        nn.init.zeros_(p)
    return net


torch.manual_seed(0)
one_zero = loss_after(zeroed(nn.Linear(3, 2)))
two = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
two_drawn = loss_after(two)
two_zero = loss_after(zeroed(two))
print(f"one layer from zero     {one_zero:.4f}")
print(f"two layers from zero    {two_zero:.4f}")
print(f"two layers, as drawn    {two_drawn:.4f}")

# %% scale-through-depth
torch.manual_seed(0)
h = torch.randn(500)
mean_squares = [h.square().mean().item()]
for _ in range(6):
    h = nn.Linear(500, 500, bias=False)(h).detach()
    mean_squares.append(h.square().mean().item())
for depth, measured in enumerate(mean_squares):
    expected = mean_squares[0] / 3**depth
    print(f"{depth}  {measured:.5f}  {expected:.5f}")

# %% answer-shapes
torch.manual_seed(0)
answer_layer = nn.Linear(5, 3)
print([tuple(p.shape) for p in answer_layer.parameters()])
print(sum(p.numel() for p in answer_layer.parameters()))
for answer_shape in [(5,), (7, 5), (2, 7, 5), (1, 5)]:
    answer_output = answer_layer(torch.zeros(answer_shape))
    print(answer_shape, tuple(answer_output.shape))


# %% answer-lists
class Chain(nn.Module):
    """Two layers in a container that is passed in."""

    def __init__(self, container):
        super().__init__()
        self.layers = container([nn.Linear(3, 4), nn.Linear(4, 2)])
        self.scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        """Map rows: (…, 3) to (…, 2)."""
        for part in self.layers:
            x = part(x)
        return self.scale * x


torch.manual_seed(0)
for answer_kind in (list, nn.ModuleList):
    answer_chain = Chain(answer_kind)
    answer_sizes = [p.numel() for p in answer_chain.parameters()]
    print(sum(answer_sizes), answer_chain(x).shape)

# %% answer-root-five
answer_gain = nn.init.calculate_gain("leaky_relu", 5**0.5)
for answer_d in (3, 100):
    answer_bound = 3**0.5 * answer_gain / answer_d**0.5
    print(f"{answer_bound:.6f}  {answer_d**-0.5:.6f}")

# %% answer-saddle
from torch.autograd.functional import hessian


def saddle_loss(w):
    """Two scalar layers in a row, x = 1, y = 2, without bias."""
    return (w[1] * w[0] * 1.0 - 2.0) ** 2


answer_origin = torch.zeros(2, requires_grad=True)
saddle_loss(answer_origin).backward()
answer_hessian = hessian(saddle_loss, torch.zeros(2))
print(answer_origin.grad)
print(answer_hessian)
print(torch.linalg.eigvalsh(answer_hessian))

# %% answer-regression
answer_X = torch.tensor([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
answer_y = torch.tensor([2.0, 4, 8])
torch.manual_seed(0)
answer_regression = nn.Linear(3, 1, bias=False)
with torch.no_grad():
    answer_regression.weight.copy_(torch.tensor([[3.0, 2.0, 1.0]]))
answer_scores = answer_regression(answer_X)
answer_mse = nn.MSELoss(reduction="sum")
answer_L = answer_mse(answer_scores.squeeze(1), answer_y)
answer_L.backward()
print(answer_scores.shape, answer_L.item())
print(answer_regression.weight.grad)

# %% answer-fold
torch.manual_seed(0)
answer_folded = nn.Linear(4, 2, bias=False)
with torch.no_grad():
    answer_folded.weight.copy_(torch.column_stack([W, b]))
answer_X1 = torch.column_stack([X, torch.ones(4)])
answer_Z = answer_folded(answer_X1)
answer_Z.backward(G)
print((answer_Z - layer(X)).detach())
print(answer_folded.weight.grad)
