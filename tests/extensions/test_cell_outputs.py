"""Outputs without a trace of the machine, and what is said of those that do not fit."""

import json
import os
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import torch
from IPython.core.ultratb import FormattedTB
from nbformat import NotebookNode, v4

from cell_outputs import failure, normalise, unfit_outputs

ROOT = Path("/home/me/book")
CELL_FRAME = """\
\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[3]\x1b[39m\x1b[32m, line 2\x1b[39m
      1 \x1b[38;5;28;01mimport\x1b[39;00m torch
\x1b[32m----> \x1b[39m\x1b[32m2\x1b[39m loss.backward()
"""


def error(*frames: str, ename: str = "ValueError", evalue: str = "no") -> NotebookNode:
    """An error as a kernel sends it."""
    head = ["\x1b[31m" + 75 * "-" + "\x1b[39m", f"{ename}{50 * ' '}{HEADER}"]
    traceback = [*head, *frames, f"\x1b[31m{ename}\x1b[39m: {evalue}"]
    return v4.new_output("error", ename=ename, evalue=evalue, traceback=traceback)


HEADER = "Traceback (most recent call last)"


def shown(*frames: str, **kwargs: str) -> list[str]:
    output = error(*frames, **kwargs)
    normalise(output, ROOT)
    return list(output.traceback)


def frame(path: str, where: str = "f(x, y)") -> str:
    return f"\x1b[36mFile \x1b[39m\x1b[32m{path}:12\x1b[39m, in {where}\n---> 12 g(x)\n"


def test_a_traceback_shows_the_cell_and_one_line_for_each_library_frame() -> None:
    library = frame(
        "/opt/lib/python3.13/site-packages/torch/_tensor.py", "T.backward(x)"
    )
    assert shown(CELL_FRAME, library, frame("/opt/site-packages/torch/graph.py")) == [
        "ValueError    Traceback (most recent call last)",
        "Cell In[3], line 2",
        "      1 import torch",
        "----> 2 loss.backward()",
        "",
        "File torch/_tensor.py, in T.backward",
        "",
        "File torch/graph.py, in f",
        "",
        "ValueError: no",
    ]


HOME = os.path.expanduser("~")


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/v/lib/python3.13/site-packages/a/b.py", "/home/me/book", "a/b.py"),
        ("C:\\v\\Lib\\site-packages\\a\\b.py", "/home/me/book", "a/b.py"),
        ("~/v/lib/python3.13/site-packages/b.py", "/home/me/book", "b.py"),
        ("/usr/lib/python3.13/json/x.py", "/home/me/book", "python3.13/json/x.py"),
        ("~/.pyenv/lib/python3.11/x.py", "/home/me/book", "python3.11/x.py"),
        ("/home/me/book/snippets/h.py", "/home/me/book", "snippets/h.py"),
        ("~/book/snippets/h.py", f"{HOME}/book", "snippets/h.py"),
        # The environment may lie in the project, the project in python3-book.
        ("/b/.nox/lib/python3/site-packages/a/b.py", "/b", "a/b.py"),
        ("/home/python3-book/snippets/h.py", "/home/python3-book", "snippets/h.py"),
        ("/home/me/torch-from-source/torch/x.py", "/home/me/book", "x.py"),
        ("C:\\Python313\\Lib\\json\\x.py", "/home/me/book", "x.py"),
        ("~/elsewhere/x.py", "/home/me/book", "x.py"),
        ("<frozen importlib._bootstrap>", "/b", "<frozen importlib._bootstrap>"),
        ("numpy/random/mtrand.pyx", "/b", "numpy/random/mtrand.pyx"),
    ],
)
def test_no_path_of_the_machine_remains(path: str, root: str, expected: str) -> None:
    output = error(frame(path))
    normalise(output, Path(root))
    assert f"File {expected}, in f" in output.traceback


def call_json() -> None:
    json.loads("{")


def call_torch() -> None:
    torch.ones(2, requires_grad=True).backward()


