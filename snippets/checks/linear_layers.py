"""The equations of linear layers: affine gradients, initial values, two layers."""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd.functional import hessian, jacobian
from torch.distributions import Uniform

from snippets.checks import (
    Both,
    Family,
    Index,
    Quantity,
    autograd,
    check,
    differences,
    given,
    numbers,
    setting,
)


def any_loss(draw, k):
    """Some differentiable function of k outputs, or of rows of k outputs."""
    mixed = draw.normal(k, k).detach()
    return lambda z: torch.sin(z @ mixed).sum()


def initial(d):
    """The distribution of the initial values of a layer with d inputs."""
    bound = 1 / torch.sqrt(torch.tensor(float(d), dtype=torch.float64))
    return Uniform(-bound, bound)


def directions(size, variance):
    """Vectors of mean zero, equally probable, whose entries have the variance.

    Different entries have the mean product 0, as if they were independent; so the mean
    of any polynomial of degree two is exact.
    """
    axes = math.sqrt(size * variance) * torch.eye(size).double()
    return [*axes, *-axes]


def ones(n):
    """The vector of n ones."""
    return torch.ones(n, dtype=torch.float64)


# Settings


@setting("linear-layers", "nn-linear", "affine-gradient", "composing-affine-maps")
def one_example(draw):
    """A layer with one input, and some loss of its output."""
    k, d = draw.size(), draw.size()
    W, b, x = draw.normal(k, d), draw.normal(k), draw.normal(d)
    loss, z = any_loss(draw, k), F.linear(x, W, b)
    return {
        **{"k": k, "d": d, "j": Index(k), "m": Index(d), "W": W, "w": Family(W)},
        **{"b": b, "x": x, "u": torch.mv(W, x), "z": z},
        **{"L": Quantity(loss, "z"), "g": autograd(loss, z)},
    }


@setting("linear-layers", "nn-linear", "affine-gradient")
def batch(draw):
    """A layer with several inputs in rows, and some loss of all outputs."""
    n, d, k = draw.size(), draw.size(), draw.size()
    X, W, b = draw.normal(n, d), draw.normal(k, d), draw.normal(k)
    loss, Z = any_loss(draw, k), F.linear(X, W, b)
    G = autograd(loss, Z)
    return {
        **{"n": n, "d": d, "k": k, "i": Index(n), "j": Index(k), "m": Index(d)},
        **{"X": X, "x": Family(X), "W": W, "b": b, "Z": Z, r"\mathbf1": ones(n)},
        **{"L": Quantity(loss, "Z"), "G": G, "g": Family(G)},
        **{r"\dd X": draw.normal(n, d), r"\dd W": draw.normal(k, d)},
        **{r"\dd b": draw.normal(k), "A": draw.normal(n, k), "B": draw.normal(n, k)},
    }


@setting("affine-gradient")
def two_matrices(draw):
    """Two matrices of the shape of W."""
    k, d = draw.size(), draw.size()
    A, B = draw.normal(k, d), draw.normal(k, d)
    return {"j": Index(k), "m": Index(d), "A": A, "B": B}


@setting("ex-linear-layers-different-losses", "initial-values")
def two_losses(draw):
    """One pair of scores and the losses of both labels, which count from 0."""
    z, y = draw.normal(2), draw.integer(0, 1)
    losses = [F.cross_entropy(z, torch.tensor(label)) for label in (0, 1)]
    return {
        **{"z": z, "y": y, "first": 0, "L": losses[y]},
        **{"L_{y=0}": losses[0], "L_{y=1}": losses[1]},
    }


@setting("initial-values")
def uniform(draw):
    """A number that is uniform between −a and a: exact means by Gauss's nodes."""
    a = draw.positive()
    nodes = zip(*np.polynomial.legendre.leggauss(3), strict=True)
    return {"a": a, r"\E": [(c / 2, {"w": a * at}) for at, c in nodes]}


@setting("initial-values")
def fresh_weight(draw):
    """One weight of a fresh layer with d inputs."""
    d = draw.size()
    weight = initial(d)
    values = (weight.mean + weight.stddev, weight.mean - weight.stddev)
    return {"d": d, "a": weight.high, r"\E": [(0.5, {"w": w}) for w in values]}


