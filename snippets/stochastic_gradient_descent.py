"""Code of the chapter on stochastic gradient descent.

The data set is made so that the mean squared error has the Hessian [[3, 2], [2, 3]],
with eigenvalues 1 and 5, its minimum 1 at (1, 2), and integer gradients at 0.
"""

from snippets import raises

# %% imports
from itertools import combinations, permutations

import torch
from torch import nn, optim
from torch.nn.utils import parameters_to_vector as flat

# %% data
X = torch.tensor([[2, 1], [1, 2], [1, 0], [0, 1]]).double()
y = torch.tensor([3, 6, 2, 1]).double()
w_star = torch.tensor([1, 2]).double()


def mse(w, rows=(0, 1, 2, 3)):
    """Mean squared error on some rows of the data."""
    chosen = torch.as_tensor(rows)
    return ((X[chosen] @ w - y[chosen]) ** 2).mean()


X.T @ (X @ w_star - y)

# %% one-step
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
loss = mse(w)
loss.backward()
with torch.no_grad():
    w -= 0.1 * w.grad
w.grad, w.detach()

# %% figure-one-step
from snippets import figures

w_leaf = torch.zeros(2, dtype=torch.float64, requires_grad=True)
with figures.record() as recording:
    z = X @ w_leaf
    r_ = z - y
    q = r_**2
    L = q.mean()
recording.look("before L.backward()")
L.backward()
recording.look("after L.backward()")
with torch.no_grad():
    w_leaf -= 0.1 * w_leaf.grad
recording.look("after the step")
figures.draw(recording, X=X, w=w_leaf, y=y, z=z, r=r_, q=q, L=L)

# %% hessian
H = torch.autograd.functional.hessian(mse, w.detach())
g = w.grad
predicted = loss - 0.1 * g @ g + 0.1**2 / 2 * g @ H @ g
H, predicted.item()


# %% descend
def descend(lr, steps):
    """All iterates of gradient descent from 0, one per row."""
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    path = [w.tolist()]
    for _ in range(steps):
        w.grad = None
        mse(w).backward()
        with torch.no_grad():
            w -= lr * w.grad
        path.append(w.tolist())
    return torch.tensor(path, dtype=torch.float64)


# %% step-sizes
shown = (0, 1, 2, 10, 50)
print("after  ", *(f"{t:9}" for t in shown))
for lr in (0.001, 0.1, 0.2, 0.39, 0.4, 0.41):
    losses = [mse(w).item() for w in descend(lr, 50)]
    print(f"η {lr:<5}", *(f"{losses[t]:9.3f}" for t in shown))

# %% closed-form
eigenvalues, V = torch.linalg.eigh(H)
c = V.T @ (0 - w_star)
for lr in (0.1, 0.39, 0.4, 0.41):
    factors = 1 - lr * eigenvalues
    formula = (eigenvalues * factors**20 * c**2).sum() / 2
    measured = mse(descend(lr, 10)[10]) - mse(w_star)
    columns = (*factors, formula, measured)
    print(f"η {lr:<5}", *(f"{value:9.3f}" for value in columns))

# %% figure-paths
from snippets.figures import plots

tones = {0.1: plots.BLUE, 0.39: plots.ORANGE, 0.41: plots.PURPLE}
signs = {0.1: "o", 0.39: "s", 0.41: "^"}


def draw_valley(ax):
    """Level lines of the loss, and its minimum."""
    for above in (0.5, 2, 4.5, 8, 12.5, 18):
        plots.level_line(ax, w_star, X.T @ X * 2 / len(X), above)
    ax.plot(*w_star, marker="+", color=plots.INK, markersize=9)
    ax.set(xlim=(-0.8, 3.2), ylim=(-0.5, 4), xticks=range(4), yticks=range(5))


