"""The equations of the first chapter: one derivative, and how wrong a difference is."""

import torch

from snippets.checks import Both, Quantity, given, setting


def parabola(w):
    """The loss of the chapter, operation by operation."""
    return torch.square(torch.sub(2 * w, 1))


# Settings


@setting("getting-started", "ex-getting-started-difference")
def first_loss(draw):
    """Any w; L' is autograd's derivative."""
    return {"w": draw.normal(), "L": Quantity(parabola, "w")}


@setting("getting-started", example=True)
def first_loss_at_3(draw):
    """The numbers of the table and of the first finite difference."""
    w = torch.tensor(3.0).double()
    return {"w": w, "r": 2 * w - 1, "h": 0.5, "L": Quantity(parabola, "w")}


@setting("ex-getting-started-nested")
def nested(draw):
    """The three functions one inside the other; their derivatives are autograd's."""

    def function(v):
        return torch.exp(torch.sin(torch.square(v)))

    v = draw.normal()
    a = torch.square(v)
    b = torch.sin(a)
    return {"v": v, "a": a, "b": b, "f": Both(torch.exp(b), function)}


@setting("ex-getting-started-difference")
def quadratic(draw):
    """Any quadratic, by Horner's rule."""
    alpha, beta, gamma = draw.normal(3)
    return {
        **{r"\alpha": alpha, r"\beta": beta, r"\gamma": gamma},
        **{"w": draw.normal(), "h": draw.normal()},
        "f": lambda w: (alpha * w + beta) * w + gamma,
    }


@setting("ex-getting-started-difference")
def cube(draw):
    """The cube."""
    return {"w": draw.normal(), "h": draw.normal(), "f": lambda w: torch.pow(w, 3)}


given("v = 1", "w = 2")
