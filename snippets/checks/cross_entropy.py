"""The equations of cross-entropy: entropies, softmax, log-sum-exp, gradients."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian, jacobian
from torch.distributions import Categorical, kl_divergence

from snippets.checks import (
    Both,
    Family,
    Index,
    Quantity,
    Sides,
    autograd,
    check,
    differences,
    given,
    setting,
)


def with_values(p):
    """A distribution as a vector, and as a function of outcomes that count from 1."""
    return Both(p, lambda z: p[int(z) - 1])


def mean_surprise(q, p=None):
    """Cross-entropy of p relative to q, or the entropy of q."""
    return Categorical(q).entropy() if p is None else -torch.xlogy(q, p).sum()


def divergence(q, p):
    """What ``torch.distributions`` calls the Kullback–Leibler divergence."""
    return kl_divergence(Categorical(q), Categorical(p))


def loss_of(s, y):
    """The loss of PyTorch for labels from 1, summed over examples."""
    return F.cross_entropy(s, torch.as_tensor(y) - 1, reduction="sum")


# Settings


@setting("cross-entropy", "ex-cross-entropy-largest-entropy")
def forecasts(draw):
    """Two distributions in which every outcome is possible, and a uniform one."""
    k = draw.size()
    q, p, u = draw.distribution(k), draw.distribution(k), torch.ones(k).double() / k
    return {
        **{"k": k, "z": Index(k), "q": with_values(q), "p": with_values(p)},
        **{"u": with_values(u), "a": draw.positive()},
        **{"e": Family(torch.eye(k).double()), "y": draw.integer(1, k)},
        **{"H": Quantity(mean_surprise), r"\KL": Quantity(divergence)},
    }


@setting("entropy-and-kl")
def impossible_outcomes(draw):
    """An outcome that neither distribution has, and one that only p has."""
    symbols = forecasts.function(draw)
    q, p = (torch.cat([symbols[name].value, torch.zeros(2)]) for name in "qp")
    p[-1] = 0.25
    q, p = with_values(q), with_values(p / p.sum())
    return {**symbols, "k": len(q.value), "z": Index(len(q.value)), "q": q, "p": p}


@setting("cross-entropy", "softmax", "log-sum-exp", "p-minus-onehot")
def scores(draw):
    """The scores of one example, computed from its features, and a label from 1."""
    k, d = draw.size(), draw.size()
    W, x, y = draw.normal(k, d), draw.normal(d), draw.integer(1, k)
    s = W @ x
    return {
        **{"k": k, "d": d, "i": Index(k), "j": Index(k), "l": Index(d), "y": y},
        **{"W": W, "x": x, "s": s, "m": s.max(), r"\dd W": draw.normal(k, d)},
        **{"p": torch.softmax(s, dim=0), "e": Family(torch.eye(k).double())},
        "L": loss_of(s, y),
    }


@setting("log-sum-exp")
def any_constant(draw):
    """A constant m that need not be the largest score."""
    return {**scores.function(draw), "m": draw.normal()}


@setting("cross-entropy", "p-minus-onehot")
def batch(draw):
    """The scores and labels of several examples, in rows."""
    n, d, k = draw.size(), draw.size(), draw.size()
    X, W = draw.normal(n, d), draw.normal(k, d)
    y = torch.tensor([draw.integer(1, k) for _ in range(n)])
    P = torch.softmax(X @ W.T, dim=1)
    return {
        **{"n": n, "d": d, "k": k, "X": X, "x": Family(X), "W": W, "P": P},
        **{"p": Family(P), "y": y, "Y": F.one_hot(y - 1, k), "L": loss_of(X @ W.T, y)},
        "e": Family(torch.eye(k).double()),
    }


@setting("double-softmax", "labels-from-zero")
def probabilities_as_scores(draw):
    """Any probabilities, and a label from 1."""
    k = draw.size()
    p, y = draw.distribution(k), draw.integer(1, k)
    return {
        **{"k": k, "j": Index(k), "p": p, "y": y},
        "e_y": F.one_hot(torch.tensor(y - 1), k),
    }


@setting("loss-prints-zero")
def almost_certain(draw):
    """Two classes, 0 and 1, of which the first has a small chance; the label is 1."""
    delta = 1e-3 * draw.positive()
    high = draw.normal()
    s = torch.stack([high + torch.log(delta), high])
    return {
        **{"s": s, r"\delta": delta, "p": torch.softmax(s, dim=0), "y": 1, "first": 0},
        **{"L": F.cross_entropy(s, torch.tensor(1)), r"\approx": 1e-7},
    }


@setting("two-vectors-one")
def two_vectors(draw):
    """The weight vectors of the classes 0 and 1, and a label that is 0 or 1."""
    d, y = draw.size(), draw.integer(0, 1)
    W, x = draw.normal(2, d), draw.normal(d)
    s = W @ x
    return {
        **{"d": d, "x": x, "y": y, "w_0": W[0], "w_1": W[1], "w": W[1] - W[0], "s": s},
        **{"p_0": torch.sigmoid(s[0] - s[1]), "p_1": torch.sigmoid(s[1] - s[0])},
        "p": Quantity(lambda c, x: torch.softmax(W @ x, dim=0)[int(c)]),
        **{"L": F.cross_entropy(s, torch.tensor(y)), "first": 0},
    }


@setting("two-vectors-one")
def class_plus_one_first(draw):
    """Row 0 of the scores belongs to the class +1, row 1 to −1."""
    d = draw.size()
    W, x = draw.normal(2, d), draw.normal(d)
    return {
        **{"x": x, "s_{+1}": W[0] @ x, "s_{-1}": W[1] @ x},
        "p": Quantity(lambda c, x: torch.softmax(W @ x, dim=0)[0 if c == 1 else 1]),
    }


@setting("ex-cross-entropy-jacobian", "ex-cross-entropy-convex")
def second_derivatives(draw):
    """The Jacobian of softmax and the Hessian of the loss, both by autograd."""
    k = draw.size()
    s, y = draw.normal(k), draw.integer(1, k)
    p = torch.softmax(s, dim=0)
    return {
        **{"k": k, "i": Index(k), "j": Index(k), "s": s, "p": p, "y": y},
        **{"e": Family(torch.eye(k).double()), "v": draw.normal(k)},
        "J": jacobian(lambda s: torch.softmax(s, dim=0), s),
        "H": hessian(lambda s: loss_of(s, y), s),
        **{"g": autograd(lambda p: -torch.log(p[y - 1]), p), "L": loss_of(s, y)},
    }


@setting("ex-cross-entropy-threshold")
def near_the_threshold(draw):
    """A gap on either side of the threshold, near to it."""
    return {"g": 24 * math.log(2) + 0.3 * draw.signs(1) * draw.positive()}


@setting("ex-cross-entropy-speed")
def a_step(draw):
    """Two weight vectors and their difference, and the gradients of one loss."""
    n, d = draw.size(), draw.size()
    X, y = draw.normal(n, d), torch.tensor([draw.integer(0, 1) for _ in range(n)])
    old, new = draw.normal(d), draw.normal(d)

    def log_loss(w):
        return F.binary_cross_entropy_with_logits(X @ w, y.double(), reduction="sum")

    return {
        **{"w_0": old, "w_1": new, "w": new - old, r"\eta": draw.positive()},
        "L": F.cross_entropy(X @ torch.stack([old, new]).T, y, reduction="sum"),
        "g": autograd(log_loss, new - old),
    }


@setting("entropy-and-kl", example=True)
def sun(draw):
    """The two forecasters, and the weather; 1 is sun."""
    p, q = torch.tensor([1, 4, 2, 1]) / 8, torch.tensor([4, 2, 1, 1]) / 8
    u = torch.tensor([2, 2, 2, 2]) / 8
    return {"p": with_values(p), "q": q, "u": u, r"\text{sun}": 1}


@setting("labels-from-zero", example=True)
def sheet(draw):
    """The data of the tutorial sheet."""
    x, s = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([32.0, 50.0]).double()
    return {"x": x, "W": torch.arange(4.0, 10.0).double().reshape(2, 3), "s": s}


@setting("loss-prints-zero", example=True)
def sheet_losses(draw):
    """The losses of the sheet's scores for the labels 1 and 0, by softplus."""
    s = torch.tensor([32.0, 50.0]).double()
    losses = {"L": F.softplus(s[0] - s[1]), "L_{y=0}": F.softplus(s[1] - s[0])}
    return {**losses, r"\delta": 1 / math.exp(18)}