figure, panels = plots.sheet(360, 2, 2)
for lr_, ax in zip(tones, panels.flat, strict=False):
    draw_valley(ax)
    line = {"color": tones[lr_], "marker": signs[lr_], "markersize": 3.5}
    ax.plot(*descend(lr_, 12).T, linewidth=1.2, **line)
    ax.set_title(f"η = {lr_}", color=tones[lr_])
    excess_ = ((descend(lr_, 30) @ X.T - y) ** 2).mean(dim=1) - 1
    panels[1, 1].semilogy(excess_, color=tones[lr_])
    plots.name_line(panels[1, 1], f"{lr_}", 30, excess_[30], tones[lr_], xytext=(2, 0))
panels[0, 0].set_ylabel("w₂")
panels[1, 0].set(xlabel="w₁", ylabel="w₂")
panels[1, 1].set(
    title="loss − minimum", xlabel="step", xlim=(0, 39), xticks=[0, 15, 30]
)
plots.finished(
    figure,
    "Three panels with the elliptical level lines of the loss around its minimum at "
    "(1, 2) and twelve steps of gradient descent from the origin. With step size 0.1 "
    "the path bends into the minimum, with 0.39 it zigzags across the narrow valley "
    "with slowly shrinking swings, and with 0.41 the swings grow. A fourth panel shows "
    "the loss above its minimum over 30 steps on a logarithmic axis: it falls fast for "
    "0.1, slowly for 0.39, and rises for 0.41.",
)

# %% figure-step-size
rows_drawn = torch.randint(4, (20, 1), generator=torch.Generator().manual_seed(0))
figure, ax = plots.sheet(300)
draw_valley(ax)
[line] = ax.plot(*descend(0.3, 20).T, color=plots.ORANGE, marker="o", markersize=4)
line.set_gid(plots.REPLACED)
ax.set(xlabel="w₁", ylabel="w₂")
plots.finished(
    figure,
    "The level lines of the loss around its minimum at (1, 2) and twenty steps of "
    "gradient descent from the origin with step size 0.3. The path swings across the "
    "valley at first, and each swing is half as long as the one before.",
    enhanced_by="descent-explorer",
    data={
        "X": X.tolist(),
        "y": y.tolist(),
        "start": [0, 0],
        "rate": 0.3,
        "steps": 20,
        "bound": (2 / eigenvalues.max()).item(),
        "order": rows_drawn.tolist(),
        "scales": [plots.scale(ax)],
    },
)

# %% too-small
w32 = torch.tensor([3.0, 3.0], requires_grad=True)
mse(w32.double()).backward()
moved = w32 - 1e-9 * w32.grad
w32.grad, torch.equal(moved, w32)

# %% all-minibatches
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
gradients = []
for rows in combinations(range(4), 2):
    (gradient,) = torch.autograd.grad(mse(w, rows), w)
    gradients.append(gradient)
    print(rows, gradient.tolist())
average = torch.stack(gradients).mean(dim=0)
(full,) = torch.autograd.grad(mse(w), w)
average, full

# %% at-the-minimum
for i in range(4):
    w = w_star.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(mse(w, [i]), w)
    after = mse(w - 0.1 * gradient).item()
    print(i, gradient.tolist(), f"{after:.2f}")

# %% noise-floor
torch.manual_seed(0)
floors = []
for lr in (0.1, 0.03, 0.01):
    w = w_star.repeat(1000, 1)
    for _ in range(200):
        rows = torch.randint(4, (1000,))
        r = (X[rows] * w).sum(dim=1) - y[rows]
        w = w - lr * 2 * r[:, None] * X[rows]
    excess = ((w @ X.T - y) ** 2).mean(dim=1) - 1
    floors.append(excess.mean().item())
    print(f"η {lr:<4} excess {floors[-1]:.2f}")

