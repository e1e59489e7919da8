"""Logistic regression: eight students, two features, log loss and its gradient.

Student i has the row x_i = (1, problem sheets handed in, mock exams sat) of X and the
label y_i: +1 passed, -1 failed. No line separates the two classes.
"""

from snippets import raises

# %% imports
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.functional import hessian

# %% data
sheets_and_mocks = torch.tensor(
    [[1, 0], [0, 1], [1, 3], [4, 3], [2, 2], [2, 4], [3, 3], [4, 1]],
    dtype=torch.float64,
)
y = torch.tensor([-1, -1, -1, -1, 1, 1, 1, 1], dtype=torch.float64)
X = torch.column_stack([torch.ones_like(y), sheets_and_mocks])
X.shape, y.shape

# %% odds-table
print(" logit    odds  probability")
for logit in torch.tensor([-4.0, -1.0, 0.0, 0.25, 1.0, 4.0]):
    print(f"{logit:6.2f} {logit.exp():7.3f} {logit.sigmoid():12.3f}")

# %% logits
w = torch.tensor([-2.75, 1.0, 0.5], dtype=torch.float64)
s = X @ w
p = torch.sigmoid(s)
print(s.tolist())
print(p.round(decimals=3).tolist())

# %% thresholds
print((p > 0.5).int())
print((s > 0.5).int())
print((s > 0).int())

# %% margins
m = y * s
torch.sigmoid(m).round(decimals=3).tolist()

# %% zero-one-labels
t = (1 + y) / 2
t


# %% log-loss
def log_loss(w):
    """Sum of log(1 + exp(-margin)) over the students, a scalar."""
    return torch.log(1 + torch.exp(-y * (X @ w))).sum()


log_loss(w)

# %% loss-at-zero
w_zero = torch.zeros(3, dtype=torch.float64, requires_grad=True)
loss_zero = log_loss(w_zero)
loss_zero.backward()
print(f"{loss_zero:.6f}")
print(w_zero.grad)

# %% three-names
print(nn.SoftMarginLoss(reduction="sum")(s, y))
print(nn.BCEWithLogitsLoss(reduction="sum")(s, t))
print(nn.BCELoss(reduction="sum")(p, t))

# %% both-sides
passed = (y == 1).double()
left = passed * -torch.log(p) + (1 - passed) * -torch.log(1 - p)
right = -torch.log(torch.sigmoid(m))
print(left.round(decimals=3).tolist())
print(right.round(decimals=3).tolist())

# %% answer-direction
q_both = torch.stack([t, 1 - t])
p_both = torch.stack([p, 1 - p])
print(torch.sum(q_both * -torch.log(p_both)))
print(torch.sum(p_both * -torch.log(q_both)))

# %% one-student
w_3 = w.clone().requires_grad_()
s_3 = X[2] @ w_3
m_3 = y[2] * s_3
o_3 = torch.exp(-m_3)
a_3 = 1 + o_3
loss_3 = torch.log(a_3)
for vertex in (s_3, m_3, o_3, a_3, loss_3):
    vertex.retain_grad()
loss_3.backward()
w_3.grad

# %% figure-one-student
from snippets import figures

x_leaf, y_leaf, w_leaf_ = X[2], y[2], w.clone().requires_grad_()
with figures.record() as recording:
    s_3_ = x_leaf @ w_leaf_
    m_3_ = y_leaf * s_3_
    n_3 = -m_3_
    o_3_ = torch.exp(n_3)
    a_3_ = 1 + o_3_
    loss_3_ = torch.log(a_3_)
    loss_3_.backward()
inputs = {"x": x_leaf, "w": w_leaf_, "y": y_leaf}
figures.draw(
    recording, **inputs, s=s_3_, m=m_3_, n=n_3, o=o_3_, a=a_3_, **{"ℓ": loss_3_}
)

# %% gradient-autograd
w_leaf = w.clone().requires_grad_()
log_loss(w_leaf).backward()
w_leaf.grad

# %% gradient-formula
print(-X.T @ (y * torch.sigmoid(-m)))
print(X.T @ (p - t))

# %% gradient-differences
h = 1e-5
steps = h * torch.eye(3, dtype=torch.float64)
changes = [log_loss(w + u) - log_loss(w - u) for u in steps]
differences = torch.stack(changes) / (2 * h)
differences

# %% pull
torch.sigmoid(-m).round(decimals=3).tolist()


# %% figure-boundary
from snippets.figures import plots

lowest = torch.zeros(3, dtype=torch.float64)
for _ in range(6):
    slope_ = X.T @ (torch.sigmoid(X @ lowest) - t)
    lowest = lowest - torch.linalg.solve(hessian(log_loss, lowest), slope_)
across = torch.tensor([-0.5, 4.8], dtype=torch.float64)
figure, ax = plots.sheet(270)
groups = {1.0: (plots.BLUE, "o"), -1.0: (plots.ORANGE, "s")}
for label, (colour, sign) in groups.items():
    ax.scatter(*sheets_and_mocks[y == label].T, s=230, color=colour, marker=sign)
