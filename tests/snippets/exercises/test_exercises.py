"""Each check accepts the book's answer, refuses wrong ones, and survives all else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from snippets import exercises as package
from snippets.exercises import EXERCISES, Exercise, check, exercises, judge
from snippets.exercises.trying import Wrong, call, describe, is_unfilled, numbers
from tests.book.test_structure import CHAPTERS, chapter
from tests.cells import LIBRARY, run_cells
from tests.snippets.exercises.wrong_answers import WRONG

ALL = {it.name: it for slug in CHAPTERS for it in exercises(slug)}
FALLBACK = "cannot make sense"


def gram_of_the_page(X: torch.Tensor) -> torch.Tensor:
    """The book's cell, run with another X."""
    code = "outer_products = X[:, :, None] * X[:, None, :]"
    assert code in LIBRARY.cells("tensors")["answer-gram"].source
    namespace = {"X": X}
    exec(code, namespace)
    return namespace["outer_products"].sum(dim=0)


def stated_gaps() -> tuple[float, ...]:
    """The two numbers that the answer's text computes."""
    answer = chapter("cross-entropy").split("{solution-start} ex-cross-entropy-thresh")
    found = re.findall(r"\{eval\}`(\d+) \* math\.log\(2\)", answer[1])
    return tuple(int(n) * float(np.log(2)) for n in found[:2])


# The answer of the book: the cell it stands in, and what is handed in from there.
MODELS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "getting-started/nested": ("nested", lambda it: it["slope"]),
    "getting-started/dice": ("dice", lambda it: it["dice"]),
    "getting-started/traceback": ("halves", lambda it: (it["half"], it["quarter"])),
    "tensors/gram": ("gram", lambda it: gram_of_the_page),
    "tensors/distances": ("distances", lambda it: it["squared_distances"]),
    "tensors/standardise": ("standardise", lambda it: it["standardise"]),
    "tensors/residual": ("residual", lambda it: it["residual"]),
    "tensors/one-hot": ("one-hot", lambda it: it["one_hot"]),
    "computation-graphs/reached": ("reached", lambda it: it["reached"]),
    "computation-graphs/descend": ("descend", lambda it: it["descend"]),
    "linear-regression/ridge": ("ridge", lambda it: it["ridge"]),
    "linear-regression/many-outputs": (
        "many-outputs",
        lambda it: it["gradient_by_weights"],
    ),
    "linear-regression/two-starts": ("two-starts", lambda it: it["settle"]),
    "logistic-regression/far": ("far", lambda it: it["fit"]),
    "logistic-regression/kink": ("kink", lambda it: it["by_hand"]),
    "logistic-regression/wrong-labels": (
        "wrong-labels",
        lambda it: it["both_losses"],
    ),
    "cross-entropy/batch": ("batch", lambda it: it["batch_cross_entropy"]),
    "cross-entropy/threshold": ("threshold", lambda it: stated_gaps()),
    "cross-entropy/speed": ("speed", lambda it: it["train"]),
    "linear-layers/regression": (
        "regression",
        lambda it: (it["answer_regression"], it["answer_L"]),
    ),
    "linear-layers/fold": ("fold", lambda it: it["answer_folded"]),
    "stochastic-gradient-descent/plain-sgd": ("plain-sgd", lambda it: it["PlainSGD"]),
    "stochastic-gradient-descent/sheet-data": (
        "sheet-data",
        lambda it: (it["bound"], 3 * it["bound"]),
    ),
}
# Functions of tensors that give numbers: they may come in other clothes.
OF_NUMBERS = [
    name
    for name, it in ALL.items()
    if it.stub.startswith("def") and len(it.asked) == 1
    if name not in ("computation-graphs/reached", "logistic-regression/kink")
]


@cache
def model(name: str) -> tuple[Any, ...]:
    """What a reader with the book's answer would hand in."""
    cell, pick = MODELS[name]
    module = name.partition("/")[0].replace("-", "_")
    answer = pick(run_cells(module, until=f"answer-{cell}"))
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("name", ALL)
def test_a_check_accepts_the_answer_of_the_book(name: str) -> None:
    verdict = judge(name, *model(name))
    assert verdict.passed, verdict.message
    assert len(verdict.message) > 20