# %% sheet-loop
torch.manual_seed(0)
model = nn.Linear(3, 2)
loss_fn = nn.CrossEntropyLoss(reduction="sum")
optimizer = optim.SGD(model.parameters(), lr=0.1)
printed = []
for t in range(20):
    optimizer.zero_grad()
    x, label = torch.rand(3), torch.tensor(t % 2)
    loss = loss_fn(model(x), label)
    loss.backward()
    optimizer.step()
    printed.append(loss.item())
print("label 0:", *(f"{value:.2f}" for value in printed[0::2]))
print("label 1:", *(f"{value:.2f}" for value in printed[1::2]))

# %% answer-indentation
torch.manual_seed(0)
lone = nn.Linear(3, 2)
start = lone.weight.detach().clone()
once = optim.SGD(lone.parameters(), lr=0.1)
for t in range(20):
    once.zero_grad()
    final = loss_fn(lone(torch.rand(3)), torch.tensor(t % 2))
final.backward()
once.step()
lone.weight.detach() - start, -0.1 * lone.weight.grad

# %% step-lengths
torch.manual_seed(1)
record = []
for t in range(20):
    x, label = torch.rand(3), torch.tensor(t % 2)
    old = flat(model.parameters()).detach()
    optimizer.zero_grad()
    loss = loss_fn(model(x), label)
    loss.backward()
    optimizer.step()
    g = flat(p.grad for p in model.parameters()).norm().item()
    move = (flat(model.parameters()) - old).norm().item()
    after = loss_fn(model(x), label).item()
    record.append((g, move, loss.item(), after))

# %% step-lengths-table
print("gradient   move  before  after")
for row in record[:4]:
    print("", *(f"{value:7.4f}" for value in row))


# %% run
def run(order, steps, lr=0.1):
    """Iterates of a loop that makes these calls in this order."""
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=lr)
    calls = {
        "zero": optimizer.zero_grad,
        "backward": lambda: mse(w).backward(),
        "step": optimizer.step,
    }
    path = [w.tolist()]
    for _ in range(steps):
        for name in order:
            calls[name]()
        path.append(w.tolist())
    return torch.tensor(path, dtype=torch.float64)


# %% orders
print(f"{'after':20}", *(f"{t:9}" for t in (1, 2, 9, 10)))
for order in permutations(("zero", "backward", "step")):
    path = run(order, 10)
    shown = (f"{mse(path[t]):9.5f}" for t in (1, 2, 9, 10))
    print(f"{' '.join(order):20}", *shown)

# %% stale
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)
mse(w).backward()
loss = mse(w)
optimizer.step()
optimizer.zero_grad()
loss.backward()
(fresh,) = torch.autograd.grad(mse(w), w)
w.detach(), w.grad, fresh

# %% penalty
loss = mse(w) + (w**2).sum()
optimizer.step()

# %% step-before-backward
with raises(RuntimeError, "modified by an inplace operation"):
    loss.backward()


# %% nodes
def nodes(tensor):
    """All vertices of the backward graph behind a tensor."""
    found, waiting = set(), [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [earlier for earlier, _ in node.next_functions]
    return found


# %% zero-grad-and-graph
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)
mse(w).backward()
loss = mse(w)
before = nodes(loss)
optimizer.zero_grad()
w.grad, len(before), nodes(loss) == before

# %% backward-after-zero-grad
loss.backward()
found = w.grad.clone()
optimizer.zero_grad(set_to_none=False)
found, w.grad

# %% zero-grad-restores-nothing
with raises(RuntimeError, "backward through the graph a second time"):
    optimizer.zero_grad()
    loss.backward()

# %% forgotten
torch.manual_seed(0)
model = nn.Linear(3, 2)
parameters = list(model.parameters())
optimizer = optim.SGD(parameters, lr=0.1)
running, table = 0, []
for t in range(20):
    x, label = torch.rand(3), torch.tensor(t % 2)
    loss = loss_fn(model(x), label)
    own = torch.autograd.grad(loss, parameters, retain_graph=True)
    running = running + flat(own)
    loss.backward()
    used = flat(p.grad for p in parameters)
    optimizer.step()
    gaps = (used - flat(own)).norm(), (used - running).norm()
    after = loss_fn(model(x), label).item()
    table.append((*gaps, loss.item(), after))

