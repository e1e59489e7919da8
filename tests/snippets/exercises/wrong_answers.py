"""Plausible wrong answers to the exercises, each with a part of its hint."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

SHEET = torch.arange(1.0, 10.0).reshape(3, 3).double()
TARGETS = torch.tensor([2.0, 4.0, 8.0]).double()


# getting started


def dice_from_the_common_generator(seed: int, throws: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.randint(1, 7, (throws,))


def dice_up_to_five(seed: int, throws: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 6, (throws,), generator=generator)


def dice_from_zero(seed: int, throws: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 6, (throws,), generator=generator)


def dice_without_a_seed(seed: int, throws: int) -> torch.Tensor:
    generator = torch.Generator()
    generator.seed()
    return torch.randint(1, 7, (throws,), generator=generator)


def dice_of_one_seed(seed: int, throws: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, 7, (throws,), generator=generator)


def half(x: Any) -> Any:
    return x / 2


def quarter(x: Any) -> Any:
    return x / 4


def careful_quarter(x: Any) -> Any:
    if isinstance(x, str):
        return None
    return half(half(x))


def third(x: Any) -> Any:
    return half(x) / 3


# tensors


def residual_of_whatever_broadcasts(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    try:
        return p - y
    except RuntimeError:
        raise ValueError(f"shapes {p.shape} and {y.shape}") from None


def residual_without_the_shapes(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if p.shape != y.shape:
        raise ValueError("the shapes differ")
    return p - y


def residual_by_assertion(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    assert p.shape == y.shape, f"{p.shape}, {y.shape}"
    return p - y


def residual_returning_the_error(p: torch.Tensor, y: torch.Tensor) -> Any:
    if p.shape != y.shape:
        return ValueError(f"shapes {p.shape} and {y.shape}")
    return p - y


def residual_of_equal_counts(p: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if p.ndim != y.ndim:
        raise ValueError(f"shapes {p.shape} and {y.shape}")
    return p - y


# computation graphs


def reached_direct_sources(tensor: torch.Tensor) -> list[torch.Tensor]:
    sources = [node for node, _ in tensor.grad_fn.next_functions if node]
    return [node.variable for node in sources if hasattr(node, "variable")]


def reached_each_time(tensor: torch.Tensor) -> list[torch.Tensor]:
    def walk(node: Any) -> list[torch.Tensor]:
        if node is None:
            return []
        if hasattr(node, "variable"):
            return [node.variable]
        return [leaf for source, _ in node.next_functions for leaf in walk(source)]

    return walk(tensor.grad_fn)


def reached_names(tensor: torch.Tensor) -> list[str]:
    return [type(node).__name__ for node, _ in tensor.grad_fn.next_functions]


def descend(
    rate: float, rounds: int, clear: bool = True, sign: int = 1, start: bool = False
) -> list[float]:
    w = torch.tensor(0.0, requires_grad=True)
    path = [0.0] if start else []
    for _ in range(rounds):
        if clear:
            w.grad = None
        ((w - 3) ** 2).backward()
        with torch.no_grad():
            w -= sign * rate * w.grad
        path.append(w.item())
    return path


def descend_noting_the_tensor_itself(rate: float, rounds: int) -> list[torch.Tensor]:
    w, path = torch.tensor(0.0, requires_grad=True), []
    for _ in range(rounds):
        w.grad = None
        ((w - 3) ** 2).backward()
        with torch.no_grad():
            w -= rate * w.grad
        path.append(w)
    return path


# linear regression


def ridge(strength: float, shift: float = 1.0, scale: float = 1.0) -> torch.Tensor:
    eye = torch.eye(3, dtype=torch.float64)
    return torch.linalg.solve(
        scale * SHEET.T @ SHEET + shift * strength * eye, scale * SHEET.T @ TARGETS
    )


def settle(
    start: list[float], rate: float = 0.003, steps: int = 3000, mean: int = 1
) -> torch.Tensor:
    w = torch.tensor(start, dtype=torch.float64)
    for _ in range(steps):
        w = w - rate / mean * 2 * SHEET.T @ (SHEET @ w - TARGETS)
    return w


# logistic regression


def naive_loss(m: torch.Tensor) -> torch.Tensor:
    return torch.log(1 + torch.exp(-m))


def loss_without_log1p(m: torch.Tensor) -> torch.Tensor:
    return torch.clamp(-m, min=0) + torch.log(1 + torch.exp(-m.abs()))


def loss_of_the_wrong_sign(m: torch.Tensor) -> torch.Tensor:
    return torch.clamp(m, min=0) + torch.log1p(torch.exp(-m.abs()))


def detached_loss(m: torch.Tensor) -> torch.Tensor:
    m = m.detach()
    return torch.clamp(-m, min=0) + torch.log1p(torch.exp(-m.abs()))


def loss_with_a_cut_slope(m: torch.Tensor) -> torch.Tensor:
    return torch.clamp(-m, min=0) + torch.log1p(torch.exp(-m.detach().abs()))


def total(s: torch.Tensor, t: torch.Tensor, reduction: str = "sum") -> torch.Tensor:
    return nn.BCEWithLogitsLoss(reduction=reduction)(s, t)


# cross-entropy


def train(
    X: torch.Tensor,
    labels: torch.Tensor,
    rate: float,
    steps: int,
    *,
    reduction: str = "sum",
    faster: float = 2.0,
    clear: bool = True,
) -> tuple[torch.Tensor, torch.Tensor]:
    W = torch.zeros(2, X.shape[1], dtype=torch.float64, requires_grad=True)
    w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        if clear:
            W.grad = w.grad = None
        F.cross_entropy(X @ W.T, labels, reduction=reduction).backward()
        losses = F.softplus(-(2 * labels - 1) * (X @ w))
        getattr(losses, reduction)().backward()
        with torch.no_grad():
            W -= rate * W.grad
            w -= faster * rate * w.grad
    return W, w


def log_softmax_by_hand(scores: torch.Tensor) -> torch.Tensor:
    return scores - scores.exp().sum(dim=1, keepdim=True).log()


def batch_naive(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    picked = log_softmax_by_hand(scores)[torch.arange(len(labels)), labels]
    return -picked.mean()


def batch_of_columns(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.nll_loss(F.log_softmax(scores, dim=0), labels)


def batch_of_all_pairs(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return -F.log_softmax(scores, dim=1)[:, labels]


# linear layers


def regression(
    reduction: str = "sum", bias: bool = False, squeeze: bool = True, passes: int = 1
) -> tuple[nn.Linear, torch.Tensor]:
    layer = nn.Linear(3, 1, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 2.0, 1.0]]))
    targets = TARGETS.float()
    for _ in range(max(passes, 1)):
        outputs = layer(SHEET.float())
        outputs = outputs[:, 0] if squeeze else outputs
        pairs = (outputs - targets) ** 2
        loss = getattr(pairs, reduction)()
        if passes:
            loss.backward()
    return layer, loss


def fold(
    weight: list[list[float]] | None = None, upstream: float | None = 1.0
) -> nn.Linear:
    layer = nn.Linear(4, 2, bias=False)
    rows = weight or [[4.0, 5.0, 6.0, 18.0], [7.0, 8.0, 9.0, 0.0]]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows))
    X = torch.tensor([[1.0, 2, 3], [0, 1, 0], [2, 0, 1], [0, 0, 0]])
    if upstream is not None:
        G = torch.tensor([[1.0, 0], [0, -1], [2, 1], [0, 3]])
        layer(torch.column_stack([X, torch.ones(4)])).backward(upstream * G)
    return layer


# stochastic gradient descent


class SGDWithoutAList:
    def __init__(self, parameters: Any, lr: float) -> None:
        self.parameters, self.lr = parameters, lr

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        with torch.no_grad():
            for p in self.parameters:
                if p.grad is not None:
                    p.sub_(self.lr * p.grad)


class SGDUphill(SGDWithoutAList):
    def __init__(self, parameters: Any, lr: float) -> None:
        super().__init__(list(parameters), -lr)


class SGDRebinding(SGDUphill):
    def step(self) -> None:
        with torch.no_grad():
            for p in self.parameters:
                if p.grad is not None:
                    p = p + self.lr * p.grad  # noqa: PLW2901


class SGDRecording(SGDUphill):
    def step(self) -> None:
        for p in self.parameters:
            if p.grad is not None:
                p.sub_(-self.lr * p.grad)


class SGDOfEveryParameter(SGDUphill):
    def step(self) -> None:
        with torch.no_grad():
            for p in self.parameters:
                p.add_(self.lr * p.grad)


class SGDThatNeverClears(SGDUphill):
    def zero_grad(self) -> None:
        self.cleared = True

    def step(self) -> None:
        with torch.no_grad():
            for p in self.parameters:
                if p.grad is not None:
                    p.add_(self.lr * p.grad)


class SGDWithoutStep:
    def __init__(self, parameters: Any, lr: float) -> None:
        self.parameters = list(parameters)

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None


BOUND = 1 / torch.linalg.eigvalsh(SHEET.T @ SHEET).max().item()

# For each exercise: what is handed in, and a part of the hint that must come.
WRONG: dict[str, list[tuple[Any, str]]] = {
    "getting-started/nested": [
        (lambda v: math.exp(math.sin(v**2)), "value of f"),
        (lambda v: math.cos(v**2) * math.exp(math.sin(v**2)), "the innermost"),
        (lambda v: 2 * v * math.exp(math.sin(v**2)), "Autograd finds another"),
    ],
    "getting-started/dice": [
        (dice_from_the_common_generator, "whose generator"),
        (dice_up_to_five, "no 6"),
        (dice_from_zero, "no 0"),
        (dice_without_a_seed, "same seed gives other"),
        (dice_of_one_seed, "Another seed gives the same"),
        (lambda seed, throws: torch.ones(throws), "no 6"),
        (lambda seed, throws: torch.full((throws,), 6), "never come"),
    ],
    "getting-started/traceback": [
        ((half, quarter), "only two blocks"),
        ((half, careful_quarter), "let it fail"),
        ((half, third), "quarter(8)"),
    ],
    "tensors/gram": [
        (lambda X: X.T @ X, "uses a product"),
        (lambda X: torch.einsum("ij,il->jl", X, X), "uses a product"),
        (lambda X: X[:, :, None] * X[:, None, :], "still to be added"),
        (lambda X: (X[:, None] * X[None]).sum(dim=2), "not of features"),
        (lambda X: X * X, "shape"),
    ],
    "tensors/distances": [
        (torch.cdist, "not their squares"),
        (lambda X, Z: (X**2).sum(1) + (Z**2).sum(1) - 2 * X @ Z.T, "raises"),
        (
            lambda X, Z: (Z**2).sum(1)[:, None] + (X**2).sum(1) - 2 * Z @ X.T,
            "Rows belong to X",
        ),
        (
            lambda X, Z: (X**2).sum(1)[:, None] - (Z**2).sum(1) - 2 * X @ Z.T,
            "negative",
        ),
        (lambda X, Z: (X**2).sum(1)[:, None] + (Z**2).sum(1) - X @ Z.T, "wrong in"),
    ],
    "tensors/standardise": [
        (lambda X: (X - X.mean(dim=0)) / X.std(dim=0), "deviation that you use"),
        (
            lambda X: (
                (X - X.mean(dim=1, keepdim=True))
                / X.std(dim=1, keepdim=True, correction=0)
            ),
            "the columns that should",
        ),
        (lambda X: X / X.std(dim=0, correction=0), "not 0"),
        (lambda X: X - X.mean(dim=0), "not scaled"),
        (lambda X: (X - X.mean(dim=0)) / X.var(dim=0, correction=0), "its root"),
        (lambda X: (X.mean(dim=0) - X) / X.std(dim=0, correction=0), "sign"),
        (
            lambda X: torch.tensor([-1.0, 1.0]).repeat(4)[: len(X), None] + 0 * X,
            "",
        ),
    ],
    "tensors/residual": [
        (lambda p, y: p - y, "broadcast"),
        (residual_of_whatever_broadcasts, "broadcast"),
        (residual_without_the_shapes, "does not state the shape"),
        (residual_by_assertion, "AssertionError, not ValueError"),
        (residual_returning_the_error, "raised"),
        (residual_of_equal_counts, "(2, 3) and (3, 2)"),
        (lambda p, y: y - p, "wrong sign"),
    ],
    "tensors/one-hot": [
        (lambda labels, k: labels[:, None] == torch.arange(k), "float was asked for"),
        (F.one_hot, "float was asked for"),
        (
            lambda labels, k: (labels == torch.arange(k)[:, None]).float(),
            "One row belongs to each label",
        ),
        (
            lambda labels, k: (labels[:, None] == torch.arange(1, k + 1)).float(),
            "count from 0",
        ),
        (lambda labels, k: (labels == torch.arange(k)).float(), "raises"),
    ],
    "computation-graphs/reached": [
        (reached_direct_sources, "is missing"),
        (reached_each_time, "twice"),
        (reached_names, "the tensors themselves"),
        (lambda tensor: [tensor], "not one of the leaves"),
        (lambda tensor: [], "u is missing"),
        (lambda tensor: tensor.backward() or [], "without running it"),
    ],
    "computation-graphs/descend": [
        (lambda rate, rounds: descend(rate, rounds, clear=False), "all rounds before"),
        (lambda rate, rounds: descend(rate, rounds, sign=-1), "against the gradient"),
        (lambda rate, rounds: descend(rate, rounds, start=True), "begins with"),
        (lambda rate, rounds: descend(rate, rounds)[-1], "one for each"),
        (lambda rate, rounds: descend(rate / 2, rounds), "from round 1"),
        (descend_noting_the_tensor_itself, "all the same"),
    ],
    "linear-regression/ridge": [
        (lambda strength: ridge(strength, shift=0.5), "half its weight"),
        (lambda strength: ridge(strength, shift=-1), "wrong sign"),
        (lambda strength: ridge(strength, scale=1 / 3), "averaged"),
        (
            lambda strength: torch.linalg.lstsq(SHEET, TARGETS).solution,
            "where is the penalty",
        ),
        (lambda strength: 0.9 * ridge(strength), "is not 0"),
    ],
    "linear-regression/many-outputs": [
        (lambda W, X, Y: 2 * X.T @ (X @ W.T - Y), "shape of what"),
        (lambda W, X, Y: (X @ W.T - Y).T @ X, "the 2 of the square"),
        (lambda W, X, Y: 2 * (X @ W.T - Y).T @ X / Y.numel(), "over all entries"),
        (lambda W, X, Y: 2 * (X @ W.T - Y).T @ X / len(Y), "over the examples"),
        (lambda W, X, Y: 2 * (Y - X @ W.T).T @ X, "wrong sign"),
    ],
    "linear-regression/two-starts": [
        (lambda start: settle([0.0, 0.0, 0.0]), "begin at `start`"),
        (lambda start: settle(start, steps=30), "no minimum"),
        (lambda start: settle(start, mean=300), "no minimum"),
        (lambda start: settle(start, rate=0.01), "infinitely far"),
        (torch.tensor, "where it began"),
        (lambda start: torch.linalg.lstsq(SHEET, TARGETS).solution, "not the one"),
    ],
    "logistic-regression/far": [
        (lambda X, y: torch.linalg.lstsq(X, (1 + y) / 2).solution, "labels ±1"),
        (lambda X, y: torch.linalg.lstsq(X[:, 1:], y).solution, "shape"),
        (lambda X, y: torch.sign(X @ torch.linalg.lstsq(X, y).solution), "decisions"),
        (lambda X, y: X @ torch.linalg.lstsq(X, y).solution, "each student"),
        (lambda X, y: X.T @ y, "other weights leave less"),
    ],
    "logistic-regression/kink": [
        (naive_loss, "overflows"),
        (loss_without_log1p, "log1p keeps it"),
        (loss_of_the_wrong_sign, "wrong at the margin"),
        (detached_loss, "nothing leads back"),
        (loss_with_a_cut_slope, "slope is wrong"),
    ],
    "logistic-regression/wrong-labels": [
        (lambda s, y: (total(s, (1 + y) / 2), total(s, y)), "changed places"),
        (
            lambda s, y: (total(s, y, "mean"), total(s, (1 + y) / 2, "mean")),
            "the sum is asked",
        ),
        (lambda s, y: (total(s, y), total(s, y)), "where do the labels 0 and 1"),
        (total, "Two numbers"),
        (lambda s, y: (total(s, y), total(torch.sigmoid(s), (1 + y) / 2)), "second"),
    ],
    "cross-entropy/batch": [
        (batch_naive, "thousands"),
        (batch_of_columns, "over the examples"),
        (lambda s, y: F.cross_entropy(torch.softmax(s, dim=1), y), "twice"),
        (lambda s, y: F.cross_entropy(s, y, reduction="sum"), "the sum over"),
        (lambda s, y: F.cross_entropy(s, y, reduction="none"), "mean over"),
        (batch_of_all_pairs, "pair of examples"),
        (lambda s, y: torch.logsumexp(s, dim=1).mean(), "not subtracted"),
        (lambda s, y: -F.cross_entropy(s, y), "wrong sign"),
    ],
    "cross-entropy/threshold": [
        ((23 * math.log(2), 52 * math.log(2)), "still above 0"),
        ((24.0, 53.0), "a smaller gap gives 0"),
        ((24 * math.log(2), 52 * math.log(2)), "In float64 the loss is still"),
        ((-24 * math.log(2), 53 * math.log(2)), "positive"),
        ((103.97, 745.1), "a smaller gap"),  # where exp(-g) itself is 0
    ],
    "cross-entropy/speed": [
        (lambda *given: train(*given, reduction="mean"), "of the mean"),
        (lambda *given: train(*given, faster=1.0), "at the rate of W"),
        (lambda *given: train(*given, clear=False), "add up"),
        (lambda X, y, rate, n: train(X, y, rate, n + 1), "one step too many"),
        (lambda *given: train(*given)[::-1], "W must be of shape"),
    ],
    "linear-layers/regression": [
        (regression(squeeze=False), "two shapes"),
        (regression(squeeze=False, reduction="mean"), "two shapes"),
        (regression(reduction="mean"), "mean over the examples"),
        (regression(bias=True), "has a bias"),
        (regression(passes=2), "earlier run"),
        (regression(passes=0), "has a backward pass"),
        ((nn.Linear(3, 3, bias=False), torch.tensor(2084.0)), "shape (3, 3)"),
        ((nn.Linear(3, 1, bias=False), torch.tensor(2084.0)), "(3, 2, 1)"),
        ((nn.Linear, torch.tensor(2084.0)), "the class"),
    ],
    "linear-layers/fold": [
        (fold([[18.0, 4.0, 5.0, 6.0], [0.0, 7.0, 8.0, 9.0]]), "Where do W and b"),
        (fold(upstream=None), "no `.grad`"),
        (fold(upstream=0.0), "starts from `G`"),
        (fold(upstream=2.0), "2 times"),
        (nn.Linear(4, 2), "has a bias"),
        (nn.Linear(3, 2, bias=False), "shape (2, 3)"),
    ],
    "stochastic-gradient-descent/plain-sgd": [
        (SGDWithoutAList, "used up"),
        (SGDUphill, "along the gradient"),
        (SGDRebinding, "not moved"),
        (SGDRecording, "raises RuntimeError"),
        (SGDOfEveryParameter, "`step()` raises TypeError"),
        (SGDThatNeverClears, "gradients left"),
        (SGDWithoutStep, "no method `step`"),
        (SGDUphill([], 0.1), "class itself"),
    ],
    "stochastic-gradient-descent/sheet-data": [
        ((3 * BOUND, BOUND), "changed places"),
        ((BOUND, BOUND), "for the mean"),
        ((BOUND / 2, 3 * BOUND / 2), "twice as long"),
        ((2 * BOUND, 6 * BOUND), "Half of it"),
        ((-BOUND, 3 * BOUND), "positive"),
    ],
}