def fresh(draw, bias):
    """A fresh layer: its means over all initial values."""
    d, k = draw.size(), draw.size()
    x, outcomes = draw.normal(d), []
    for values in directions(k * (d + 1), initial(d).variance):
        W, b = values[: k * d].reshape(k, d), bias * values[k * d :]
        changes = {"W": W, "b": b, "z": F.linear(x, W, b)}
        outcomes.append((1 / (2 * k * (d + 1)), changes))
    W, b = draw.normal(k, d), draw.normal(k)
    return {
        **{"d": d, "k": k, "j": Index(k), "m": Index(d), "x": x, "W": W, "b": b},
        **{"z": F.linear(x, W, b), r"\E": outcomes},
    }


@setting("initial-values")
def fresh_layer(draw):
    """The outputs of a fresh layer for one input."""
    return fresh(draw, bias=1)


@setting("composing-affine-maps")
def fresh_without_bias(draw):
    """The outputs of a fresh layer without a bias."""
    return fresh(draw, bias=0)


@setting("linear-or-affine")
def affine(draw):
    """An affine map, two inputs and two numbers."""
    k, d = draw.size(), draw.size()
    W, b = draw.normal(k, d), draw.normal(k)
    return {
        **{"f": Quantity(lambda x: F.linear(x.expand(d), W, b)), "W": W, "b": b},
        **{"x": draw.normal(d), "u": draw.normal(d), "v": draw.normal(d)},
        **{r"\alpha": draw.normal(), r"\beta": draw.normal()},
    }


@setting("linear-or-affine")
def linear(draw):
    """A map without a constant."""
    symbols = affine.function(draw)
    W = symbols["W"]
    return {**symbols, "f": Quantity(lambda x: F.linear(x.expand(W.shape[1]), W))}


@setting("linear-or-affine")
def on_the_boundary(draw):
    """Two classes, 0 and 1, and an input at which their scores tie."""
    d = draw.size()
    W, x, tie = draw.normal(2, d), draw.normal(d), draw.normal()
    return {"w": Family(W, start=0), "b": tie - W @ x, "x": x, "first": 0}


@setting("composing-affine-maps")
def two_layers(draw):
    """Two layers, one after the other; M and c are found from what they compute."""
    n, d, q, k = draw.size(), draw.size(), draw.size(1), draw.size()
    first = draw.normal(q, d), draw.normal(q)
    second = draw.normal(k, q), draw.normal(k)
    X, x, loss = draw.normal(n, d), draw.normal(d), any_loss(draw, k)

    def stack(x):
        return F.linear(F.linear(x, *first), *second)

    H = F.linear(X, *first)
    Z = F.linear(H, *second)
    return {
        **{"n": n, "d": d, "q": q, "k": k, "X": X, "x": x, r"\mathbf1": ones(n)},
        **{"W_1": first[0], "b_1": first[1], "W_2": second[0], "b_2": second[1]},
        **{"h": F.linear(x, *first), "z": stack(x), "H": H, "Z": Z},
        **{"M": jacobian(stack, x), "c": stack(torch.zeros_like(x))},
        **{"L": Quantity(loss, "Z"), "G": autograd(loss, Z)},
    }


@setting("composing-affine-maps")
def zero_start(draw):
    """Two layers that are zero, and two examples of each of two classes."""
    d, q = draw.size(), draw.size()
    shapes = {"W_1": (q, d), "b_1": (q,), "W_2": (2, q), "b_2": (2,)}
    layers = {
        name: torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        for name, shape in shapes.items()
    }
    X, y = draw.normal(4, d), torch.tensor([1, 0, 1, 0])
    H = F.linear(X, layers["W_1"], layers["b_1"])
    Z = F.linear(H, layers["W_2"], layers["b_2"])

    def loss(Z):
        return F.cross_entropy(Z, y, reduction="sum")

    return {
        **{**layers, "H": H.detach(), r"\mathbf1": ones(4)},
        **{"L": loss(Z), "G": autograd(loss, Z)},
    }


@setting("ex-linear-layers-root-five")
def kaiming(draw):
    """The gain that PyTorch computes, and the uniform bound with that deviation."""
    d, a = draw.size(), draw.positive().item()
    gain = nn.init.calculate_gain("leaky_relu", a)
    # A uniform number between −B and B has the standard deviation 2B / √12.
    return {"d": d, "a": a, r"\text{gain}": gain, "B": math.sqrt(12 / d) * gain / 2}