@pytest.mark.parametrize("name", ALL)
def test_a_check_refuses_wrong_answers_with_a_fitting_hint(name: str) -> None:
    assert len(WRONG[name]) >= 2
    hints = []
    for answer, part in WRONG[name]:
        verdict = judge(name, *(answer if isinstance(answer, tuple) else (answer,)))
        assert not verdict.passed
        assert part in verdict.message
        assert FALLBACK not in verdict.message
        hints.append(verdict.message)
    assert len(set(hints)) >= 2


def print_only(*given: Any) -> None:
    print("the result would be here")


def crash(*given: Any) -> Any:
    raise KeyError("no such key")


def leave(*given: Any) -> Any:
    raise SystemExit(3)


BAD_RESULTS = [
    "text",
    ["a", "b"],
    {"a": 1},
    object(),
    [],
    (),
    torch.empty(0),
    torch.zeros(2, 3, 4, 5),
    torch.tensor([1 + 2j]),
    float("nan"),
    [torch.zeros(2), torch.zeros(3)],
    np.array(["x"]),
    torch.nn.Linear(2, 2),
    [[1], [2, 3]],
    ...,
]
BAD_ANSWERS = ["text", 3, 7.5, torch.zeros(3), [], {}, len, print, torch.nn.Linear]


@pytest.mark.parametrize("name", ALL)
def test_a_check_survives_whatever_is_handed_in(name: str) -> None:
    count = len(ALL[name].asked)
    answers: list[Any] = [crash, leave, print_only, *BAD_ANSWERS]
    answers += [lambda *given, bad=bad: bad for bad in BAD_RESULTS]
    answers += [type("Odd", (), {"__init__": crash}), lambda: 1, *BAD_RESULTS]
    for answer in answers:
        verdict = judge(name, *[answer] * count)
        assert not verdict.passed, (name, answer)
        assert len(verdict.message) > 20, (name, answer)
        assert FALLBACK not in verdict.message, (answer, verdict.message)


@pytest.mark.parametrize("name", ALL)
def test_a_stub_is_told_to_be_not_filled_in(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(ALL[name].cell, {"__name__": "page"})
    [line] = capsys.readouterr().out.splitlines()
    assert line == f"✗ {name}: not filled in yet: put your code in the place of `...`"


@pytest.mark.parametrize("name", OF_NUMBERS)
@pytest.mark.parametrize("form", ["numpy", "tolist", "double", "float"])
def test_the_form_of_the_numbers_does_not_matter(name: str, form: str) -> None:
    [function] = model(name)

    def other(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(other, value))
        if isinstance(value, list | float | int):
            value = torch.tensor(value)
        value = value.detach()
        asks_for_float = name == "tensors/one-hot" and form == "double"
        return getattr(value, "float" if asks_for_float else form)()

    verdict = judge(name, lambda *given: other(function(*given)))
    assert verdict.passed, verdict.message


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_an_answer_that_changes_its_inputs_is_refused(name: str) -> None:
    [function] = model(name)
    told = []

    def spoil(*given: Any) -> Any:
        result = function(*given)
        for it in given:
            if isinstance(it, torch.Tensor):
                it.add_(1)
                told.append(it)
        return result

    verdict = judge(name, spoil)
    assert verdict.passed == (not told)
    assert verdict.passed or "changes the tensor" in verdict.message


@pytest.mark.parametrize("name", ALL)
def test_the_readers_random_numbers_go_on_as_before(name: str) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    judge(name, *model(name))
    torch.manual_seed(3)
    state = torch.get_rng_state()
    judge(name, crash)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(torch.rand(4), expected)


def test_each_exercise_to_build_has_a_check() -> None:
    """Those of other kinds have one where the question asks for code."""
    labels = {
        label
        for slug in CHAPTERS
        for label in re.findall(
            r"^:::\{exercise\} Build: .+\n:label: (\S+)", chapter(slug), re.M
        )
    }
    assert len(labels) >= 16
    assert labels <= {it.label for it in ALL.values()}


def test_each_check_belongs_to_an_exercise_and_has_a_model_and_wrong_answers() -> None:
    text = "\n".join(map(chapter, CHAPTERS))
    labels = re.findall(r"^:::\{exercise\} .+\n:label: (\S+)", text, re.M)
    assert [it for it in labels if it in {e.label for e in ALL.values()}] == [
        it.label for it in ALL.values()
    ]
    assert ALL.keys() == MODELS.keys() == WRONG.keys() == EXERCISES.keys()


@pytest.mark.parametrize("exercise", ALL.values(), ids=ALL)
def test_a_stub_is_narrow_and_asks_for_what_its_check_takes(exercise: Exercise) -> None:
    assert all(len(line) <= 79 for line in exercise.cell.splitlines())
    ast.parse(exercise.cell)
    arguments = exercise.examine.__code__.co_argcount
    assert len(exercise.asked) == arguments


def test_check_prints_its_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    answer = model("tensors/residual")
    capsys.readouterr()  # what the book's cells printed
    check("tensors/residual", *answer)
    check("tensors/residual", print_only)
    right, wrong = capsys.readouterr().out.splitlines()
    assert right.startswith("✓ tensors/residual: equal shapes pass")
    assert wrong.startswith("✗ tensors/residual: `print_only` returns None")
    assert wrong.endswith("printing only shows it.")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("tensors/standardize", len), "did you mean 'tensors/standardise'?"),
        (("tensors/q", len), "known: ['gram', 'distances'"),
        (("no-chapter/one", len), "known: []"),
        ((len, "tensors/gram"), "the name of an exercise comes first"),
        (("gram", len), "the name of an exercise comes first"),
        (("tensors/gram",), 'call check("tensors/gram", gram)'),
        (("cross-entropy/threshold", 1), "gap_float32, gap_float64"),
    ],
)
def test_a_wrong_call_says_how_to_call(arguments: tuple[Any, ...], part: str) -> None:
    verdict = judge(*arguments)
    assert not verdict.passed
    assert part in str(verdict)


