"""Computation graphs: draw them, record them, run the chain rule through them.

The running example is ``L = p * q`` with ``p = u * v`` and ``q = p + u`` at
``u = 2, v = 3``: the value is 48 and the gradient (48, 28).
"""

from snippets import raises

# %% imports
import warnings

import torch

# %% sum
a = torch.tensor([1, 2, 3])
b = torch.tensor([4, 5, 6])
a + b

# %% figure-sum
from snippets import figures

with figures.record() as recording:
    a + b
figures.draw(recording, a=a, b=b)

# %% sum-unrecorded
print((a + b).requires_grad, (a + b).grad_fn)

# %% integer-gradient
with raises(RuntimeError, "Only Tensors of floating point"):
    torch.tensor([1, 2, 3], requires_grad=True)

# %% sum-recorded
a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
b = torch.tensor([4.0, 5.0, 6.0])
a + b


# %% fresh-graph
def fresh_graph():
    """Leaves u, v, then p = uv, q = p + u and the loss pq."""
    u = torch.tensor(2.0, requires_grad=True)
    v = torch.tensor(3.0, requires_grad=True)
    p = u * v
    q = p + u
    return u, v, p, q, p * q


u, v, p, q, loss = fresh_graph()
loss

# %% leaves
x = torch.tensor(5.0)
tensors = {"x": x, "2 * x": 2 * x, "u": u, "p": p, "loss": loss}
print("       requires_grad  is_leaf")
for name, t in tensors.items():
    print(f"{name:6} {t.requires_grad!s:14} {t.is_leaf}")

# %% grad-of-non-leaf
loss.backward()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(u.grad, v.grad, p.grad)
print(str(caught[0].message).split(" is being")[0])

# %% retain-grad
u, v, p, q, loss = fresh_graph()
p.retain_grad()
loss.backward()
p.grad


# %% show-graph
def show_graph(tensor):
    """Number the recorded operations; beside each, its sources."""
    nodes = [tensor.grad_fn]
    for node in nodes:  # the list grows while we walk it
        sources = [n for n, _ in node.next_functions if n]
        for source in sources:
            if source not in nodes:
                nodes.append(source)
        numbers = [nodes.index(source) for source in sources]
        print(nodes.index(node), type(node).__name__, numbers)


u, v, p, q, loss = fresh_graph()
show_graph(loss)

# %% too-late
with raises(RuntimeError, "does not require grad and does not have a grad_fn"):
    late = torch.tensor(3.0)
    square = late * late
    late.requires_grad_()
    square.backward()


# %% branches
def bent(x):
    """x² where x is positive, −x elsewhere."""
    return x * x if x > 0 else -x


show_graph(bent(torch.tensor(3.0, requires_grad=True)))
show_graph(bent(torch.tensor(-3.0, requires_grad=True)))

# %% figure-doubling
a_ = torch.tensor(1.0, requires_grad=True)
with figures.record() as recording:
    b_ = a_ + a_
    c_ = b_ + b_
    c_.backward()
figures.draw(recording, slopes=True, a=a_, b=b_, c=c_)

# %% doubling
a = torch.tensor(1.0, requires_grad=True)
b = a + a
c = b + b
c.backward()
a.grad


# %% figure-fan-out
with figures.record() as recording:
    graph_ = fresh_graph()
    graph_[-1].backward()
figures.draw(recording, slopes=True, **dict(zip("uvpqL", graph_, strict=True)))


# %% arrivals
def report(name):
    """A hook that prints a gradient with this name before it."""
    return lambda grad: print(name, grad.item())


graph = fresh_graph()
for name, t in zip("uvpqL", graph, strict=True):
    t.register_hook(report(name))
graph[-1].backward()


# %% nudge
def f(u, v):
    """The running example in one line."""
    return u * v * (u * v + u)


h = 0.001
by_u = (f(2 + h, 3) - f(2 - h, 3)) / (2 * h)
by_v = (f(2, 3 + h) - f(2, 3 - h)) / (2 * h)
print(f"{by_u:.6f} {by_v:.6f}")

# %% vector-backward
with raises(RuntimeError, "grad can be implicitly created only for scalar"):
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (w * w).backward()

# %% none-or-zero
w = torch.tensor(2.0, requires_grad=True)
idle = torch.tensor(7.0, requires_grad=True)
((w - 2) ** 2).backward()
print(w.grad, idle.grad)

# %% matrix-vector
A = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
x = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)
y = A @ x
y.backward(torch.tensor([1.0, 10.0]))
x.grad

# %% rows-of-the-jacobian
x = torch.tensor([1.0, 0.0, -1.0], requires_grad=True)
y = A @ x
for y_bar in torch.eye(2):
    (row,) = torch.autograd.grad(y, x, y_bar, retain_graph=True)
    print(row)

# %% broadcast
beta = torch.tensor(0.5, requires_grad=True)
r = torch.tensor([1.0, 2.0, 3.0]) + beta
r.backward(torch.tensor([1.0, 10.0, 100.0]))
beta.grad

# %% accumulation
w = torch.tensor(3.0, requires_grad=True)
(w * w).backward()
first = w.grad.item()
(w * w).backward()
print(first, w.grad.item())

# %% cleared
w.grad = None
(w * w).backward()
w.grad

# %% saved
w = torch.tensor(3.0, requires_grad=True)
loss = w * w
print(loss.grad_fn._saved_self)
loss.backward()

# %% second-backward
with raises(RuntimeError, "Trying to backward through the graph a second time"):
    loss.backward()

