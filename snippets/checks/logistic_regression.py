"""The equations of logistic regression: the sigmoid, the log loss, its derivatives."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from snippets.checks import (
    Both,
    Family,
    Index,
    Quantity,
    autograd,
    check,
    differences,
    given,
    hessian,
    setting,
)


def log_loss(X, y):
    """The loss of labels ±1 as a function of the weights, by PyTorch's own class."""
    return lambda w: F.soft_margin_loss(X @ w, y, reduction="sum")


def probability(label, score):
    """Of a label ±1, by ``torch.distributions``, which has labels 0 and 1."""
    model = torch.distributions.Bernoulli(logits=score)
    return torch.exp(model.log_prob((1 + torch.as_tensor(label)) / 2))


def labels(draw, n):
    """Labels ±1, at least one of each."""
    return torch.cat([draw.signs(n), torch.tensor([1.0, -1.0]).double()])


def minimiser(X, y):
    """Where the slope of the loss is zero, by Newton's method on autograd's Hessian."""
    w = torch.zeros(X.shape[1], dtype=torch.float64)
    loss = log_loss(X.detach(), y)
    for _ in range(30):
        curvature = hessian(loss, w)
        step = torch.linalg.solve(curvature, autograd(loss, w))
        w = w - step
        if step.norm() < 1e-9:
            break  # what is left is about the square of the step
    return w


def both_labels(draw):
    """Data with a minimum: half of the inputs are there with both labels."""
    n, d = draw.size(), draw.size(2, 3)
    both, others = draw.normal(d + 1, d), draw.normal(n, d)
    draw.require(torch.linalg.svdvals(both).min() > 0.1)
    ones = torch.ones(d + 1).double()
    X = torch.cat([both, both, others])
    return X, torch.cat([ones, -ones, draw.signs(n)])


# Settings


@setting("odds-and-logits", "convexity", "ex-logistic-regression-odds")
def one_logit(draw):
    """A probability, and the logarithm of its odds."""
    p = draw.distribution(2)[0]
    return {"p": p, "s": torch.logit(p)}


@setting("labels-plus-minus-one", "ex-logistic-regression-far", "logistic-regression")
def one_label(draw):
    """An input, its weights and one of the two labels."""
    d = draw.size()
    w, x, [y] = draw.normal(d), draw.normal(d), draw.signs(1)
    s = torch.dot(w, x)
    model = torch.distributions.Bernoulli(logits=s)
    return {
        **{"w": w, "x": x, "y": y, "s": s, "t": float(y > 0)},
        "p": Both(model.probs, lambda label, x: probability(label, torch.dot(w, x))),
        # The margin is the logarithm of the odds of what happened.
        "m": model.log_prob((y > 0).double()) - model.log_prob((y < 0).double()),
    }


@setting("log-loss", "indicator-identity")
def all_labels(draw):
    """Examples with both labels, and what the model says of each."""
    n, d = draw.size(), draw.size()
    X, w, y = draw.normal(n + 2, d), draw.normal(d), labels(draw, n)
    return {
        **{"n": n + 2, "i": Index(n + 2), "z": Index(2, start=-1, step=2)},
        **{"X": X, "x": Family(X), "w": w, "y": y, "t": (y > 0).double()},
        "p": Quantity(lambda label, x: probability(label, torch.dot(x, w))),
        "q": Quantity(lambda i, z: float(y[i - 1] == z)),
        "L": Quantity(lambda w: -torch.log(probability(y, X @ w)).sum()),
    }


@setting("indicator-identity")
def two_distributions(draw):
    """Any two distributions of the labels."""
    p, q = draw.distribution(2), draw.distribution(2)
    return {
        "z": Index(2, start=-1, step=2),
        "p": Quantity(lambda z: p[int(z > 0)]),
        "q": Quantity(lambda z: q[int(z > 0)]),
    }