def test_a_fault_of_a_check_itself_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faulty = Exercise("tensors/gram", ALL["tensors/gram"].stub, lambda answer: 1 / 0)
    monkeypatch.setitem(package.EXERCISES, "tensors/gram", faulty)
    verdict = judge("tensors/gram", len)
    assert not verdict.passed
    assert FALLBACK in verdict.message
    assert "ZeroDivisionError" in verdict.message


def test_an_interrupt_ends_the_check() -> None:
    def interrupted(*given: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge("tensors/gram", interrupted)


def test_an_error_is_told_with_its_line() -> None:
    def faulty(x: torch.Tensor) -> Any:
        y = x + 1
        return y.no_such_thing

    with pytest.raises(Wrong, match=r"raises AttributeError in line 3: 'Tensor'"):
        call(faulty, torch.zeros(2, 3))


def test_what_counts_as_filled_in() -> None:
    def five() -> int:
        """A docstring."""
        return 5

    def same(x: Any) -> Any:
        return x

    def documented() -> None:
        """Only this."""

    def nothing() -> None:
        pass

    assert not any(map(is_unfilled, (five, same, len, print_only, 0, torch.zeros(1))))
    assert all(map(is_unfilled, (documented, nothing, None, ...)))


def test_numbers_in_any_form() -> None:
    for form in (
        [[1, 2.5]],
        np.array([[1, 2.5]], dtype=np.float32),
        torch.tensor([[1, 2.5]], dtype=torch.float16, requires_grad=True),
        [torch.tensor([1, 2.5])],
    ):
        found = numbers(form, "It", (1, 2))
        assert found.dtype == torch.float64
        assert not found.requires_grad
        assert found.tolist() == [[1, 2.5]]
    with pytest.raises(Wrong, match=r"It must be of shape \(2,\); here .* \(2, 1\)"):
        numbers(torch.zeros(2, 1), "It", (2,))
    assert numbers(torch.zeros(1, 1), "It", ()).shape == ()


def test_values_are_described_by_what_a_reader_knows() -> None:
    assert describe(torch.zeros(2, 3)) == "a tensor of shape (2, 3)"
    assert describe(np.zeros(3)) == "an array of shape (3,)"
    assert [describe(it) for it in (0.5, [1], object())] == [
        "0.5",
        "a list",
        "an object",
    ]
