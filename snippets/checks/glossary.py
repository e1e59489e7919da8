"""The formulas of the glossary, with the meaning that PyTorch's functions give them."""

import torch
from torch.nn import functional

from snippets.checks import Both, Family, Index, Quantity, given, setting


@setting("glossary")
def scores(draw):
    """Any scores."""
    k = draw.size()
    s = draw.normal(k)
    return {"s": s, "j": Index(k), "l": Index(k), "z": draw.normal()}


@setting("glossary")
def convex_function(draw):
    """A convex function and two places; t is between 0 and 1."""
    a, b, c = draw.normal(3)
    t = draw.distribution(2)[0]

    def f(x):
        return torch.abs(x - c) + torch.exp(x) - 4

    return {"a": a, "b": b, "t": t, "f": f}


@setting("glossary")
def linear_function(draw):
    """A linear map of vectors, numbers and vectors."""
    d, k = draw.size(), draw.size()
    a, b = draw.normal(2)
    x, y, A = draw.normal(d), draw.normal(d), draw.normal(k, d)
    return {"a": a, "b": b, "x": x, "y": y, "f": lambda v: functional.linear(v, A)}


@setting("glossary")
def smooth_function(draw):
    """A smooth function and a step that is short, as ≈ asks, but not too short."""
    return {"f": torch.sin, "x": draw.normal(), "h": 1e-4, r"\approx": 1e-6}


@setting("glossary")
def two_distributions(draw):
    """Two distributions, with the entropies and the divergence of torch."""
    k = draw.size()
    p, q = draw.distribution(k), draw.distribution(k)

    def entropy(q, p=None):
        if p is None:
            return torch.distributions.Categorical(q).entropy()
        return functional.cross_entropy(torch.log(p), q)

    def divergence(q, p):
        return functional.kl_div(torch.log(p), q, reduction="sum")

    return {
        **{"z": Index(k), "H": entropy, r"\KL": divergence},
        **{
            "p": Both(p, lambda z: p[int(z) - 1]),
            "q": Both(q, lambda z: q[int(z) - 1]),
        },
    }


@setting("glossary")
def least_squares(draw):
    """Any data; more examples than features, and weights of least squared error."""
    d = draw.size(2, 3)
    n = d + draw.integer(1, 2)
    X, y = draw.normal(n, d), draw.normal(n)
    w = torch.linalg.lstsq(X.detach(), y.detach()[:, None]).solution[:, 0]
    return {"X": X, "y": y, "w": w, "i": Index(n), "r": X @ w - y}


@setting("glossary")
def differentiable_loss(draw):
    """A loss of a vector and a move."""
    w, A = draw.normal(3), draw.normal(2, 3)

    def loss(w):
        return torch.exp(A @ w / 4).sum()

    return {"w": w, "L": Quantity(loss, "w"), r"\dd w": draw.normal(3)}


@setting("glossary")
def classifier(draw):
    """Data with labels +1 and −1; the loss is PyTorch's, with labels 0 and 1."""
    n, d = draw.size(), draw.size()
    X, y = draw.normal(n, d), draw.signs(n)

    def loss(w):
        return functional.binary_cross_entropy_with_logits(
            X @ w, (y > 0).double(), reduction="sum"
        )

    return {"i": Index(n), "x": Family(X), "y": y, "w": draw.normal(d), "L": loss}


given("p = q", r"y = \pm 1")