@setting("log-loss-gradient", "convexity", "logistic-regression")
def all_students(draw):
    """Any data, weights and a change of them; margins and probabilities follow."""
    n, d = draw.size(), draw.size()
    X, w, y = draw.normal(n, d), draw.normal(d), draw.signs(n)
    loss = log_loss(X, y)
    t = (y > 0).double()
    return {
        **{"n": n, "d": d, "i": Index(n), "X": X, "x": Family(X), "w": w, "y": y},
        **{"m": y * (X @ w), "s": X @ w, "p": torch.sigmoid(X @ w), "t": t},
        **{"L": Quantity(loss, "w"), r"\grad": "w", r"\dd w": draw.normal(d)},
        **{"H": hessian(loss, w)},
        **{"D": torch.diag(torch.special.expit(X @ w) / (1 + torch.exp(X @ w)))},
        **{"u": draw.normal(d), "r": -(y - X @ w)},
    }


@setting("log-loss-gradient")
def all_students_at_zero(draw):
    """The same with all weights zero."""
    symbols = all_students.function(draw)
    return {**symbols, "w": torch.zeros_like(symbols["w"]).requires_grad_()}


@setting("log-loss-gradient", "other-losses", "ex-logistic-regression-far")
def one_student(draw):
    """The margin of one student, and the operations from there to the loss."""
    s, [y] = draw.normal(), draw.signs(1)
    m = y * s
    o = torch.exp(-m)
    return {
        **{"s": s, "y": y, "t": float(y > 0), "p": torch.sigmoid(s)},
        **{"m": m, "o": o, "a": 1 + o},
    }


@setting("decision-boundary", "logistic-regression")
def on_the_boundary(draw):
    """Any weights, and an input that is perpendicular to them."""
    d = draw.size()
    w, a = draw.normal(d), draw.normal(d)
    draw.require(w.abs().max() > 0)
    return {"w": w, "x": a - w * (torch.dot(a, w) / torch.dot(w, w))}


@setting("decision-boundary")
def on_the_line(draw):
    """A point where the chapter's weights give the score 0."""
    bias, per_sheet, per_mock = students.function(draw)["w"].members
    mocks = draw.normal()
    sheets = -(bias + per_mock * mocks) / per_sheet
    return {r"\text{sheets}": sheets, r"\text{mocks}": mocks}


@setting("convexity")
def at_the_minimum(draw):
    """The minimum of the loss, and a way that leads from there."""
    X, y = both_labels(draw)
    best, u, tau = minimiser(X, y), draw.normal(X.shape[1]), draw.positive()
    loss = log_loss(X, y)
    return {
        **{"X": X, "t": (y > 0).double(), "p": torch.sigmoid(X @ best), "w^*": best},
        **{"L": Quantity(loss), r"\tau": tau, "u": u},
        r"\varphi": Quantity(lambda tau: loss(best + tau * u)),
        "H": hessian(loss, best + tau * u),
    }


@setting("convexity")
def newton_step(draw):
    """The step to the minimum of the parabola that fits the loss at the weights."""
    X, y = both_labels(draw)
    loss, w = log_loss(X, y), draw.normal(X.shape[1])
    slope = autograd(loss, w)
    curvature = hessian(loss, w)
    step, *_ = np.linalg.lstsq(curvature.numpy(), -slope.numpy(), rcond=None)
    return {
        **{"L": Quantity(loss, "w"), "w": w, r"\grad": "w"},
        **{"H": curvature, "u": torch.from_numpy(step)},
    }


@setting("stable-log-loss", "ex-logistic-regression-kink")
def one_margin(draw):
    """A margin on either side of zero, the score and the probability with it."""
    m, s = draw.normal(), draw.normal()
    return {"m": m, "s": s, "p": torch.sigmoid(s)}


@setting("ex-logistic-regression-soft-label")
def soft_label(draw):
    """A score, and a label between 0 and 1."""
    return {
        **{"s": draw.normal(), "t": draw.distribution(2)[0]},
        r"\ell": Quantity(F.binary_cross_entropy_with_logits, ("s", "t")),
    }


@setting("ex-logistic-regression-separable")
def separable(draw):
    """Weights u with which every margin is positive, and any others."""
    n, d = draw.size(), draw.size()
    X, u = draw.normal(n, d), draw.normal(d)
    draw.require((X @ u).abs().min() > 0)
    y = torch.sign(X @ u).detach()
    return {
        **{"n": n, "i": Index(n), "m": y * (X @ u), "u": u, "w": draw.normal(d)},
        **{"c": draw.positive(), "L": Quantity(log_loss(X, y))},
    }


