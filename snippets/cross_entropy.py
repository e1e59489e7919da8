"""Cross-entropy: softmax, log-sum-exp, p − onehot, and what float32 keeps of it."""

from snippets import raises

# %% imports
import math
from decimal import Decimal

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.functional import hessian, jacobian

# %% forecast
q = torch.tensor([0.5, 0.25, 0.125, 0.125])
p = torch.tensor([0.125, 0.5, 0.25, 0.125])
u = torch.full((4,), 0.25)
entropy = -(q * q.log()).sum()
cross_p = -(q * p.log()).sum()
cross_u = -(q * u.log()).sum()
entropy, cross_p, cross_u

# %% zero-times-infinity
rain = torch.tensor([0.0, 0.0, 1.0, 0.0])
no_snow = torch.tensor([0.25, 0.25, 0.5, 0.0])
rain * no_snow.log(), torch.xlogy(rain, no_snow)

# %% softmax
s = torch.tensor([0.0, 0.0, math.log(2)])
torch.softmax(s, dim=0)

# %% softmax-shift-and-scale
torch.softmax(s + 100, dim=0), torch.softmax(2 * s, dim=0)

# %% figure-softmax
from snippets.figures import plots

figure, (left, right) = plots.sheet(190, 1, 2)
for ax, heights, colour in (
    (left, s, plots.BLUE),
    (right, torch.softmax(s, dim=0), plots.ORANGE),
):
    ax.bar(range(3), heights.tolist(), width=0.7, color=colour)
    for bar in ax.patches:
        bar.set_gid(plots.REPLACED)
    ax.axhline(0, color=plots.LINE, linewidth=0.8)
    ax.set(xticks=range(3), xlim=(-0.6, 2.6), xlabel="class")
left.set(title="score s", ylim=(-3.5, 4))
right.set(title="probability p", ylim=(0, 1.02))
plots.finished(
    figure,
    f"Two bar charts of three classes: the scores {s.tolist()} on the left, and on the "
    f"right their softmax {torch.softmax(s, dim=0).tolist()}.",
    enhanced_by="softmax-explorer",
    data={"scores": s.tolist(), "scales": [plots.scale(left), plots.scale(right)]},
)

# %% wrong-dim
S = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]])
over_classes = torch.softmax(S, dim=1)
over_examples = torch.softmax(S, dim=0)
over_classes.sum(dim=1), over_examples.sum(dim=1)

# %% no-dim
with raises(TypeError, 'missing 1 required positional arguments: "dim"'):
    torch.softmax(S)

# %% overflow
big = torch.tensor([1000.0, 1001.0, 1002.0])
big.exp() / big.exp().sum(), big.exp().sum().log()


# %% log-sum-exp
def logsumexp(s):
    """The logarithm of the sum of exponentials of a vector."""
    m = s.max()
    return m + (s - m).exp().sum().log()


logsumexp(big)

# %% log-sum-exp-in-torch
torch.logsumexp(big, dim=0), torch.softmax(big, dim=0)

# %% underflow
far = torch.tensor([0.0, 200.0])
torch.softmax(far, dim=0).log(), torch.log_softmax(far, dim=0)

# %% subtract-do-not-add
level = torch.tensor([1e8, 1e8])
first_route = level[0] - torch.logsumexp(level, dim=0)
second_route = torch.log_softmax(level, dim=0)[0]
first_route, second_route

# %% log-sum-exp-gradient
s = torch.tensor([0.0, 0.0, math.log(2)], requires_grad=True)
torch.logsumexp(s, dim=0).backward()
s.grad