@setting("ex-cross-entropy-jacobian", "ex-cross-entropy-convex", example=True)
def quarter_quarter_half(draw):
    """The scores 0, 0, log 2."""
    s = torch.log(torch.tensor([1.0, 1.0, 2.0]).double())
    v = torch.tensor([1.0, -1.0, 3.0]).double()
    return {"s": s, "v": v, "p": torch.softmax(s, dim=0)}


@setting("fig-cross-entropy-fan-out")
def any_scores(draw):
    """The vertex of log-sum-exp."""
    s = draw.normal(draw.size())
    return {"s": s, "l": torch.logsumexp(s, dim=0)}


@setting("fig-cross-entropy-fan-out", example=True)
def two_uses(draw):
    """The scores in the figure; classes count from 0."""
    s = torch.tensor([0.0, 0.0, math.log(2)], dtype=torch.float64)
    return {"y": 2, "p": autograd(lambda s: s.logsumexp(0), s)}


# Checks


@check("eq-cross-entropy-definition", forecasts)
def cross_entropy(q, p):
    """The mean of the surprises, weighted with q."""
    surprises = [-math.log(chance) for chance in p]
    return {
        "weighted mean": np.average(surprises, weights=q.numpy()),
        "CrossEntropyLoss": F.cross_entropy(torch.log(p), q),
    }