@setting("ex-linear-layers-root-five")
def root_five(draw):
    """The slope √5, and the documented bound."""
    d, a = draw.size(), math.sqrt(5)
    gain = nn.init.calculate_gain("leaky_relu", a)
    return {"d": d, "a": a, r"\text{gain}": gain, "B": d**-0.5}


def scalar_layers(draw, scale=1.0):
    """Two layers of one number each; a scale of 0 is the origin."""
    old, new, x, y = scale * draw.normal(), scale * draw.normal(), *draw.normal(2)

    def loss(old, new):
        hidden = F.linear(x[None], old[None, None])
        return F.mse_loss(F.linear(hidden, new[None, None])[0], y)

    return {
        **{"w_1": old, "w_2": new, "x": x, "y": y, "z": x * old * new},
        **{"r": x * old * new - y, "L": Both(loss(old, new), loss)},
        "H": torch.tensor(hessian(loss, (old, new))).double(),
    }


@setting("ex-linear-layers-saddle")
def two_numbers(draw):
    """Two layers of one number each."""
    return scalar_layers(draw)


@setting("ex-linear-layers-saddle")
def at_the_origin(draw):
    """What is said of the place where both weights are zero."""
    symbols = scalar_layers(draw, scale=0.0)
    return {name: symbols[name] for name in ("x", "y", "r", "H")}


@setting("ex-linear-layers-saddle")
def on_the_curve(draw):
    """Weights that fit the target: the loss is zero."""
    symbols = scalar_layers(draw)
    return {**symbols, "y": symbols["z"]}


@setting("ex-linear-layers-regression")
def regression(draw):
    """Linear regression as a layer with one output and no bias."""
    n, d = draw.size(), draw.size()
    X, W, y = draw.normal(n, d), draw.normal(1, d), draw.normal(n)
    z = F.linear(X, W)[:, 0]
    loss = nn.MSELoss(reduction="sum")
    return {
        **{"n": n, "X": X, "W": W, "w": W[0], "y": y, "z": z, "r": z - y},
        **{"L": loss(z, y), "G": autograd(lambda z: loss(z, y), z)},
    }


@setting("ex-linear-layers-fold")
def folded(draw):
    """A layer whose weight has the bias as its last column."""
    n, d, k = draw.size(), draw.size(), draw.size()
    X, wide, loss = draw.normal(n, d), draw.normal(k, d + 1), any_loss(draw, k)
    Z = F.linear(X, wide[:, :d], wide[:, d])
    return {
        **{"X": X, "W": wide[:, :d], "b": wide[:, d], r"\tilde W": wide, "Z": Z},
        **{r"\tilde X": F.pad(X, (0, 1), value=1.0), r"\mathbf1": ones(n)},
        **{"L": loss(Z), "G": autograd(loss, Z)},
    }


@setting("linear-layers", example=True)
def sheet(draw):
    """The input of the tutorial sheet, and the bias that makes a tie."""
    return {"x": torch.arange(1.0, 4.0).double(), "b": torch.tensor([18.0, 0.0])}


@setting("affine-gradient", example=True)
def tie(draw):
    """The layer of the chapter at the sheet's input, for label 1 of 0 and 1."""
    W = torch.arange(4.0, 10.0).double().reshape(2, 3)
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)

    def loss(z):
        return F.cross_entropy(z, torch.tensor(1))

    z = F.linear(x, W, torch.tensor([18.0, 0.0]).double())
    return {"w": Family(W, start=0), "x": x, "L": loss(z), "g": autograd(loss, z)}


@setting("affine-gradient", example=True)
def whole_numbers(draw):
    """The four examples of the chapter, and the whole numbers in G."""
    X = torch.tensor([[1.0, 2, 3], [0, 1, 0], [2, 0, 1], [0, 0, 0]])
    G = torch.tensor([[1.0, 0], [0, -1], [2, 1], [0, 3]])
    return {"x": Family(X), "g": Family(G)}


@setting("ex-linear-layers-regression", example=True)
def regression_sheet(draw):
    """The weights and targets of the tutorial sheet."""
    w, y = torch.tensor([3.0, 2.0, 1.0]), torch.tensor([2.0, 4.0, 8.0])
    return {"w": w, "y": y}