# %% scores
x = torch.tensor([1.0, 2.0, 3.0])
rows = [[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
W = torch.tensor(rows, requires_grad=True)
scores = W @ x
scores

# %% two-labels
ce = nn.CrossEntropyLoss(reduction="sum")
loss = ce(scores, torch.tensor(1))
loss_0 = ce(scores, torch.tensor(0))
loss, loss_0

# %% label-minus-one
with raises(IndexError, "Target -1 is out of bounds"):
    ce(scores, torch.tensor(-1))

# %% from-signs
signs = torch.tensor([1, -1, -1, 1])
(signs + 1) // 2

# %% index-or-distribution
labels = torch.tensor([0, 2])
onehot = F.one_hot(labels, num_classes=3)
ce(S, labels), ce(S, onehot.float()), ce(p.log(), q)

# %% integer-one-hot
with raises(RuntimeError, "Expected floating point type for target"):
    ce(S, onehot)

# %% exact
delta = math.exp(-18)
exact = math.log1p(delta)
exact, (1 + (-Decimal(18)).exp()).ln()

# %% spacing
near_50 = np.spacing(np.float32(50)).item()
near_1 = np.spacing(np.float32(1)).item()
near_50, near_1

# %% not-the-fifty
low = torch.tensor([0.0, 18.0])
closer = torch.tensor([32.0, 48.0])
ce(low, torch.tensor(1)), ce(closer, torch.tensor(1))

# %% float64
loss64 = ce(scores.double(), torch.tensor(1)).item()
loss64, math.log(1 + delta)

# %% difference-first
F.softplus(scores[0] - scores[1])

# %% gradient-of-printed-zero
torch.autograd.grad(loss, scores)

# %% figure-fan-out
from snippets import figures

W_leaf = torch.tensor([[2.0, -1.0], [0.0, 0.0], [math.log(2), 0.0]])
W_leaf.requires_grad_()
x_leaf = torch.tensor([1.0, 2.0])
with figures.record() as recording:
    s_ = W_leaf @ x_leaf
    lse = torch.logsumexp(s_, dim=0)
    s_y = s_[2]
    L = lse - s_y
    L.backward()
figures.draw(recording, W=W_leaf, x=x_leaf, s=s_, l=lse, s_y=s_y, L=L)

# %% batch-loss
X = torch.tensor([[1, 2], [-1, 0.5], [0, 1], [2, -1]]).double()
y = torch.tensor([0, 2, 1, 0])
weight = torch.tensor([[0.5, -1], [0, 1], [1, 0.5]]).double()
weight.requires_grad_()
Z = X @ weight.T
Z.retain_grad()
batch_loss = F.cross_entropy(Z, y, reduction="sum")
batch_loss.backward()
Z.grad

# %% p-minus-onehot
P = torch.softmax(Z.detach(), dim=1)
Y = F.one_hot(y, num_classes=3)
P - Y

# %% weight-gradient
weight.grad, (P - Y).T @ X

# %% softmax-twice
probs = torch.softmax(scores.double(), dim=0)
wrong = ce(probs, torch.tensor(0)), ce(probs, torch.tensor(1))
[round(value.item(), 4) for value in wrong]

# %% softmax-twice-gradient
right_gradient = torch.autograd.grad(loss_0, scores)[0]
wrong_gradient = torch.autograd.grad(wrong[0], scores)[0]
right_gradient, wrong_gradient

# %% difference-in-numpy
s_np = np.array(rows) @ np.array([1.0, 2.0, 3.0])
by_hand = math.log(1 + math.exp(s_np[1] - s_np[0]))
s_np, by_hand

# %% one-vector
w = W[1] - W[0]
t = torch.tensor(0.0)
w, F.binary_cross_entropy_with_logits(w @ x, t)

# %% shared-shift
shifted = W - W[0]
shifted, ce(shifted @ x, torch.tensor(0))

# %% mirrored-rows
ce(W @ x, torch.tensor(0)).backward()
W.grad

# %% answer-undecided
ten_zeros = torch.zeros(10)
ce(ten_zeros, torch.tensor(7)), ce(ten_zeros + 50, torch.tensor(2))

# %% answer-targets
candidates = {
    "a": torch.tensor([0, 2, 1, 0]),
    "b": torch.tensor([1, 3, 2, 1]),
    "c": F.one_hot(torch.tensor([0, 2, 1, 0])).double(),
    "d": torch.tensor([[0], [2], [1], [0]]),
    "e": torch.tensor([0.0, 2.0, 1.0, 0.0]),
}
for key, target in candidates.items():
    try:
        print(key, f"{F.cross_entropy(Z, target).item():.4f}")
    except (IndexError, RuntimeError) as error:
        print(key, error)

# %% answer-entropy
fair = torch.full((3,), 1 / 3)
loaded = torch.tensor([0.5, 0.25, 0.25])
bits = [-(r * r.log2()).sum() for r in (fair, loaded)]
bits

# %% answer-jacobian
z = torch.tensor([0.0, 0.0, math.log(2)], dtype=torch.float64)
r = torch.softmax(z, dim=0)
J = jacobian(lambda v: torch.softmax(v, dim=0), z)
upstream = torch.tensor([0.0, -1.0, 0.0]) / r
J, J.T @ upstream

# %% answer-hessian
z = torch.tensor([0.0, 0.0, math.log(2)], dtype=torch.float64)
r = torch.softmax(z, dim=0)
H = hessian(lambda v: torch.logsumexp(v, dim=0), z)
v = torch.tensor([1.0, -1.0, 3.0], dtype=torch.float64)
variance = (r * v**2).sum() - (r * v).sum() ** 2
torch.stack([v @ H @ v, variance])


# %% answer-batch
def batch_cross_entropy(scores, labels):
    """Mean loss of scores (n, k) and labels (n)."""
    top = scores.max(dim=1, keepdim=True).values
    shifted = scores - top
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -log_p[torch.arange(len(labels)), labels].mean()


hot = 1000 * Z.detach()
batch_cross_entropy(hot, y), F.cross_entropy(hot, y)

# %% answer-threshold
for gap in (16.0, 16.6, 16.7, 18.0):
    pair = torch.tensor([0.0, gap])
    printed = ce(pair, torch.tensor(1)).item()
    true = math.log1p(math.exp(-gap))
    print(f"{gap}  {printed:.4e}  {true:.4e}")


# %% answer-speed
def train(X, labels, rate, steps):
    """After steps from zero: W (2, d), and w (d) at twice the rate."""
    d = X.shape[1]
    two = torch.zeros(2, d, dtype=X.dtype, requires_grad=True)
    one = torch.zeros(d, dtype=X.dtype, requires_grad=True)
    signs = 2 * labels - 1
    for _ in range(steps):
        loss_two = F.cross_entropy(X @ two.T, labels, reduction="sum")
        loss_one = F.softplus(-signs * (X @ one)).sum()
        (g_two,) = torch.autograd.grad(loss_two, two)
        (g_one,) = torch.autograd.grad(loss_one, one)
        with torch.no_grad():
            two -= rate * g_two
            one -= 2 * rate * g_one
    return two.detach(), one.detach()


train(X, torch.tensor([1, 0, 1, 1]), 0.1, 5)
