"""Checks of the exercises in the chapter on linear regression."""

import torch
import torch.nn.functional as F

from snippets.exercises import exercise
from snippets.exercises.trying import Wrong, agree, call, close, normal, numbers

# The sheet's data, as in the chapter.
X = torch.arange(1.0, 10.0, dtype=torch.float64).reshape(3, 3)
Y = torch.tensor([2.0, 4.0, 8.0], dtype=torch.float64)
FLAT = torch.tensor([1.0, -2.0, 1.0], dtype=torch.float64)  # X sends it to 0


def _slope(loss, w):
    """The gradient by autograd, at weights that may come from anywhere."""
    w = w.clone().requires_grad_()
    return torch.autograd.grad(loss(w), w)[0]


@exercise(
    '''
    def ridge(strength):
        """The minimiser on the sheet's data for this λ."""
        ...
    '''
)
def ridge(answer):
    """The gradient of the penalised loss must vanish."""
    for strength in (1.0, 0.01, 100.0, 0.3):
        given = f"For λ = {strength} the result"
        w = numbers(call(answer, strength), given, (3,))

        def fit(w):
            return ((X @ w - Y) ** 2).sum()

        def penalised(w, strength=strength):
            return ((X @ w - Y) ** 2).sum() + strength * (w**2).sum()

        slope = _slope(penalised, w)
        if slope.abs().max() < 1e-2 * strength:
            continue
        hint = "The gradient of F is not 0 there."
        if _slope(fit, w).abs().max() < 1e-4:
            hint = "That minimises the squared residuals alone: where is the penalty?"
        elif close(_slope(fit, w), -w * strength, 1e-5):
            hint = "There the penalty has half its weight: differentiate λ‖w‖² again."
        elif close(_slope(fit, w), 2 * w * strength, 1e-5):
            hint = "There the penalty has the wrong sign."
        elif close(_slope(fit, w) / 3, -2 * w * strength, 1e-5):
            hint = "There the squared residuals are averaged; F has their sum."
        raise Wrong(f"{given} is no minimum of F. {hint}")
    return "the gradient of F is 0 there, for four λ"


@exercise(
    '''
    def gradient(W, X, Y):
        """Of the sum of squared residuals of X Wᵀ - Y, by W."""
        ...
    '''
)
def many_outputs(answer):
    """Against autograd, for sizes that are all different."""
    for n, d, k in ((4, 3, 2), (5, 2, 3), (2, 4, 1), (3, 3, 3)):
        W, X, Y = (normal(*s, dtype=torch.float64) for s in ((k, d), (n, d), (n, k)))
        wanted = _slope(lambda W, X=X, Y=Y: F.mse_loss(X @ W.T, Y, reduction="sum"), W)
        given = f"For n = {n}, d = {d}, k = {k} the gradient"
        found = numbers(call(answer, W, X, Y), given)
        hint = ""
        if found.shape == (d, k) != (k, d):
            hint = "A gradient has the shape of what it is taken by."
        elif found.shape == (k, d) and close(found * n * k, wanted):
            hint = "That is the gradient of the mean over all entries."
        elif found.shape == (k, d) and close(found * n, wanted):
            hint = "That is the gradient of a mean over the examples."
        elif found.shape == (k, d) and close(found * 2, wanted):
            hint = "Where is the 2 of the square?"
        agree(found, wanted, given, hint)
    return "autograd finds the same gradients, for four choices of sizes"


@exercise(
    '''
    def settle(start):
        """Where 3000 steps with η = 0.003 on the sum of squares end."""
        ...
    '''
)
def two_starts(answer):
    """The end must be a minimum, and at the right place along the flat direction."""
    for start in ([3.0, 2.0, 1.0], [0.0, 0.0, 3.0], [1.0, -1.0, 0.5]):
        given = f"From {tuple(start)} the end"
        begin = torch.tensor(start, dtype=torch.float64)
        end = numbers(call(answer, list(start)), given, (3,))
        if not end.isfinite().all():
            raise Wrong(f"{given} is infinitely far away: is it η times the gradient?")
        slope = _slope(lambda w: ((X @ w - Y) ** 2).sum(), end)
        if torch.equal(end, begin):
            raise Wrong(f"{given} is where it began: is the new w kept?")
        if slope.abs().max() > 1e-3:
            raise Wrong(
                f"{given} is no minimum; the largest entry of the gradient is still "
                f"{slope.abs().max().item():.2g}. Is it the sum, and are there 3000 "
                "steps, in float64?"
            )
        if abs(FLAT @ end - FLAT @ begin) > 1e-3:
            raise Wrong(
                f"{given} is a minimum, but not the one that is reached from there: "
                "does the run begin at `start`?"
            )
    return "a minimum that descent can reach, from three starts"
