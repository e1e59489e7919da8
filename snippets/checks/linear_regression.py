"""The equations of linear regression: the sum of squares, its gradient, its minimum."""

import math

import numpy as np
import torch

from snippets.checks import (
    Both,
    Family,
    Index,
    Quantity,
    autograd,
    check,
    differences,
    given,
    setting,
    unchecked,
)


# The defaults of torch.isclose, as its documentation gives them.
TOLERANCES = {r"\text{rtol}": 1e-5, r"\text{atol}": 1e-8}


def squared_error(X, y):
    """The loss as a function of the weights."""
    return lambda w: ((X @ w - y) ** 2).sum()


def minimiser(X, y):
    """The shortest minimiser, from LAPACK's solver by singular values."""
    found = torch.linalg.lstsq(X.detach(), y.detach()[:, None], driver="gelsd")
    return found.solution[:, 0]


# Settings


@setting("linear-regression")
def least_squares(draw):
    """Any data and weights; the loss is computed step by step, as on its graph."""
    n, d = draw.size(), draw.size()
    X, y, w = draw.normal(n, d), draw.normal(n), draw.normal(d)
    z = X @ w
    r = z - y
    m = torch.linalg.vector_norm(r)
    return {
        **{"n": n, "d": d, "i": Index(n), "j": Index(d), "l": Index(d)},
        **{"X": X, "x": Family(X), "y": y, "w": w, "z": z, "r": r, "m": m},
        **{"h": draw.normal(d), "e": Family(torch.eye(d).double())},
        "L": Both(m**2, squared_error(X, y)),
        r"\grad": "w",
        r"\dd w": draw.normal(d),
        "g": autograd(squared_error(X, y), w),
        r"\sigma": draw.positive(),
        r"\eta": draw.positive(),
    }


@setting("four-routes")
def central_difference(draw):
    """A step along one weight that is short, as ≈ asks, but not too short."""
    symbols = least_squares.function(draw)
    return {**symbols, "h": 1e-4, r"\approx": 1e-6}


@setting("normal-equations", "ex-linear-regression-variance")
def at_a_minimum(draw):
    """More examples than features, and weights that solve the normal equations."""
    d = draw.size(2, 3)
    n = d + draw.integer(1, 2)
    X, y, sigma = draw.normal(n, d), draw.normal(n), draw.positive()
    w = minimiser(X, y)
    loss = squared_error(X, y)
    return {
        **{"n": n, "d": d, "X": X, "y": y, "w": w, "w^*": w, "h": draw.normal(d)},
        "r": X @ w - y,
        "L": Quantity(loss, "w"),
        "L^*": loss(w),
        r"\sigma": sigma,
        r"\hat \sigma": torch.sqrt(((X @ w - y) ** 2).mean()),
    }


@setting("normal-equations")
def dependent_columns(draw):
    """A matrix with a column too many, and an h that it sends to zero."""
    n = draw.size()
    columns = draw.normal(n, 2)
    a, b = draw.normal(2)
    X = torch.cat([columns, columns @ torch.stack([a, b])[:, None]], dim=1).detach()
    return {"n": n, "d": 3, "X": X, "h": torch.stack([a, b, -torch.ones_like(a)])}


@setting("gaussian-likelihood")
def gaussian_noise(draw):
    """Targets whose density is that of ``torch.distributions``."""
    n, d = draw.size(), draw.size()
    X, y, w, sigma = draw.normal(n, d), draw.normal(n), draw.normal(d), draw.positive()
    # Beyond that a product of densities is too small for float64.
    draw.require(torch.abs((X @ w - y) / sigma).max() < 10)

    def density(target, inputs, weights):
        """Of one target, or of all, which are independent."""
        model = torch.distributions.Normal(inputs @ weights, sigma)
        return torch.exp(model.log_prob(target)).prod()

    return {
        **{"n": n, "d": d, "i": Index(n), "X": X, "x": Family(X), "y": y, "w": w},
        **{"r": X @ w - y, r"\sigma": sigma, r"\eps": y - X @ w},
        "p": Quantity(density),
    }