@check("eq-cross-entropy-kl", forecasts)
def kullback_leibler(q, p):
    """What it costs to expect p when q is true."""
    return {
        "kl_div": F.kl_div(torch.log(p), q, reduction="sum"),
        "two entropies in NumPy": np.sum(q.numpy() * np.log(q.numpy() / p.numpy())),
    }


@check("eq-cross-entropy-one-label", forecasts)
def one_label(p, y, k):
    """The sum over a one-hot distribution, and the loss that is given the label."""
    onehot = F.one_hot(torch.tensor(y - 1), k)
    return {
        "the sum over outcomes": -sum(
            o * math.log(c) for o, c in zip(onehot, p, strict=True)
        ),
        "nll_loss": F.nll_loss(torch.log(p), torch.tensor(y - 1)),
    }


@check("eq-cross-entropy-softmax", scores)
def softmax(s):
    """The probabilities of all classes."""
    exponentials = [math.exp(score) for score in s]
    return {
        "a loop": torch.tensor(exponentials) / sum(exponentials),
        "exp of log_softmax": torch.log_softmax(s, dim=0).exp(),
        "the odds to each class": 1 / torch.exp(s[None, :] - s[:, None]).sum(dim=1),
    }


@check("eq-cross-entropy-loss", scores)
def loss(s, y):
    """The loss of one example."""
    return {
        "logaddexp in NumPy": np.logaddexp.reduce(s.numpy()) - s.numpy()[y - 1],
        "log of softmax": -torch.log(torch.softmax(s, dim=0)[y - 1]),
        "CrossEntropyLoss": F.cross_entropy(s, torch.tensor(y - 1)),
    }


@check("eq-cross-entropy-bounds", scores)
def bounds(s, k):
    """The largest score, log-sum-exp, and the largest score with log k."""
    top = max(float(score) for score in s)
    return {
        "logaddexp": Sides(top, np.logaddexp.reduce(s.numpy()), top + math.log(k)),
        "torch.logsumexp": Sides(s.max(), s.logsumexp(0), s.max() + math.log(k)),
    }


@check("eq-cross-entropy-lse-gradient", scores)
def log_sum_exp_gradient(s):
    """The slope of log-sum-exp along each score."""

    def lse(s):
        return torch.logsumexp(s, dim=0)

    return {
        "autograd": autograd(lse, s),
        "central differences": differences(lse, s),
        "torch.softmax": torch.softmax(s, dim=0),
    }


@check("eq-cross-entropy-gradient", scores)
def score_gradient(s, y):
    """The slope of the loss along each score."""
    onehot = np.eye(len(s))[y - 1]
    exponentials = np.exp(s.numpy())
    return {
        "NumPy": exponentials / exponentials.sum() - onehot,
        "autograd": autograd(lambda s: loss_of(s, y), s),
        "central differences": differences(lambda s: loss_of(s, y), s),
    }


@check("eq-cross-entropy-weight-gradient", scores)
def weight_gradient(W, x, y):
    """The slope of the loss of one example along each weight."""
    return {
        "autograd": autograd(lambda W: loss_of(W @ x, y), W),
        "central differences": differences(lambda W: loss_of(W @ x, y), W),
    }


@check("eq-cross-entropy-batch-gradient", batch)
def batch_gradient(X, W, y):
    """The slope of the loss of all examples along each weight."""
    return {
        "autograd": autograd(lambda W: loss_of(X @ W.T, y), W),
        "central differences": differences(lambda W: loss_of(X @ W.T, y), W),
    }


@check("eq-cross-entropy-two-classes", two_vectors)
def two_classes(w_0, w_1, x, y):
    """The loss of two scores, and the loss of their difference."""
    pair = torch.stack([w_0 @ x, w_1 @ x])
    score = (w_1 - w_0) @ x
    return {
        "CrossEntropyLoss": F.cross_entropy(pair, torch.tensor(y)),
        "BCEWithLogitsLoss": F.binary_cross_entropy_with_logits(
            score, torch.tensor(float(y)).double()
        ),
        "-log of the sigmoid": -math.log(1 / (1 + math.exp(-score if y else score))),
    }


given(
    *("q(z) = 0", "p(z) = 0", "q(z) > 0", "p(z) > 0", "p = q", "p(z) = q(z)", "a = 1"),
    *("q = 0", "y = 1", "y = 0", "q = u"),
    *(r"2\eta = 0.2", r"\eta = 0.1", "k = 2", "p = e_y"),
)