# Checks


@check("eq-linear-layers-layer", one_example)
def layer(W, b, x):
    """All outputs, and each output by itself."""
    loops = [sum(W[j, m] * x[m] for m in range(len(x))) + b[j] for j in range(len(b))]
    return {
        "two loops": [numbers(loops), numbers(loops)],
        "nn.functional.linear": [F.linear(x, W, b), F.linear(x, W, b)],
    }


@check("eq-linear-layers-batch", batch)
def rows(X, W, b):
    """One row of outputs for each row of inputs."""
    return {
        "example by example": torch.stack([W @ row + b for row in X]),
        "NumPy": X.numpy() @ W.numpy().T + b.numpy(),
        "nn.functional.linear": F.linear(X, W, b),
    }


@check("eq-linear-layers-one-example", one_example)
def gradients(W, b, x, L):
    """The slopes of the loss along weight, bias and input."""

    def loss(W, b, x):
        return L(F.linear(x, W, b))

    return {
        "autograd": autograd(loss, W, b, x),
        "central differences": differences(loss, W, b, x),
    }


@check("eq-linear-layers-batch-gradient", batch)
def batch_gradients(X, W, b, L):
    """The same for a batch; the loss mixes all outputs of an example."""

    def loss(W, b, X):
        return L(F.linear(X, W, b))

    return {
        "autograd": autograd(loss, W, b, X),
        "central differences": differences(loss, W, b, X),
    }


@check("eq-linear-layers-weight-variance", fresh_weight)
def weight_variance(d):
    """Mean and mean square of the distribution in PyTorch's documentation."""
    bound = 1 / math.sqrt(d)
    middles = (np.arange(10_000) + 0.5) / 10_000 * 2 * bound - bound
    gain = nn.init.calculate_gain("leaky_relu", math.sqrt(5))
    return {
        "10 000 equal steps": [middles.mean(), np.mean(middles**2)],
        "the gain of nn.init": [0, gain**2 / d],
    }


@check("eq-linear-layers-output-variance", fresh_layer)
def output_variance(x, k):
    """The mean square of an output, over two values of each weight and of the bias."""
    value = 1 / math.sqrt(3 * len(x))
    corners = itertools.product([-value, value], repeat=len(x) + 1)
    outputs = [np.dot(weights, x.numpy()) + bias for *weights, bias in corners]
    variance = initial(len(x)).variance
    return {
        "independent signs": np.full(k, np.mean(np.square(outputs))),
        "a sum of variances": variance * sum(c**2 for c in [*x, 1.0]) * ones(k),
    }


@check("eq-linear-layers-affine-gap", affine)
def affine_gap(*, W, b, u, v, alpha, beta):
    """The layer at a sum of multiples."""
    z = W.numpy() @ (alpha * u + beta * v).numpy() + b.numpy()
    return {"NumPy": z, "nn.functional.linear": F.linear(alpha * u + beta * v, W, b)}


@check("eq-linear-layers-collapse", two_layers)
def collapse(W_1, b_1, W_2, b_2, x):
    """The stack as one layer: its output, its slopes, and its output at zero."""

    def stack(x):
        return W_2 @ (W_1 @ x + b_1) + b_2

    at_zero = stack(torch.zeros_like(x))
    columns = [stack(unit) - at_zero for unit in torch.eye(len(x)).double()]
    return {
        "its values at unit vectors": [stack(x), torch.stack(columns, 1), at_zero],
        "autograd": [stack(x), jacobian(stack, x), stack(x) - jacobian(stack, x) @ x],
    }


@check("eq-linear-layers-stack-gradient", two_layers)
def stack_gradient(*, X, W_1, b_1, W_2, b_2, L):
    """The slopes of the loss along the first layer's weight and bias."""

    def loss(W_1, b_1):
        return L(F.linear(F.linear(X, W_1, b_1), W_2, b_2))

    return {
        "autograd": autograd(loss, W_1, b_1),
        "central differences": differences(loss, W_1, b_1),
    }


given(
    *("d = 3", "d = 100", "b = 0", r"\alpha + \beta = 1", "x = 0"),
    *(r"q \ge \min(d, k)", "q = d", "W_1 = I", "W_2 = W", "x = 1", "y = 2"),
)