for number, place in enumerate(sheets_and_mocks.tolist(), 1):
    ax.annotate(str(number), place, color="#ffffff", ha="center", va="center_baseline")
for weights, dashes in ((w, "-"), (lowest, (0, (4, 2)))):
    ax.plot(
        across, -(weights[0] + weights[1] * across) / weights[2], plots.INK, ls=dashes
    )
plots.name_line(ax, "■ failed", -0.3, 4.3, plots.ORANGE, xytext=(-8, 0))
plots.name_line(ax, "● passed", 3.9, 4.3, plots.BLUE, xytext=(0, 0))
ax.set(xlabel="problem sheets handed in", ylabel="mock exams sat")
ax.set(xlim=(-0.5, 4.8), ylim=(-0.5, 4.6), xticks=range(5), yticks=range(5))
wrong_ = {
    name: [i for i, m_i in enumerate((y * (X @ v)).tolist(), 1) if m_i < 0]
    for name, v in {"solid": w, "dashed": lowest}.items()
}
plots.finished(
    figure,
    "Eight numbered students in the plane of problem sheets handed in and mock exams "
    "sat. Failed are 1 at (1, 0), 2 at (0, 1), 3 at (1, 3) and 4 at (4, 3). Passed "
    "are 5 at (2, 2), 6 at (2, 4), 7 at (3, 3) and 8 at (4, 1). On the wrong side of "
    f"the solid boundary of w: {wrong_['solid']}; of the dashed one, further to the "
    f"right: {wrong_['dashed']}.",
)


# %% scale
def accuracy(w):
    """Share of students whose margin is positive."""
    return (y * (X @ w) > 0).double().mean()


for c in (0.1, 1.0, 10.0):
    print(f"{c:4.1f}  {accuracy(c * w):.3f}  {log_loss(c * w):7.3f}")

# %% hessian
H = hessian(log_loss, w)
print(H)
print(X.T @ ((p * (1 - p))[:, None] * X))
print(torch.linalg.eigvalsh(H))


# %% newton-step
def newton_step(w, X, t):
    """The lowest point of the quadratic fitted at w."""
    p = torch.sigmoid(X @ w)
    H = X.T @ ((p * (1 - p))[:, None] * X)
    return w - torch.linalg.solve(H, X.T @ (p - t))


# %% newton
best = torch.zeros(3, dtype=torch.float64)
for step in range(5):
    slope = X.T @ (torch.sigmoid(X @ best) - t)
    print(f"{step}  {log_loss(best):.6f}  {slope.norm():.1e}")
    best = newton_step(best, X, t)
best

# %% accuracy-against-loss
for v in (w, best):
    print(f"{accuracy(v):.3f}  {log_loss(v):.3f}")

# %% accuracy-backward
with raises(RuntimeError, "does not require grad"):
    accuracy(w_leaf).backward()

# %% squared-slopes
z = torch.tensor([-1.0, -2.0, -4.0, -8.0], requires_grad=True)
squares = (torch.sigmoid(z) - 1) ** 2
slopes_log = torch.autograd.grad(F.softplus(-z).sum(), z)[0]
slopes_squared = torch.autograd.grad(squares.sum(), z)[0]
print(slopes_log)
print(slopes_squared)

# %% figure-losses
from snippets.figures import plots

margins_ = torch.linspace(-4, 4, 161, dtype=torch.float64)
curves = {
    "log loss": (F.softplus(-margins_), plots.BLUE, "-"),
    "hinge": (F.relu(1 - margins_), plots.GREEN, (0, (5, 2))),
    "squared error of p": ((1 - margins_.sigmoid()) ** 2, plots.ORANGE, (0, (2, 1))),
    "wrong decision": ((margins_ <= 0).double(), plots.MUTED, (0, (1, 1))),
}
figure, ax = plots.sheet(250)
for loss, colour, dashes in curves.values():
    ax.plot(margins_, loss, color=colour, linestyle=dashes)
plots.name_line(ax, "hinge", -3.0, 4.0, plots.GREEN, xytext=(8, 4))
plots.name_line(ax, "log loss", -3.95, 2.4, plots.BLUE, xytext=(0, 0))
plots.name_line(ax, "wrong decision", -3.95, 1.22, plots.MUTED, xytext=(0, 0))
plots.name_line(ax, "squared error of p", -3.95, 0.15, plots.ORANGE, xytext=(0, 0))
ax.set(xlabel="margin m (logits)", ylabel="loss of one student", ylim=(-0.1, 5.1))
plots.finished(
    figure,
    "Four losses over the margin from −4 to 4. The log loss falls steadily from "
    f"{F.softplus(margins_.new_tensor(4.0)):.2f} towards 0 and bends upwards "
    "everywhere. The hinge falls in a straight line from 5 to 0 at margin 1 and stays "
    "there. The squared error of the probability is flat near 1 for very negative "
    "margins, falls around 0 and is flat near 0. The count of wrong decisions is 1 "
    "left of margin 0 and 0 right of it.",
    enhanced_by="margin-explorer",
    data={"scales": [plots.scale(ax)]},
)