@setting("ex-linear-regression-bias")
def with_a_bias(draw):
    """A bias beside the weights, which alone varies."""
    n, d = draw.size(), draw.size()
    X, y, w, b = draw.normal(n, d), draw.normal(n), draw.normal(d), draw.normal()
    ones = torch.ones(n, dtype=torch.float64)
    r = X @ w + b - y
    return {
        **{"n": n, "i": Index(n), "X": X, "y": y, "w": w, "b": b, "r": r},
        **{r"\mathbf1": ones, "L": (r**2).sum(), r"\dd b": draw.normal()},
    }


@setting("ex-linear-regression-ridge")
def ridge(draw):
    """The penalised loss; its solution is that of another least-squares problem."""
    n, d = draw.size(), draw.size()
    X, y, w, lam = draw.normal(n, d), draw.normal(n), draw.normal(d), draw.positive()
    # ‖Xw − y‖² + λ‖w‖² is the squared error of X and y with √λ I and 0 below them.
    stacked = torch.cat([X, torch.sqrt(lam) * torch.eye(d).double()])
    solution = minimiser(stacked, torch.cat([y, torch.zeros(d).double()]))
    return {
        **{"n": n, "d": d, "X": X, "y": y, "w": w, "h": draw.normal(d)},
        **{r"\lambda": lam, "I": torch.eye(d), r"w_\lambda": solution},
        "F": Quantity(lambda w: ((X @ w - y) ** 2).sum() + lam * (w**2).sum(), "w"),
        r"\grad": "w",
        r"\dd w": draw.normal(d),
    }


@setting("ex-linear-regression-ridge")
def ridge_solution(draw):
    """The ridge solution as the weights."""
    symbols = ridge.function(draw)
    return {**symbols, "w": symbols[r"w_\lambda"]}


@setting("ex-linear-regression-many-outputs")
def several_outputs(draw):
    """A row of weights for each output."""
    n, d, k = draw.size(), draw.size(), draw.size()
    X, Y, W = draw.normal(n, d), draw.normal(n, k), draw.normal(k, d)
    R = X @ W.T - Y
    return {
        **{"n": n, "d": d, "k": k, "X": X, "Y": Y, "W": W, "R": R, "L": (R**2).sum()},
    }


@setting("ex-linear-regression-many-outputs", example=True)
def two_outputs(draw):
    """The sizes of the exercise."""
    return {"n": 4, "k": 2}


@setting("linear-regression", example=True)
def sheet(draw):
    """The data of the tutorial sheet."""
    X = torch.arange(1.0, 10.0).double().reshape(3, 3)
    w = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([2.0, 4.0, 8.0], dtype=torch.float64)
    b = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    r = X @ w + b - y
    return {
        **{"n": 3, "d": 3, "X": X, "w": w, "y": y, "b": b, "r": r, "L": (r**2).sum()},
        **{
            "u": torch.tensor([1.0, -2.0, 1.0]).double(),
            "h": torch.tensor([1.0, -1.0, 2.0]),
        },
        r"\grad": "w",
        r"\hat \sigma": math.sqrt(2 / 9),
    }


@setting("normal-equations", "ex-linear-regression-ridge", example=True)
def sheet_at_a_minimum(draw):
    """The sheet's data at the minimum with a third weight of 0; with a penalty too."""
    symbols = sheet.function(draw)
    X, y = symbols["X"], symbols["y"]
    t, lam = -1 / 6, 1.0
    best = minimiser(X, y)
    gram = X.T @ X + lam * torch.eye(3, dtype=torch.float64)
    return {
        **symbols,
        **{"w": best + t * symbols["u"], "w^*": best + t * symbols["u"], "t": t},
        **{"r^*": X @ best - y, "c": -1 / 3, "L": Quantity(squared_error(X, y))},
        **{r"\lambda": lam, r"w_\lambda": torch.linalg.solve(gram, X.T @ y)},
    }


@setting("misconception-linear-regression-zero-gradient", example=True)
def parabola(draw):
    """Targets that are the squares of the inputs."""
    return {"y": torch.arange(-2.0, 3.0).double() ** 2}


@setting("ex-linear-regression-two-starts")
def any_minimiser(draw):
    """The sheet's data with any of its minimisers."""
    symbols = sheet.function(draw)
    t = draw.normal()
    best = minimiser(symbols["X"], symbols["y"])
    return {**symbols, "t": t, "w^*": best + t * symbols["u"]}


