"""The symbols of the book that are explained by a formula."""

import torch

from snippets.checks import Family, Index, given, setting


@setting("notation")
def data(draw):
    """Any data with labels +1 and −1, and what is computed from them."""
    n, d = draw.size(), draw.size()
    X, y, w = draw.normal(n, d), draw.signs(n), draw.normal(d)
    scores = torch.mv(X, w)
    return {
        **{"i": Index(n), "X": X, "x": Family(X), "y": y, "w": w, "r": scores - y},
        **{"t": (y > 0).double(), "m": torch.where(y > 0, scores, -scores)},
        **{"p": torch.special.expit(scores), "v": draw.normal(d)},
    }


@setting("notation")
def function(draw):
    """A function of vectors, with its Jacobian by forward mode."""
    n, m = draw.size(), draw.size()
    x, A = draw.normal(n), draw.normal(m, n)

    def f(x):
        return torch.sin(A @ (x * x))

    J = torch.func.jacfwd(f)(x)
    return {"i": Index(m), "j": Index(n), "x": x, "y": f(x), "J": J}


given(r"e_t = w_t - w^*")