@pytest.mark.parametrize(
    ("call", "frames"),
    [
        (call_json, ["json/__init__.py, in loads", "json/decoder.py, in JSONDecoder"]),
        (call_torch, ["File torch/_tensor.py, in Tensor.backward"]),
    ],
)
def test_a_real_traceback_of_ipython(call: Any, frames: list[str]) -> None:
    with pytest.raises((ValueError, RuntimeError)) as raised:
        call()
    trace: TracebackType | None = raised.tb
    lines = FormattedTB("Context", theme_name="linux").structured_traceback(
        raised.type, raised.value, trace
    )
    assert "\x1b[" in "".join(lines)
    output = v4.new_output(
        "error", ename=raised.type.__name__, evalue=str(raised.value), traceback=lines
    )
    root = Path(__file__).parents[2]
    normalise(output, root)
    text = "\n".join(output.traceback)
    assert text.startswith(f"{raised.type.__name__}    Traceback (most recent")
    assert "File tests/extensions/test_cell_outputs.py, in call_" in text
    assert output.traceback[-1].startswith(f"{raised.type.__name__}: ")
    for expected in frames:
        assert expected in text
    for secret in ("\x1b", str(root), f"{HOME}/", sys.prefix, "site-packages"):
        assert secret not in text
    assert not re.search(r"^\s*(-+> )?\d+ ", text, re.M)  # no source lines of libraries


def test_a_message_of_several_lines_stays() -> None:
    lines = shown(CELL_FRAME, evalue="size mismatch:\n\n\tgot 2\n\n\texpected 3")
    assert lines[-5:] == [
        "ValueError: size mismatch:",
        "",
        "\tgot 2",
        "",
        "\texpected 3",
    ]


def test_chained_errors_stay() -> None:
    cause = f"ZeroDivisionError{40 * ' '}{HEADER}\n{CELL_FRAME}\nZeroDivisionError: x"
    because = "\nThe above exception was the direct cause of the following exception:\n"
    lines = shown(cause, because, CELL_FRAME)
    assert lines.count("Cell In[3], line 2") == 2
    assert because.strip() in lines
    assert f"ZeroDivisionError    {HEADER}" in lines


def test_colours_leave_the_message_of_an_error() -> None:
    output = error(evalue="\x1b[31mred\x1b[39m and \x1b[38;5;28;01mgreen\x1b[39;00m")
    normalise(output, ROOT)
    assert output.evalue == "red and green"
    assert output.traceback[-1] == "ValueError: red and green"


def test_the_count_of_executions_is_left_out() -> None:
    result = v4.new_output("execute_result", {"text/plain": "1"}, execution_count=7)
    normalise(result, ROOT)
    assert result.execution_count is None
    stream = v4.new_output("stream", text="1\n")
    normalise(stream, ROOT)
    assert stream == {"output_type": "stream", "name": "stdout", "text": "1\n"}


def cell(*outputs: NotebookNode, raises: list[str] | None = None) -> NotebookNode:
    """A cell that has been run as the third of its chapter, in line 42 of its text."""
    found = v4.new_code_cell("x", execution_count=3, outputs=list(outputs))
    found.metadata.update(line=42, where="m#data")
    if raises:
        found.metadata["raises"] = raises
    for output in outputs:
        normalise(output, ROOT)
    return found


OUTPUT = v4.new_output("stream", text="fine\n")


def test_a_cell_that_runs_is_no_failure() -> None:
    assert failure(cell()) is None
    assert failure(cell(OUTPUT)) is None


def test_a_failure_tells_chapter_line_cell_error_and_line_of_the_cell() -> None:
    problem = failure(cell(OUTPUT, error(CELL_FRAME, evalue="bad\n\nmore")))
    assert problem is not None
    assert problem.line == 42
    assert problem.message == "m#data failed with ValueError: bad [line 2 of the cell]"
    assert problem.category == "execution.error"


def test_a_failure_without_a_message() -> None:
    problem = failure(cell(error(CELL_FRAME, ename="AssertionError", evalue="")))
    assert problem is not None
    assert "failed with AssertionError [line 2" in problem.message


