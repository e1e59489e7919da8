"""Fences: which of them are not closed, and in which line that is told."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fences import check_fences


def problems(text: str) -> list[tuple[int, str]]:
    """Line and kind of each mistake in the fences."""
    found = []
    for line, message in check_fences(text):
        kind = "unclosed" if "is not closed; end it" in message else "stray"
        found.append((line, kind))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "no fence at all",
        "```\ncode\n```",
        "````{note}\n```python\nx\n```\n````",
        ":::{note}\n```{math}\nx\n```\n:::",
        "::::{note}\n:::{tip}\n:::\n::::",
        "```{note}\n:::{tip}\n:::\n```",
        "- item\n\n  ```\n  code\n  ```",
        # A code block holds any text, other fences' marks among it.
        "````\n```{note}\n````",
        "```\n:::{note}\n```",
        "```python\n:::\n~~~\n```",
        "~~~\n```\n~~~",
        # A closing line may have more marks than the opening one.
        "```\ncode\n`````",
        # sphinx-exercise's gates are closed by themselves.
        ":::{solution-start} ex\n:::\n\n```{math}\nx\n```\n\n:::{solution-end}\n:::",
        "```{math}\nx\n```\r\n",
    ],
)
def test_sound_fences_are_no_problem(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("text\n```{note}\nx", [(2, "unclosed")]),
        ("```\nx", [(1, "unclosed")]),
        ("````\nx\n```", [(1, "unclosed")]),
        ("::::{note}\n:::{tip}\n::::", [(2, "unclosed")]),
        (":::{note}\n:::\n:::", [(3, "stray")]),
        (":::", [(1, "stray")]),
        # Directives that end one another by accident: marks of equal number.
        (":::{note}\n:::{tip}\n:::\n:::", [(1, "unclosed"), (4, "stray")]),
        ("```{a}\n```{b}\n```", [(1, "unclosed")]),
        ("```{a}\n:::{b}\n```\n:::", [(2, "unclosed"), (4, "stray")]),
        (":::{note}\n```{math}\nx\n:::", [(2, "unclosed")]),
        # The second opening line would be taken for text of the first block.
        ("```python\nx\n\n```{code-cell} python\n```", [(1, "unclosed")]),
    ],
)
def test_a_broken_fence_is_found_in_its_line(
    text: str, expected: list[tuple[int, str]]
) -> None:
    assert problems(text) == expected


def test_the_message_shows_the_fence_and_the_remedy() -> None:
    [(_, message)] = check_fences("`````{code-cell} python\n")
    assert message.startswith(
        "the fence '`````{code-cell} python' is not closed; end it with a line '`````'"
    )


CODE = ["text", "", "```", ":::", ":::{note}", "```{tip}", "~~~"]


@st.composite
def nestings(draw: st.DrawFn, most: int = 7) -> list[tuple[str, bool]]:
    """Lines of soundly nested fences; whether a line closes one."""
    lines: list[tuple[str, bool]] = [("text", False)] * draw(st.integers(0, 1))
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from("`:~"))
        indent = " " * draw(st.integers(0, 3))
        length = draw(st.integers(4, most)) if most >= 4 else 3
        mark = kind * length
        if kind == ":" or (most > 4 and draw(st.booleans())):
            inside = draw(nestings(most=length - 1)) if length > 3 else []
            lines.append((f"{indent}{mark}{{note}} title", False))
        else:
            code = st.sampled_from([line for line in CODE if mark not in line])
            inside = draw(st.lists(st.tuples(code, st.just(False)), max_size=3))
            lines.append((f"{indent}{mark}python", False))
        lines += [*inside, (indent + mark, True)]
    return lines


@settings(deadline=None)
@given(nestings())
def test_any_sound_nesting_is_no_problem(lines: list[tuple[str, bool]]) -> None:
    assert problems("\n".join(line for line, _ in lines)) == []


@settings(deadline=None)
@given(nestings(), st.data())
def test_any_lost_closing_line_is_noticed(
    lines: list[tuple[str, bool]], data: st.DataObject
) -> None:
    closing = [number for number, (_, closes) in enumerate(lines) if closes]
    assume(closing)
    lost = data.draw(st.sampled_from(closing))
    rest = [line for number, (line, _) in enumerate(lines) if number != lost]
    assert problems("\n".join(rest))
