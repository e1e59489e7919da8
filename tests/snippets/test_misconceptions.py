"""What the probes find, by other routes: NumPy, formulas, and counting."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import snippets.misconceptions as package
from snippets.misconceptions import PROBES, Probe, misconception, outcome, plain

for module in pkgutil.iter_modules(package.__path__):
    importlib.import_module(f"{package.__name__}.{module.name}")


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def softmax(scores: Any) -> Any:
    """Along the last axis, in float64."""
    scores = np.asarray(scores, float)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def error_after_descent(factor: float) -> float:
    """The squared error after 4 steps against `factor` times the gradient of a sum."""
    X = np.arange(1.0, 10.0).reshape(3, 3)
    y, w = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])
    for _ in range(4):
        w = w - 0.005 * factor * 2 * X.T @ (X @ w - y)
    return float(np.sum((X @ w - y) ** 2))


def loss_of_two_layers() -> float:
    """The loss from the random start, with the gradients derived by hand."""
    X = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    onehot = np.eye(2)[[1, 0, 1, 0]]
    torch.manual_seed(0)
    W1, b1, W2, b2 = (
        parameter.detach().double().numpy()
        for layer in (torch.nn.Linear(2, 4), torch.nn.Linear(4, 2))
        for parameter in layer.parameters()
    )
    for _ in range(30):
        H = X @ W1.T + b1
        G = (softmax(H @ W2.T + b2) - onehot) / 4
        D = G @ W2
        W2, b2 = W2 - 0.5 * G.T @ H, b2 - 0.5 * G.sum(axis=0)
        W1, b1 = W1 - 0.5 * D.T @ X, b1 - 0.5 * D.sum(axis=0)
    P = softmax((X @ W1.T + b1) @ W2.T + b2)
    return float(-np.log((P * onehot).sum(axis=1)).mean())


def rises_in_the_loop() -> int:
    """The sheet's loop with p minus one-hot, in float64."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    W, b = (p.detach().double().numpy() for p in layer.parameters())
    losses = []
    for t in range(20):
        x = torch.rand(3).double().numpy()
        p = softmax(W @ x + b)
        losses.append(-np.log(p[t % 2]))
        g = p - np.eye(2)[t % 2]
        W, b = W - 0.1 * np.outer(g, x), b - 0.1 * g
    return int(np.sum(np.diff(losses) > 0))


def first_of(count: int) -> list[float]:
    return torch.randn(count, generator=torch.Generator().manual_seed(0))[:2].tolist()


def ends_in(message: str) -> re.Pattern[str]:
    return re.compile(f"RuntimeError: {message}")