@setting("ex-linear-regression-two-starts", example=True)
def first_start(draw):
    """The start (3, 2, 1) belongs to t = 0."""
    return {**any_minimiser.function(draw), "t": 0}


@setting("ex-linear-regression-two-starts", example=True)
def second_start(draw):
    """The start (0, 0, 3) belongs to t = 1/2."""
    w = torch.tensor([0.0, 0.0, 3.0], dtype=torch.float64)
    return {**any_minimiser.function(draw), "w": w, "t": 1 / 2}


@setting("four-routes")
def tolerance(draw):
    """What ``allclose`` asks with its default tolerances, of two numbers that pass."""
    a, b = draw.normal(), draw.normal()
    return {"a": b + 1e-6 * a.tanh() * b.abs(), "b": b, **TOLERANCES}


# Checks


@check("eq-linear-regression-loss", least_squares)
def loss(X, w, y):
    """The sum of squares in one loop, and with arrays."""
    residuals = [
        sum(X[i, j] * w[j] for j in range(len(w))) - y[i] for i in range(len(y))
    ]
    return {
        "two loops": sum(residual**2 for residual in residuals),
        "NumPy": np.sum((X.numpy() @ w.numpy() - y.numpy()) ** 2),
        "MSELoss": torch.nn.MSELoss(reduction="sum")(X @ w, y),
    }


@check("eq-linear-regression-gradient", least_squares)
def gradient(X, w, y):
    """The slope of the loss along each weight."""

    def loss(w):
        return ((X @ w - y) ** 2).sum()

    return {
        "autograd": autograd(loss, w),
        "autograd, through the norm": autograd(lambda w: (X @ w - y).norm() ** 2, w),
        "central differences": differences(loss, w),
    }


@check("eq-linear-regression-expansion", least_squares)
def expansion(X, w, y, h):
    """The loss after a step of any size."""
    moved = X.numpy() @ (w + h).numpy() - y.numpy()
    return {"the loss itself, in NumPy": moved @ moved}


@check("eq-linear-regression-normal", at_a_minimum)
def normal(X, y):
    """Both sides at the weights that LAPACK's least-squares solver finds."""
    weights, *_ = np.linalg.lstsq(X.numpy(), y.numpy(), rcond=None)
    gram = X.numpy().T @ X.numpy()
    return {
        "lstsq": [X.numpy().T @ (X.numpy() @ weights - y.numpy()), gram @ weights],
    }


@check("eq-linear-regression-likelihood", gaussian_noise)
def likelihood(X, w, y, sigma):
    """The negative logarithm of a product of densities."""
    densities = [
        math.exp(-0.5 * float((target - mean) / sigma) ** 2)
        / (float(sigma) * math.sqrt(2 * math.pi))
        for mean, target in zip(X @ w, y, strict=True)
    ]
    model = torch.distributions.Normal(X @ w, sigma)
    return {
        "the product of the densities": -math.log(math.prod(densities)),
        "torch.distributions": -model.log_prob(y).sum(),
    }


given(
    *("l = j", r"\dd w = e_j", "m = 0", "r = 0", "h = 1"),
    *(r"\eta = 0.005", r"\eta = 0.001", r"\eta = 0.003", r"\sigma = 1", r"\sigma = 2"),
    *(r"n \neq d", "d = n", r"\sigma^2 < L^* / n", r"\operatorname{rank} X = d"),
)
unchecked(
    {
        r"""X = \begin{bmatrix} x_1^\T \\ \vdots \\ x_n^\T \end{bmatrix}
        \in \R^{n \times d},
        \qquad y = \begin{bmatrix} y_1 \\ \vdots \\ y_n \end{bmatrix} \in \R^n.""": (
            "it draws the arrays that the other formulas use"
        ),
        r"y_i = x_i^\T w + \eps_i, \qquad \eps_i \sim \Normal(0, \sigma^2)": (
            "it states the model"
        ),
        r"""\begin{aligned} &\argmin_w \bigl(-\log p(y \mid X, w)\bigr) \\
        &\quad = \argmin_w \norm{Xw - y}^2 \end{aligned}""": (
            "it compares sets of minimisers"
        ),
    }
)