def test_the_line_is_the_innermost_of_the_failing_cell_itself() -> None:
    inner = "Cell In[3], line 9, in g()\n----> 9     h()\n"
    earlier = "Cell In[1], line 5, in h()\n----> 5     raise ValueError\n"
    problem = failure(cell(error(CELL_FRAME, inner, earlier)))
    assert problem is not None
    assert problem.message.endswith("[line 9 of the cell]")


def test_a_failure_outside_of_every_cell() -> None:
    problem = failure(cell(error(frame("/opt/site-packages/a.py"))))
    assert problem is not None
    assert problem.message.endswith("[no line]")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ValueError", "no"),
        ("ValueError", ""),
        ("pkg.errors.ValueError", "need not"),
        ("ValueError", "one\ntwo"),
    ],
)
def test_the_promised_error_is_no_failure(kind: str, message: str) -> None:
    output = error(CELL_FRAME, evalue="you need not\none\ntwo")
    assert failure(cell(OUTPUT, output, raises=[kind, message])) is None


@pytest.mark.parametrize(
    ("outputs", "promise", "said"),
    [
        ([OUTPUT], ["ValueError", "no"], "but raised nothing;"),
        ([error(evalue="yes")], ["ValueError", "no"], "but raised ValueError: yes;"),
        ([error(evalue="no")], ["TypeError", "no"], "but raised ValueError: no;"),
        ([error(evalue="a\n b")], ["Value", "a"], "but raised ValueError: a b;"),
        # The name of the class is no part of the message.
        ([error()], ["pkg.KeyError", "ValueError"], "but raised ValueError: no;"),
    ],
)
def test_another_error_than_promised_is_a_failure(
    outputs: list[NotebookNode], promise: list[str], said: str
) -> None:
    problem = failure(cell(*outputs, raises=promise))
    assert problem is not None
    assert (problem.line, problem.category) == (42, "execution.error")
    assert problem.message.startswith(
        f"m#data must raise {promise[0]} with {promise[1]!r}"
    )
    assert said in problem.message


def categories(*outputs: NotebookNode) -> list[str]:
    problems = unfit_outputs(cell(*outputs))
    assert all(problem.line == 42 for problem in problems)
    assert all("m#data" in problem.message for problem in problems)
    return [problem.category for problem in problems]


def test_what_is_written_to_stderr_is_unfit() -> None:
    warning = v4.new_output("stream", name="stderr", text="\n a.py: careful\nmore\n")
    [problem] = unfit_outputs(cell(OUTPUT, warning))
    assert problem.message == (
        "m#data wrote to stderr: a.py: careful; remove what causes it"
    )
    assert problem.category == "execution.stderr"
    blank = v4.new_output("stream", name="stderr", text="\n")
    assert categories(blank) == ["execution.stderr"]


# Trap 8: an address is another one in each run.
@pytest.mark.parametrize(
    "output",
    [
        v4.new_output("stream", text="<object object at 0x7f00deadbeef>\n"),
        v4.new_output("execute_result", {"text/plain": "<f at 0x7f00deadbeef>"}),
        v4.new_output("display_data", {"text/plain": "[<f at 0x7f00deadbeef>]"}),
        error(evalue="no '+' for <object object at 0x7f00deadbeef>"),
    ],
)
def test_a_memory_address_is_unfit(output: NotebookNode) -> None:
    [problem] = unfit_outputs(cell(output))
    assert "holds a memory address (0x7f00deadbeef), another one" in problem.message
    assert problem.category == "execution.address"


@pytest.mark.parametrize(
    "text",
    ["0x1f is 31", "tensor([1., 2.])", "<AddBackward0>", "a0xdeadbeef", "0xZZZZZZZ"],
)
def test_what_only_resembles_an_address_fits(text: str) -> None:
    assert categories(v4.new_output("stream", text=text)) == []
    assert categories(v4.new_output("execute_result", {"text/plain": text})) == []
    assert categories(error(evalue=text)) == []