# %% forgotten-table
print("step  used-own  used-sum  before   after")
for t in (0, 1, 2, 9, 19):
    print(f"{t + 1:4}", *(f"{value:8.4f}" for value in table[t]))

# %% long-run
late = {True: 0.0, False: 0.0}
for zero in late:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for t in range(200):
        if zero:
            optimizer.zero_grad()
        loss = loss_fn(model(torch.rand(3)), torch.tensor(t % 2))
        loss.backward()
        optimizer.step()
        if t >= 100:
            late[zero] += loss.item() / 100
print(f"with {late[True]:.2f}, without {late[False]:.2f}")

# %% frictionless
print("steps      0-99   100-199   200-299")
for lr in (0.1, 0.01):
    path = run(("backward", "step"), 299, lr)
    excess = ((path @ X.T - y) ** 2).mean(dim=1) - 1
    kept = excess.view(3, 100).amax(dim=1)
    print(f"η {lr:<4}", *(f"{value:9.2f}" for value in kept))

# %% figure-clearing
figure, ax = plots.sheet(230)
orders = {
    "with zero_grad": (("zero", "backward", "step"), plots.BLUE, (22, 17)),
    "without zero_grad": (("backward", "step"), plots.ORANGE, (60, 17)),
}
for name_, (calls_, colour, end) in orders.items():
    excess_ = ((run(calls_, 60) @ X.T - y) ** 2).mean(dim=1) - mse(w_star)
    [line] = ax.plot(excess_, color=colour)
    line.set_gid(plots.REPLACED)
    plots.name_line(ax, name_, *end, colour, ha="right", xytext=(0, 0))
ax.set(xlabel="step", ylabel="loss − minimum", ylim=(-0.5, 18), xlim=(0, 60))
plots.finished(
    figure,
    "The loss above its minimum over 60 steps of gradient descent with step size 0.1. "
    f"With zero_grad it falls from {mse(0 * w_star) - mse(w_star):.1f} to 0 within "
    "some 20 steps. Without, it swings up and down and does not settle.",
    enhanced_by="clearing-explorer",
    data={
        "X": X.tolist(),
        "y": y.tolist(),
        "start": [0, 0],
        "rate": 0.1,
        "steps": 60,
        "minimum": mse(w_star).item(),
        "scales": [plots.scale(ax)],
    },
)

# %% cosine
lr = 0.1
omega = torch.arccos(1 - lr * eigenvalues / 2)
swing = torch.cos(50.5 * omega) / torch.cos(omega / 2)
run(("backward", "step"), 50, lr)[50], w_star + V @ (swing * c)

# %% momentum-one
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1, momentum=1.0)
for _ in range(50):
    optimizer.zero_grad()
    mse(w).backward()
    optimizer.step()
w.detach()

# %% halves
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
(mse(w, (0, 1)) / 2).backward()
(mse(w, (2, 3)) / 2).backward()
w.grad, full

# %% total
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)
total, score = 0, 0.0
print("step  loss  total")
for step in range(1, 6):
    optimizer.zero_grad()
    loss = mse(w)
    loss.backward()
    optimizer.step()
    total += loss
    score += loss.item()
    print(f"{step:4} {len(nodes(loss)):5} {len(nodes(total)):6}")
total, round(score, 4)

# %% evaluation
w.grad, checked = None, 0
for i in range(4):
    checked += mse(w, [i])
checked.backward()
len(nodes(checked)), w.grad

# %% evaluation-no-grad
with torch.no_grad():
    checked = sum(mse(w, [i]) for i in range(4))
checked