Y = np.array([2.0, 4.0, 9.0])
# Name: what the belief predicts, what must be found.
EXPECTED: dict[str, Callable[[], tuple[Any, Any]]] = {
    "getting-started-cell-order": lambda: (2 * (10 + 5), 2 * 10 + 5),
    "getting-started-seed": lambda: (first_of(15), first_of(16)),
    "tensors-capital-t": lambda: ("torch.int64", str(torch.get_default_dtype())),
    "tensors-star": lambda: ([[2, 1], [4, 3]], [[1 * 0, 2 * 1], [3 * 1, 4 * 0]]),
    "tensors-column": lambda: ([3, 1], [3]),
    "tensors-n-one": lambda: (0, 2 * 3 * np.sum((Y - Y.mean()) ** 2)),
    "tensors-reshape": lambda: (
        np.arange(1, 7).reshape(2, 3).T.tolist(),
        np.arange(1, 7).reshape(3, 2).tolist(),
    ),
    "tensors-numpy": lambda: ([0, 0], [7, 0]),
    "computation-graphs-integers": lambda: (
        "no error",
        ends_in("Only Tensors of floating point and complex dtype"),
    ),
    "computation-graphs-none": lambda: (0, 2 * (2 * 3)),
    "computation-graphs-backward-builds": lambda: (None, "AddBackward0"),
    "computation-graphs-replaced": lambda: (2 * 3, 2 * 3 + 2 * 3),
    "computation-graphs-second-backward": lambda: (
        "no error",
        ends_in("Trying to backward through the graph a second time"),
    ),
    "computation-graphs-in-place-leaf": lambda: (
        "no error",
        ends_in("a leaf Variable that requires grad"),
    ),
    "computation-graphs-rebound": lambda: (True, False),
    "computation-graphs-detach-copies": lambda: ([1, 2], [100, 2]),
    "linear-regression-equality": lambda: (True, bool(np.sqrt(2.0) ** 2 == 2)),
    "linear-regression-reduction": lambda: (
        error_after_descent(1 / 3),
        error_after_descent(1),
    ),
    "linear-regression-zero-gradient": lambda: (0, 16 + 1 + 0 + 1 + 16),
    "logistic-regression-threshold": lambda: (
        (sigmoid([-1, 0.25, 2]) > 0.5).tolist(),
        [False, False, True],
    ),
    "logistic-regression-accuracy": lambda: (1, 3 / 4),
    "logistic-regression-squared": lambda: (
        sigmoid(-8) - 1,
        2 * (sigmoid(-8) - 1) * sigmoid(-8) * (1 - sigmoid(-8)),
    ),
    "logistic-regression-double-sigmoid": lambda: (
        np.log1p(np.exp(-20)),
        np.log1p(np.exp(-sigmoid(20))),
    ),
    "cross-entropy-dim": lambda: (
        [1, 1],
        softmax([[2, 0], [0, 1], [1, 0]]).sum(axis=0).tolist(),
    ),
    "cross-entropy-one-hot": lambda: ("an error", -np.log(softmax([2, 0, 1])[2])),
    "cross-entropy-zero": lambda: (0, sigmoid(32 - 50)),
    "cross-entropy-softmax": lambda: (0, np.log(1 + 1 / np.e)),
    "cross-entropy-two-vectors": lambda: (2 * 3, 3),
    "linear-layers-weight-shape": lambda: ([3, 2], [2, 3]),
    "linear-layers-tensor-attribute": lambda: (
        ["weight", "bias", "gain"],
        ["weight", "bias"],
    ),
    "linear-layers-linear": lambda: (
        [2 * (7 + 1), 2 * (7 - 1)],
        [2 * 7 + 1, 2 * 7 - 1],
    ),
    "linear-layers-initial-values": lambda: (loss_of_two_layers(), np.log(2)),
    "stochastic-gradient-descent-smaller": lambda: (-3 * 1000 * 2e-9, 0),
    "stochastic-gradient-descent-falls": lambda: (0, rises_in_the_loop()),
    "stochastic-gradient-descent-order": lambda: (1 - 0.8**10, 0),
    "stochastic-gradient-descent-accumulation": lambda: (False, True),
    # Three products, three sums, and the place where w.grad is accumulated.
    "stochastic-gradient-descent-total": lambda: (0, 3 + 3 + 1),
    "stochastic-gradient-descent-epoch": lambda: (1, 100 // 10),
}


def test_every_probe_is_computed_a_second_time() -> None:
    assert PROBES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_finds_what_another_route_finds(name: str) -> None:
    probe = PROBES[name]()
    believed, found = EXPECTED[name]()
    assert agrees(plain(probe.believed), believed)
    assert agrees(plain(probe.found), found)
    assert not agrees(plain(probe.found), believed)


def agrees(value: Any, expected: Any) -> bool:
    if isinstance(expected, re.Pattern):
        return bool(expected.match(value))
    if isinstance(expected, bool | str | None) or isinstance(value, str | None):
        return bool(value == expected)
    if isinstance(expected, list) and isinstance(expected[0], str):
        return bool(value == expected)
    # Probes compute in float32.
    return np.shape(value) == np.shape(expected) and np.allclose(
        value, expected, rtol=2e-5, atol=1e-12
    )


def test_a_probe_does_not_depend_on_those_before_it() -> None:
    forwards = {name: probe() for name, probe in PROBES.items()}
    backwards = {name: PROBES[name]() for name in reversed(PROBES)}
    for name, probe in forwards.items():
        assert plain(probe.found) == plain(backwards[name].found)


@pytest.mark.parametrize(
    "value", [2, 0.0, None, "text", [1, 2], torch.ones(2), np.ones((2, 2))]
)
def test_a_probe_of_a_right_belief_fails(value: Any) -> None:
    with pytest.raises(AssertionError, match="the belief is right"):
        Probe(believed=value, found=value)


def test_a_tensor_counts_as_its_numbers() -> None:
    assert plain((torch.tensor([1, 2]), np.array(3))) == [[1, 2], 3]
    with pytest.raises(AssertionError, match="the belief is right"):
        Probe(believed=torch.Size([2]), found=(2,))


def test_two_probes_do_not_share_a_name() -> None:
    def star() -> Probe:
        raise NotImplementedError

    star.__module__ = "snippets.misconceptions.tensors"
    with pytest.raises(AssertionError, match="two probes for 'tensors-star'"):
        misconception(star)


def test_an_outcome_names_the_error_in_one_short_line() -> None:
    assert outcome(lambda: 1) == "no error"
    assert outcome(lambda: {}["a"]) == "KeyError: 'a'"

    def long() -> None:
        raise ValueError("word\n" * 100)

    assert outcome(long).startswith("ValueError: word word")
    assert len(outcome(long)) <= 90