# %% overflow
w_large = (1000 * w).requires_grad_()
loss_large = log_loss(w_large)
loss_large.backward()
print(loss_large.item(), w_large.grad)

# %% vanish
twenty = torch.tensor(20.0)
print(torch.log(1 + torch.exp(-twenty)))
print(torch.log1p(torch.exp(-twenty)))


# %% stable
def stable_log_loss(w):
    """The log loss without an exponential that can overflow."""
    return -F.logsigmoid(y * (X @ w)).sum()


w_large.grad = None
loss_large = stable_log_loss(w_large)
loss_large.backward()
print(loss_large.item(), w_large.grad)

# %% three-names-again
wrong = torch.tensor([-1000.0], requires_grad=True)
soft_margin = nn.SoftMarginLoss()(wrong, torch.tensor([1.0]))
with_logits = nn.BCEWithLogitsLoss()(wrong, torch.tensor([1.0]))
print(soft_margin.item(), torch.autograd.grad(soft_margin, wrong)[0])
print(with_logits.item(), torch.autograd.grad(with_logits, wrong)[0])

# %% clamped
score = torch.tensor([20.0], requires_grad=True)
failed = torch.tensor([0.0])
in_two = nn.BCELoss()(torch.sigmoid(score), failed)
in_one = nn.BCEWithLogitsLoss()(score, failed)
print(in_two.item(), torch.autograd.grad(in_two, score)[0])
print(in_one.item(), torch.autograd.grad(in_one, score)[0])

# %% logits-as-probabilities
with raises(RuntimeError, "between 0 and 1"):
    nn.BCELoss()(s, t)

# %% sigmoid-twice
scores = torch.tensor([4.0, -4.0, -4.0], requires_grad=True)
targets = torch.tensor([1.0, 0.0, 1.0])
each = nn.BCEWithLogitsLoss(reduction="none")
once = each(scores, targets)
twice = each(torch.sigmoid(scores), targets)
pull_once = torch.autograd.grad(once.sum(), scores)[0]
pull_twice = torch.autograd.grad(twice.sum(), scores)[0]
for row in (once, pull_once, twice, pull_twice):
    print(row.detach())

# %% answer-odds
probability = torch.tensor([0.5, 0.8, 0.9], dtype=torch.float64)
print(probability / (1 - probability))
print(torch.logit(probability))
print(torch.exp(best[1]))

# %% answer-ninth
w_ninth = w.clone().requires_grad_()
x_ninth = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64)
loss_ninth = -F.logsigmoid(-(x_ninth @ w_ninth))
loss_ninth.backward()
print(f"{loss_ninth:.4f}")
print(w_ninth.grad)

# %% answer-soft-label
soft = torch.tensor(0.8, dtype=torch.float64)
for z_soft in torch.logit(soft) + torch.tensor([-1.0, 0.0, 1.0]):
    loss_soft = F.softplus(z_soft) - soft * z_soft
    print(f"{z_soft:6.3f}  {loss_soft:.4f}")
print(nn.BCEWithLogitsLoss()(torch.logit(soft), soft))

# %% answer-separable
others = torch.cat([m[:3], m[4:]])
for c in (1, 10, 100):
    print(f"{c:4d}  {-F.logsigmoid(c * others).sum():.3e}")


# %% answer-far
def fit(X, y):
    """The weights of the least-squares fit of the labels y."""
    return torch.linalg.lstsq(X, y).solution


far = torch.tensor([[1.0, 10.0, 10.0]], dtype=torch.float64)
X_far = torch.cat([X, far])
y_far = torch.cat([y, torch.ones(1, dtype=torch.float64)])
line = fit(X, y)
line_far = fit(X_far, y_far)
print((y * (X @ line)).round(decimals=3).tolist())
print((y_far * (X_far @ line_far)).round(decimals=3).tolist())

# %% answer-far-logistic
best_far = best
for _ in range(5):
    best_far = newton_step(best_far, X_far, (1 + y_far) / 2)
print(best)
print(best_far)


# %% answer-kink
def by_hand(m):
    """Log loss of each margin, written out."""
    return torch.clamp(-m, min=0) + torch.log1p(torch.exp(-m.abs()))


def by_logaddexp(m):
    """The same as log(exp(0) + exp(-m))."""
    return torch.logaddexp(torch.zeros_like(m), -m)


margins = torch.tensor([-1000.0, -1.0, 0.0, 1.0], requires_grad=True)
for function in (by_hand, by_logaddexp):
    print(function(margins).detach())
    print(torch.autograd.grad(function(margins).sum(), margins)[0])

# %% answer-wrong-labels
total = nn.BCEWithLogitsLoss(reduction="sum")


def both_losses(s, y):
    """Summed loss of the scores s: with labels ±1, and with 0 and 1."""
    return total(s, y), total(s, (1 + y) / 2)


for c in (1, 10, 100):
    s_c = c * (X @ best)
    with_y, with_t = both_losses(s_c, y)
    print(f"{c:4d}  {with_y:8.3f}  {with_t:8.3f}")