# The chapter's numbers


@setting("logistic-regression", example=True)
def students(draw):
    """The eight students and the first weights."""
    sheets_and_mocks = torch.tensor(
        [[1, 0], [0, 1], [1, 3], [4, 3], [2, 2], [2, 4], [3, 3], [4, 1]]
    ).double()
    sheets, mocks = sheets_and_mocks.T
    X = torch.column_stack([torch.ones(8), sheets_and_mocks])
    w = torch.tensor([-2.75, 1.0, 0.5]).double()
    return {
        **{"n": len(X), "d": len(w), "i": Index(8), "x": Family(X), "X": X},
        **{r"\text{sheets}": sheets, r"\text{mocks}": mocks, "w": Family(w, start=0)},
        "y": torch.tensor([-1, -1, -1, -1, 1, 1, 1, 1]).double(),
    }


@setting("log-loss-gradient", example=True)
def third_student(draw):
    """Student 3, who failed."""
    symbols = students.function(draw)
    X, y = symbols["X"], symbols["y"]
    return {"x": Family(X, alone=X[2]), "y": Family(y, alone=y[2])}


@setting("log-loss-gradient", example=True)
def last_student(draw):
    """Student 8, who passed."""
    return {"y": students.function(draw)["y"][7]}


@setting("stable-log-loss", example=True)
def long_weights(draw):
    """The first weights times a thousand."""
    symbols = students.function(draw)
    X, y, w = symbols["X"], symbols["y"], symbols["w"].members
    return {**symbols, "m": y * (X @ (1000 * w))}


@setting("ex-logistic-regression-ninth", example=True)
def ninth_student(draw):
    """Three sheets, two mocks, failed."""
    x, w = torch.tensor([1.0, 3, 2]).double(), torch.tensor([-2.75, 1, 0.5]).double()
    y = -1
    return {"x": x, "y": y, "w": w, "s": x @ w, "m": y * (x @ w)}


@setting("ex-logistic-regression-soft-label", example=True)
def four_of_five(draw):
    """The label 0.8 with its best score: the slope is halved in until it is zero."""
    t = torch.tensor(0.8, dtype=torch.float64)
    low, high = torch.tensor([-9.0, 9.0]).double()
    for _ in range(60):
        s = (low + high) / 2
        rises = autograd(lambda s: F.binary_cross_entropy_with_logits(s, t), s) > 0
        low, high = (low, s) if rises else (s, high)
    return {"s": s, "t": t}


@setting("fig-logistic-regression-one-student")
def sign_of_the_margin(draw):
    """The minus sign as an operation of its own."""
    m = draw.normal()
    return {"m": m, "n": torch.neg(m)}


# Checks


@check("eq-logistic-regression-sigmoid", one_logit)
def sigmoid(s, p):
    """The probability whose odds have the logarithm s."""
    odds = math.exp(float(s))
    return {
        "the share of the odds": odds / (1 + odds),
        "the hyperbolic tangent": (1 + np.tanh(float(s) / 2)) / 2,
        "torch.distributions": torch.distributions.Bernoulli(logits=s).probs,
    }


@check("eq-logistic-regression-sigmoid-derivative", one_logit)
def sigmoid_derivative(s):
    """The slope of the sigmoid."""
    return {
        "autograd": autograd(torch.sigmoid, s),
        "central differences": differences(torch.sigmoid, s),
        "the hyperbolic cosine": 1 / (2 * np.cosh(float(s) / 2)) ** 2,
    }


@check("eq-logistic-regression-model", one_label)
def model(w, x, y):
    """The probability of the label from those of both labels, which add up to 1."""
    score = sum(w[j] * x[j] for j in range(len(w)))
    weights = {+1: math.exp(float(score)), -1: 1.0}
    return {
        "two cases": weights[int(y)] / sum(weights.values()),
        "torch.distributions": probability(y, score),
    }