# %% retained
w = torch.tensor(3.0, requires_grad=True)
loss = w * w
loss.register_hook(lambda grad: print("pass"))
loss.backward(retain_graph=True)
loss.backward()
w.grad

# %% nothing-saved
w = torch.tensor(3.0, requires_grad=True)
total = w + w
total.backward()
total.backward()
w.grad

# %% penalty-outside
with raises(RuntimeError, "Trying to backward through the graph a second time"):
    w = torch.tensor(3.0, requires_grad=True)
    penalty = w * w
    for target in [1.0, 2.0]:
        loss = (w - target) ** 2 + penalty
        loss.backward()

# %% overwritten
with raises(RuntimeError, "modified by an inplace operation"):
    z = torch.tensor([0.0, 1.0], requires_grad=True)
    e = z.exp()
    e += 1
    e.sum().backward()

# %% data-is-silent
z = torch.tensor([1.0, 2.0], requires_grad=True)
cubes = (z**3).sum()
z.data.mul_(10)
cubes.backward()
z.grad

# %% in-place-leaf
with raises(RuntimeError, "a leaf Variable that requires grad is being used"):
    w = torch.tensor(3.0, requires_grad=True)
    (w * w).backward()
    w -= 0.1 * w.grad

# %% rebound
leaf = torch.tensor(3.0, requires_grad=True)
w = leaf
(w * w).backward()
w = w - 0.1 * w.grad
print(w, w.is_leaf)

# %% rebound-backward
(w * w).backward()
leaf.grad

# %% rebound-no-grad
w = torch.tensor(3.0, requires_grad=True)
(w * w).backward()
with torch.no_grad():
    w = w - 0.1 * w.grad
w

# %% update
w = torch.tensor(3.0, requires_grad=True)
(w * w).backward()
with torch.no_grad():
    w -= 0.1 * w.grad
w

# %% detach-shares
w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
d = w.detach()
c = w.detach().clone()
d[0] = 100
print(w)
print(c)

# %% detached-factor
w = torch.tensor(3.0, requires_grad=True)
(w * w.detach()).backward()
w.grad

# %% figure-detach
w_ = torch.tensor(3.0, requires_grad=True)
with figures.record() as recording:
    d_ = w_.detach()
    product = w_ * d_
    product.backward()
figures.draw(recording, w=w_, d=d_, L=product)

# %% no-grad
with torch.no_grad():
    y = w * w
print(y, w.requires_grad)

# %% to-numpy
with raises(RuntimeError, "Can't call numpy() on Tensor that requires grad"):
    w.numpy()

# %% answer-leaves
w1 = torch.ones(2, requires_grad=True)
x1 = torch.ones(2)
scaled = torch.ones(2, requires_grad=True) * 0.1
examples = {
    "w": w1,
    "x + 1": x1 + 1,
    "w + x": w1 + x1,
    "(w + x).detach()": (w1 + x1).detach(),
    "ones * 0.1": scaled,
    "w.double()": w1.double(),
}
for name, t in examples.items():
    print(f"{name:17}{t.requires_grad!s:6} {t.is_leaf}")

# %% answer-outcome
from textwrap import shorten


def outcome(script):
    """Run a script with w = (1, 1, 1) and say how it ends."""
    w = torch.ones(3, requires_grad=True)
    try:
        exec(script, {"torch": torch, "w": w})
        return "runs"
    except RuntimeError as error:
        return shorten(str(error), 60, placeholder=" …")


# %% answer-five-scripts
print(outcome("torch.arange(3).requires_grad_()"))
print(outcome("(2 * w).backward()"))
print(outcome("y = w.sum(); y.backward(); y.backward()"))
print(outcome("y = w.exp(); y *= 2; y.sum().backward()"))
print(outcome("y = w.detach().sum(); y.backward()"))

# %% answer-exponential
x2 = torch.tensor(2.0, requires_grad=True)
y2 = torch.tensor(0.0, requires_grad=True)
loss2 = x2 * (x2 * y2).exp()
loss2.backward()
print(loss2.item(), x2.grad.item(), y2.grad.item())

# %% answer-quadratic-form
M = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
x3 = torch.tensor([1.0, -1.0], requires_grad=True)
form = x3 @ (M @ x3)
form.backward()
print(form.item(), x3.grad)
print(M.grad)

# %% answer-moving-target
w4 = torch.tensor(3.0, requires_grad=True)
((w4 - 2 * w4) ** 2).backward()
honest = w4.grad.item()
w4.grad = None
((w4 - (2 * w4).detach()) ** 2).backward()
print(honest, w4.grad.item())


# %% answer-reached
def reached(tensor):
    """The leaves that a backward pass from here would reach."""
    leaves, nodes = [], [tensor.grad_fn]
    for node in nodes:
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        for source, _ in node.next_functions:
            if source and source not in nodes:
                nodes.append(source)
    return leaves


u6, v6, w6 = (torch.tensor(1.0, requires_grad=True) for _ in "uvw")
loss6 = u6 * v6.detach() + (u6 + w6).exp()
for name, t in {"u": u6, "v": v6, "w": w6}.items():
    print(name, any(t is leaf for leaf in reached(loss6)))


# %% answer-descend
def descend(rate, rounds):
    """w after each round on (w - 3)² from 0."""
    w, path = torch.tensor(0.0, dtype=torch.float64, requires_grad=True), []
    for _ in range(rounds):
        w.grad = None
        ((w - 3) ** 2).backward()
        with torch.no_grad():
            w -= rate * w.grad
        path.append(w.item())
    return path


for t, w_t in enumerate(descend(0.1, 5), 1):
    print(t, round(w_t, 6), round(3 * (1 - 0.8**t), 6))
