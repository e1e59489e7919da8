"""The equations of stochastic gradient descent: steps, step sizes, minibatches."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F

from snippets.checks import (
    Family,
    Index,
    Quantity,
    autograd,
    check,
    differences,
    given,
    hessian,
    setting,
    unchecked,
)

EIGENVALUES = r"\lambda"
LARGEST, SMALLEST = r"\lambdamax", r"\lambda_\min"


def mse(X, y):
    """The mean squared error as a function of the weights."""
    return lambda w: F.mse_loss(X @ w, y)


def descend(losses, start, rates, *, clear=True):
    """The iterates of ``optim.SGD``, with a loss and a step size for each step.

    With each goes what stands in ``.grad`` when the step is made.
    """
    w = start.detach().clone().requires_grad_()
    optimizer = torch.optim.SGD([w])
    path, used = [w.detach().clone()], []
    for loss, rate in zip(losses, rates, strict=True):
        optimizer.param_groups[0]["lr"] = float(rate)
        if clear:
            optimizer.zero_grad()
        loss(w).backward()
        used.append(w.grad.clone())
        optimizer.step()
        path.append(w.detach().clone())
    return path, used


def regression(draw):
    """Any data with linearly independent columns."""
    d = draw.size(2, 3)
    n = d + draw.integer(1, 2)
    X, y = draw.normal(n, d).detach(), draw.normal(n).detach()
    draw.require(torch.linalg.svdvals(X).min() > 0.1)
    return X, y


def least_squares(X, y):
    """The minimum, from LAPACK."""
    return torch.linalg.lstsq(X.detach(), y.detach()[:, None]).solution[:, 0]


def best_rate(H):
    """The step size with the smallest factor: an interval around it shrinks."""
    eye = torch.eye(len(H), dtype=torch.float64)
    low, high = 0.0, 2 / float(torch.linalg.matrix_norm(H, 2))
    for _ in range(23):  # a fifth is left each time, and (1/5)^23 is about 1e-16
        rates = torch.linspace(low, high, 11, dtype=torch.float64)
        factors = torch.linalg.matrix_norm(eye - rates[:, None, None] * H, 2)
        best = int(factors.argmin().clamp(1, 9))
        low, high = float(rates[best - 1]), float(rates[best + 1])
    return rates[best], factors[best]


# Settings


@setting("gradient-descent")
def one_move(draw):
    """Any data and weights, a move h, and a step size around the bound."""
    X, y = regression(draw)
    n, d = X.shape
    w, loss = draw.normal(d), mse(X, y)
    H = hessian(loss, w)
    return {
        **{"n": n, "d": d, "X": X, "y": y, "w": w, "h": draw.normal(d)},
        **{"r": -(y - X @ w), "L": Quantity(loss), "g": autograd(loss, w), "H": H},
        r"\eta": 2 * draw.positive() / torch.linalg.matrix_norm(H, 2),
    }


@setting("gradient-descent")
def iterates(draw):
    """Four steps of ``optim.SGD``."""
    X, y = regression(draw)
    loss = mse(X, y)
    curvature = hessian(loss, torch.zeros(X.shape[1]).double())
    eta = 2 * draw.positive().detach() / torch.linalg.matrix_norm(curvature, 2)
    path, _ = descend([loss] * 4, draw.normal(X.shape[1]), [eta] * 4)
    return {
        **{"t": Index(4, start=0), "X": X, "y": y, "w": Family(path, start=0)},
        **{"L": Quantity(loss), r"\eta": eta},
    }


@setting("stability", "stochastic-gradient-descent")
def errors(draw):
    """Steps below or above the bound, the errors, and their coordinates."""
    X, y = regression(draw)
    n, d = X.shape
    loss, best = mse(X, y), least_squares(X, y)
    H = hessian(loss, best)
    eigenvalues, V = torch.linalg.eigh(H)
    eta = 2 * draw.positive().detach() / eigenvalues[-1]
    path, _ = descend([loss] * 4, draw.normal(d), [eta] * 4)
    e = [w - best for w in path]
    return {
        **{"n": n, "d": d, "t": Index(4, start=0), "j": Index(d), r"\eta": eta},
        **{"X": X, "L": Quantity(loss), "w": Family(path, start=0), "w^*": best},
        **{"e": Family(e, start=0), "c": Family([V.T @ x for x in e], start=0)},
        **{"H": H, "V": V, "I": torch.eye(d), LARGEST: eigenvalues[-1]},
        EIGENVALUES: Family(eigenvalues),
    }


@setting("stability")
def components(draw):
    """The same; a coordinate has the number j and the step t as its indices."""
    symbols = errors.function(draw)
    rows = torch.stack(symbols["c"].members, dim=1)
    return {**symbols, "c": rows, "first": 0}


@setting("stability")
def around_the_bound(draw):
    """A step size on either side of the bound."""
    X, y = regression(draw)
    H = hessian(mse(X, y), torch.zeros(X.shape[1]).double())
    eigenvalues = torch.linalg.eigvalsh(H)
    scale = 2 * draw.positive()
    draw.require(abs(scale - 2) > 0.01)
    return {
        **{"j": Index(len(H)), "H": H, r"\eta": scale / eigenvalues[-1]},
        **{EIGENVALUES: Family(eigenvalues), LARGEST: eigenvalues[-1]},
    }


@setting("unbiased-minibatch", "ex-stochastic-gradient-descent-variance")
def minibatches(draw):
    """All sets of m different examples, each as probable as any other."""
    n, d = draw.size(2, 4), draw.size(2, 3)
    m = draw.integer(1, n)
    X, y, w = draw.normal(n, d), draw.normal(n), draw.normal(d)

    def single(i, w):
        """The loss of example i."""
        return (torch.dot(X[int(i) - 1], w) - y[int(i) - 1]) ** 2

    def batch(members):
        """What depends on the drawn set: the set, its loss, who is in it."""
        rows = [i - 1 for i in members]
        drawn = torch.zeros(n).double().index_fill(0, torch.tensor(rows), 1)
        loss = Quantity(mse(X[rows], y[rows]), "w")
        return {"B": frozenset(members), "L_B": loss, r"\xi": drawn}

    batches = list(itertools.combinations(range(1, n + 1), m))
    # The loss of example i depends on row i alone, so one pass gives all gradients.
    rows = w.detach().repeat(n, 1)
    gradients = autograd(lambda rows: (((X * rows).sum(dim=1) - y) ** 2).sum(), rows)
    mean = gradients.mean(dim=0)
    return {
        **{"n": n, "m": m, "i": Index(n), "j": Index(n), "X": X, "x": Family(X)},
        **{"y": y, "w": w, r"\grad": "w", "L": Quantity(mse(X, y), "w")},
        **{r"\ell": single, r"\E": [(1 / len(batches), batch(b)) for b in batches]},
        **batch(batches[draw.integer(0, len(batches) - 1)]),
        **{"g": Family(gradients, alone=mean), "a": Family(gradients - mean)},
        r"\sigma": torch.sqrt(gradients.var(dim=0, correction=0).sum()),
    }


@setting("step-size")
def two_classes(draw):
    """A linear layer, one example, and a change of the parameters of length 1.

    In every other draw they are such that all the bounds are reached or nearly so.
    """
    W, b, move = draw.normal(2, 3), draw.normal(2), draw.normal(8)
    x, eta = torch.sigmoid(draw.normal(3)).detach(), draw.positive()
    if draw.integer(0, 1):
        W, b, x = torch.zeros_like(W), torch.zeros_like(b), torch.ones_like(x)
        move, eta = torch.tensor([1.0, 1, 1, -1, -1, -1, 1, -1]).double(), eta / 10
    draw.require(move.abs().max() > 0)
    theta, move = torch.cat([W.flatten(), b]), move / torch.linalg.vector_norm(move)

    def scores(theta):
        return F.linear(x, theta[:6].reshape(2, 3), theta[6:])

    target = torch.tensor(draw.integer(0, 1))

    def loss(theta):
        return F.cross_entropy(scores(theta), target)

    return {
        **{"x": x, "p": Family(torch.softmax(scores(theta), 0), start=0)},
        **{r"\Delta W": move[:6].reshape(2, 3), r"\Delta b": move[6:]},
        r"\Delta s": scores(theta + move) - scores(theta),
        **{r"\theta": theta, r"\ell": loss, "g": autograd(loss, theta), r"\eta": eta},
    }


@setting("forgetting-zero-grad")
def accumulated(draw):
    """A new example in each step, and no ``zero_grad``."""
    d = draw.size()
    data = [(draw.normal(1, d).detach(), draw.normal(1).detach()) for _ in range(4)]
    losses = [mse(X, y) for X, y in data]
    path, used = descend(losses, draw.normal(d), [0.1] * 4, clear=False)
    own = [autograd(loss, w) for loss, w in zip(losses, path, strict=False)]
    nothing = torch.zeros(d).double()
    return {
        **{"t": Index(4), "g": Family(own), "G": Family([nothing, *used], start=0)},
        **{"losses": losses, "path": path},
    }


@setting("forgetting-zero-grad")
def frictionless(draw):
    """Descent on all examples without ``zero_grad``, and one component of it."""
    X, y = regression(draw)
    loss, best = mse(X, y), least_squares(X, y)
    eigenvalues, V = torch.linalg.eigh(hessian(loss, best))
    lam, v = eigenvalues[-1], V[:, -1]
    eta = draw.positive().detach() / lam
    path, _ = descend([loss] * 6, draw.normal(len(best)), [eta] * 6, clear=False)
    # Two numbers make the next: the powers of this matrix turn by its angle.
    turn = np.array([[2 - float(eta * lam), -1], [1, 0]])
    return {
        **{"t": Index(5), "L": Quantity(loss), "w": Family(path, start=0)},
        **{"c": Family([v @ (w - best) for w in path], start=0), EIGENVALUES: lam},
        **{r"\eta": eta, r"\omega": np.abs(np.angle(np.linalg.eigvals(turn))).max()},
        **{r"\alpha": draw.normal(), "X": X, "y": y},
    }


@setting("forgetting-zero-grad")
def slow_swing(draw):
    """A small step size, and the angle that belongs to it."""
    eta, lam = 1e-4 * draw.positive(), draw.positive()
    omega = torch.acos(1 - eta * lam / 2)
    return {r"\eta": eta, EIGENVALUES: lam, r"\omega": omega, r"\approx": 1e-5}


@setting("ex-stochastic-gradient-descent-best-step")
def spectrum(draw):
    """Any Hessian and step size, and the largest factor of an error."""
    X, y = regression(draw)
    H = hessian(mse(X, y), torch.zeros(X.shape[1]).double())
    eigenvalues = torch.linalg.eigvalsh(H)
    eye = torch.eye(len(H), dtype=torch.float64)
    return {
        **{"j": Index(len(H)), EIGENVALUES: Family(eigenvalues)},
        **{SMALLEST: eigenvalues[0], LARGEST: eigenvalues[-1], "H": H},
        **{r"\kappa": torch.linalg.cond(H), r"\eta": draw.positive() / eigenvalues[-1]},
        r"\rho": Quantity(lambda eta: torch.linalg.matrix_norm(eye - eta * H, 2)),
    }


@setting("ex-stochastic-gradient-descent-best-step")
def best_step(draw):
    """The best step size, found by trying, and its largest factor."""
    symbols = spectrum.function(draw)
    eta, rho = best_rate(symbols["H"])
    return {**symbols, r"\eta": eta, r"\rho": rho}


@setting("ex-stochastic-gradient-descent-best-step")
def narrow_valley(draw):
    """The same for a Hessian with a large condition number."""
    kappa = 1000 * (1 + draw.positive().detach())
    _, rho = best_rate(torch.diag(torch.stack([kappa, kappa / kappa])))
    return {r"\kappa": kappa, r"\rho": rho, r"\approx": 1e-5}


@setting("ex-stochastic-gradient-descent-running-mean")
def running_mean(draw):
    """Steps of ``optim.SGD`` along the numbers y, with a step size that shrinks."""
    y = draw.normal(4)
    rates = [0.5, 0.25, 1 / 6, 0.125]
    losses = [lambda u, t=t: F.mse_loss(u, y[t]) for t in range(4)]
    path, _ = descend(losses, draw.normal(), rates)
    return {
        **{"t": Index(4), "y": y, r"\eta": Family(rates)},
        "u": Family(path, start=0, alone=draw.normal()),
        r"\ell": Quantity(lambda t, u: losses[int(t) - 1](u)),
    }


# The chapter's numbers


@setting("stochastic-gradient-descent", example=True)
def four_examples(draw):
    """The four examples and their minimum."""
    X = torch.tensor([[2, 1], [1, 2], [1, 0], [0, 1]]).double()
    y = torch.tensor([3, 6, 2, 1]).double()
    return {"n": len(X), "X": X, "y": y, "w^*": least_squares(X, y)}


@setting("stochastic-gradient-descent", example=True)
def four_examples_at_zero(draw):
    """The same with all weights zero."""
    symbols = four_examples.function(draw)
    X, y, w = symbols["X"], symbols["y"], torch.zeros(2).double().requires_grad_()
    return {"X": X, "y": y, "w": w, "L": Quantity(mse(X, y), "w"), r"\grad": "w"}


@setting("ex-stochastic-gradient-descent-best-step", example=True)
def best_step_of_four(draw):
    """The best step size for the four examples."""
    symbols = four_examples_at_zero.function(draw)
    eta, rho = best_rate(hessian(symbols["L"].function, symbols["w"]))
    return {r"\eta": eta, r"\rho": rho}


# Checks


@check("eq-stochastic-gradient-descent-update", iterates)
def update(w, X, y, eta):
    """Each of the iterates of ``optim.SGD`` from the one before."""
    loss, X_, y_ = mse(X, y), X.numpy(), y.numpy()
    return {
        "autograd": torch.stack([v - eta * autograd(loss, v) for v in w[:-1]]),
        "central differences": torch.stack(
            [v - eta * differences(loss, v) for v in w[:-1]]
        ),
        "NumPy": np.stack(
            [
                v - float(eta) * 2 / len(y_) * X_.T @ (X_ @ v - y_)
                for v in (iterate.numpy() for iterate in w[:-1])
            ]
        ),
    }


@check("eq-stochastic-gradient-descent-quadratic", one_move)
def quadratic(X, y, w, h):
    """The loss after a move of any size."""
    moved = (w + h).numpy()
    squares = [
        (x @ moved - target) ** 2 for x, target in zip(X.numpy(), y, strict=True)
    ]
    return {
        "a loop": sum(map(float, squares)) / len(squares),
        "MSELoss": torch.nn.MSELoss()(X @ (w + h), y),
    }


@check("eq-stochastic-gradient-descent-one-step", one_move)
def one_step(X, y, w, eta):
    """The loss after a step against the gradient."""
    X_, y_, w_ = X.numpy(), y.numpy(), w.numpy()
    by_hand = w_ - float(eta) * 2 / len(y_) * X_.T @ (X_ @ w_ - y_)
    [_, stepped], _ = descend([mse(X, y)], w, [eta])
    return {
        "optim.SGD": mse(X, y)(stepped),
        "NumPy": np.mean((X_ @ by_hand - y_) ** 2),
    }


@check("eq-stochastic-gradient-descent-excess", components)
def excess(L, w, w_star, H, eta):
    """What the loss is above its minimum: measured, and by powers of one matrix."""
    step = np.eye(len(H)) - float(eta) * H.numpy()
    powers = [np.linalg.matrix_power(step, t) for t in range(4)]
    start = (w[0] - w_star).numpy()
    errors = [power @ start for power in powers]
    return {
        "the losses of the iterates": [torch.stack([L(v) - L(w_star) for v in w[:4]])],
        "powers of I − ηH": [np.array([e @ H.numpy() @ e / 2 for e in errors])],
    }


@check("eq-stochastic-gradient-descent-stability", around_the_bound)
def stability(H, eta):
    """Whether errors vanish from every start."""
    step = torch.eye(len(H)) - eta * H
    return {
        "a million steps": torch.linalg.matrix_power(step, 2**20).norm() < 1,
        "eigenvalues": np.abs(np.linalg.eigvals(step.numpy())).max() < 1,
    }


@check("eq-stochastic-gradient-descent-unbiased", minibatches)
def unbiased(X, y, w, m):
    """The mean over all sets, and the gradient on all examples."""
    batches = itertools.combinations(range(len(y)), m)
    slopes = [
        2 / m * sum((X[i] @ w - y[i]).numpy() * X[i].numpy() for i in batch)
        for batch in batches
    ]
    return {
        "all sets in NumPy": np.mean(slopes, axis=0),
        "autograd": autograd(mse(X, y), w),
        "central differences": differences(mse(X, y), w),
    }


@check("eq-stochastic-gradient-descent-accumulated", accumulated)
def accumulate(losses, path):
    """What stands in ``.grad``: the slope of a sum of losses at different weights."""
    by_differences = [differences(f, w) for f, w in zip(losses, path, strict=False)]

    def total(t):
        """Of one move that is added to the weights of all steps up to t."""
        pairs = list(zip(losses[:t], path, strict=False))
        return lambda move: sum(f(w + move) for f, w in pairs)

    nothing = torch.zeros_like(path[0])
    return {
        "central differences": torch.stack(by_differences).cumsum(0),
        "autograd of a sum": torch.stack(
            [autograd(total(t), nothing) for t in range(1, 5)]
        ),
    }


@check("eq-stochastic-gradient-descent-frictionless", frictionless)
def swing(c, eta, lambda_, omega):
    """The component as measured, and by its recurrence."""
    factor = float(eta * lambda_)
    found = [float(c[0]), (1 - factor) * float(c[0])]
    while len(found) < 6:
        found.append((2 - factor) * found[-1] - found[-2])
    angle = math.acos(1 - factor / 2)
    waves = [float(c[0]) * math.cos((t + 0.5) * angle) for t in range(1, 6)]
    return {
        "the recurrence": np.array(found[1:]),
        "a cosine": np.array(waves) / math.cos(angle / 2),
    }


given(
    *(r"h = -\eta g", "h = e_t", r"\eta = 0.1", r"\eta = 0.001", r"\eta = 0.01"),
    r"\eta = 0.3",
    *(
        "t = 0",
        "t = 1",
        r"\alpha = \frac\omega2",
        r"\mu = 1",
        r"\eta = 0.015",
        r"\lambda = 100",
    ),
    *(r"\lambda = 1", r"i \ne j", "i = j", r"m = 1, \dots, 4", r"\eta = 0.005"),
    *(r"\eta < 1", r"0 < \eta < 2/\lambdamax"),
)
unchecked(
    {
        r"\sum_t\eta_t = \infty": "it is about an infinite sum",
        r"\sum_t\eta_t^2 < \infty": "it is about an infinite sum",
    }
)