@check("eq-logistic-regression-log-loss", all_labels)
def loss(X, y, w):
    """The negative logarithm of the product, and PyTorch's three classes."""
    t, s = (y > 0).double(), X @ w
    shares = [1 / (1 + np.exp(-score)) for score in s.numpy()]
    happened = [p if label > 0 else 1 - p for p, label in zip(shares, y, strict=True)]
    return {
        "the product in NumPy": -math.log(math.prod(happened)),
        "SoftMarginLoss": torch.nn.SoftMarginLoss(reduction="sum")(s, y),
        "BCEWithLogitsLoss": torch.nn.BCEWithLogitsLoss(reduction="sum")(s, t),
        "BCELoss": torch.nn.BCELoss(reduction="sum")(torch.sigmoid(s), t),
    }


@check("eq-logistic-regression-indicator", all_labels)
def indicator(X, y, w):
    """The term of each label."""
    s, t = X @ w, (y > 0).double()
    both = torch.stack([torch.zeros_like(s), s], dim=1)
    return {
        "torch.distributions": -torch.log(probability(y, s)),
        "binary_cross_entropy": F.binary_cross_entropy(
            s.sigmoid(), t, reduction="none"
        ),
        "cross_entropy": F.cross_entropy(both, t.long(), reduction="none"),
    }


@check("eq-logistic-regression-gradient", all_students)
def gradient(X, y, w):
    """The slope of the loss of labels ±1 along each weight."""
    total = np.zeros(X.shape[1])
    for row, label in zip(X.numpy(), y.numpy(), strict=True):
        doubt = 1 / (1 + np.exp(label * row @ w.numpy()))
        total -= doubt * label * row
    return {
        "a loop in NumPy": total,
        "autograd": autograd(log_loss(X, y), w),
        "central differences": differences(log_loss(X, y), w),
    }


@check("eq-logistic-regression-gradient-matrix", all_students)
def gradient_matrix(X, t, w):
    """The slope of the loss of labels 0 and 1 along each weight."""

    def loss(w):
        return F.binary_cross_entropy_with_logits(X @ w, t, reduction="sum")

    residual = 1 / (1 + np.exp(-X.numpy() @ w.numpy())) - t.numpy()
    return {
        "the formula in NumPy": X.numpy().T @ residual,
        "autograd": autograd(loss, w),
        "central differences": differences(loss, w),
    }


@check("eq-logistic-regression-hessian", all_students)
def second_derivatives(X, y, w, dd_w):
    """The change of the gradient, the Hessian and its factors, which are σ'(s)."""
    loss = log_loss(X, y)
    slopes = torch.diag(autograd(lambda s: torch.sigmoid(s).sum(), X @ w))
    columns = [
        differences(lambda w, j=j: autograd(loss, w)[j], w) for j in range(len(w))
    ]
    by_hand = sum(
        np.outer(x, x) / (2 * np.cosh(x @ w.numpy() / 2)) ** 2 for x in X.numpy()
    )
    twice = torch.autograd.functional.hessian(loss, w)
    return {
        "autograd twice": [twice @ dd_w, twice, slopes],
        "differences of the gradient": [
            torch.stack(columns) @ dd_w,
            torch.stack(columns),
            torch.diag(differences(lambda s: torch.sigmoid(s).sum(), X @ w)),
        ],
        "a sum in NumPy": [
            by_hand @ dd_w.numpy(),
            by_hand,
            np.diag(1 / (2 * np.cosh(X.numpy() @ w.numpy() / 2)) ** 2),
        ],
    }


@check("eq-logistic-regression-stable", one_margin)
def stable(m):
    """The term of one margin."""
    return {
        "log1p": math.log1p(math.exp(-float(m))),
        "logaddexp": np.logaddexp(0.0, -m.numpy()),
        "logsigmoid": -F.logsigmoid(m),
    }


given(
    *("t = 1", "t = 0", "y_i = 1", "y_i = +1", "y_i = -1", "c > 1"),
    *("Xu = 0", "u = 0", "s = -1, -2, -4, -8", "s = -8", "m < 0", r"m \ge 0"),
    *("m = 0", "w = 0", "c = 1, 10, 100", "c = 100", r"\sigma(s) = t"),
)