# %% epochs
torch.manual_seed(0)
w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
optimizer = optim.SGD([w], lr=0.1)
steps = 0
for epoch in range(1, 4):
    for rows in torch.randperm(4).split(2):
        optimizer.zero_grad()
        mse(w, rows).backward()
        optimizer.step()
        steps += 1
        print(epoch, steps, rows.tolist(), f"{mse(w):.3f}")

# %% five-epochs
torch.manual_seed(0)
for size in (4, 2, 1):
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.02)
    steps = 0
    for _ in range(5):
        for rows in torch.randperm(4).split(size):
            optimizer.zero_grad()
            mse(w, rows).backward()
            optimizer.step()
            steps += 1
    print(f"batch size {size}: {steps:2} steps, loss {mse(w):.2f}")

# %% answer-counting
batches = torch.arange(1000).split(32)
len(batches), len(batches[-1]), 5 * len(batches)

# %% answer-curvatures
curvatures = torch.tensor([1, 10, 100], dtype=torch.float64)
shrink = 1 - 0.015 * curvatures
shrink, shrink**100

# %% answer-best-step
trials = torch.linspace(0.01, 0.4, 391, dtype=torch.float64)
worst = (1 - trials[:, None] * eigenvalues).abs().amax(dim=1)
lengths = (descend(1 / 3, 20) - w_star).norm(dim=1)
ratios = lengths[1:] / lengths[:-1]
trials[worst.argmin()].item(), ratios[[0, 9, 19]]

# %% answer-variance
v = torch.zeros(2, dtype=torch.float64, requires_grad=True)
grad = torch.autograd.grad
each = torch.stack([grad(mse(v, [i]), v)[0] for i in range(4)])
sigma2 = ((each - full) ** 2).sum(dim=1).mean()
for size in (1, 2, 3, 4):
    choices = torch.tensor(list(combinations(range(4), size)))
    means = each[choices].mean(dim=1)
    spread = ((means - full) ** 2).sum(dim=1).mean()
    by_formula = (4 - size) / 3 * sigma2 / size
    print(size, f"{spread:.2f} {by_formula:.2f}")

# %% answer-running-mean
u = torch.zeros((), requires_grad=True)
for t, target in enumerate((3.0, 6.0, 2.0, 1.0), start=1):
    u.grad = None
    ((u - target) ** 2).backward()
    with torch.no_grad():
        u -= 1 / (2 * t) * u.grad
    print(t, f"{u:.4f}")


# %% answer-plain-sgd
class PlainSGD:
    """Gradient steps without momentum."""

    def __init__(self, parameters, lr):
        self.parameters = list(parameters)
        self.lr = lr

    def zero_grad(self):
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self):
        """Move each parameter against its gradient."""
        with torch.no_grad():
            for p in self.parameters:
                if p.grad is not None:
                    p.sub_(self.lr * p.grad)


# %% answer-plain-sgd-compared
ends = []
for kind in (optim.SGD, PlainSGD):
    torch.manual_seed(0)
    copy = nn.Linear(3, 2)
    stepper = kind(copy.parameters(), lr=0.1)
    for t in range(20):
        stepper.zero_grad()
        output = copy(torch.rand(3))
        loss_fn(output, torch.tensor(t % 2)).backward()
        stepper.step()
    ends.append(flat(copy.parameters()).tolist())
    print(*(f"{value:.4f}" for value in ends[-1]))

# %% answer-sheet-data
A = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]]).double()
target = torch.tensor([2, 4, 8]).double()
bound = 2 / torch.linalg.eigvalsh(2 * A.T @ A).max()
for share in (0.99, 1.01):
    v = torch.tensor([3, 2, 1]).double().requires_grad_()
    plain = optim.SGD([v], lr=(share * bound).item())
    for _ in range(100):
        plain.zero_grad()
        ((A @ v - target) ** 2).sum().backward()
        plain.step()
    print(share, f"{((A @ v - target) ** 2).sum():.4g}")
bound, 3 * bound
