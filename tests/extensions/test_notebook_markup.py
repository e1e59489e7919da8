"""Formulas and text of the notebooks: the same for a viewer that knows no macros."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mathml.convert import convert, read_macros
from notebook_builder.markdown import code, escape, fence, indent, safe_start
from notebook_builder.tex import expand, plain
from tests.cells import ROOT

MACROS = read_macros(ROOT / "_config" / "macros.toml")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$|```\{math\}\n(.+?)```", re.S)
OPTION = re.compile(r"^\s*:label:.*$", re.M)
MARKDOWN = MarkdownIt("commonmark")


def formulas() -> list[tuple[str, bool]]:
    """Each formula of the book, and whether it is a display."""
    found = {}
    for path in sorted((ROOT / "book").glob("*.md")):
        text = re.sub(r"(?s)```\{code-cell\}.*?```", "", path.read_text())
        for match in FORMULA.finditer(re.sub(r"`[^`\n]*`", "0", text)):
            latex = OPTION.sub("", match[1] or match[2] or match[3]).strip()
            found[latex] = match[2] is None
    return list(found.items())


def test_each_formula_of_the_book_means_the_same_without_its_macros() -> None:
    """Temml, which knows the macros, and Temml, which does not, give the same."""
    seen = formulas()
    assert len(seen) > 800
    assert sum(any(macro in latex for macro in MACROS) for latex, _ in seen) > 200
    for latex, display in seen:
        expected = convert(latex, display, MACROS)
        assert convert(expand(latex, MACROS), display) == expected, latex


def test_each_formula_survives_what_markdown_takes_for_its_own() -> None:
    for latex, display in formulas():
        safe = plain(latex, MACROS)
        assert not re.search(r"(?<!\\left)(?<!\\right)[<>|]|\n|\\[A-Za-z]+\*?~", safe)
        shown, wanted = (
            text_of(convert(it, display)) for it in (safe, expand(latex, MACROS))
        )
        assert shown == wanted, latex


def text_of(mathml: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", mathml).replace("∣", "|"))


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"X^\T X", r"X^\top X"),
        (r"X^\T{X}", r"X^\top{X}"),
        (r"A\T b", r"A\top b"),
        (r"x^\R", r"x^{\mathbb{R}}"),
        (r"\norm{\abs{x}}^2", r"\left\lVert \left\lvert x \right\rvert \right\rVert^2"),
        (r"\ind{i = j}", r"\mathbb{1}_{i = j}"),
        (r"\norm x", r"\left\lVert x \right\rVert"),
        (r"\dd x", r"\mathrm{d} x"),
        (r"\Tr + \R", r"\Tr + \mathbb{R}"),
    ],
)
def test_a_macro_is_written_out(latex: str, expected: str) -> None:
    assert expand(latex, MACROS) == expected


@given(st.text(alphabet="ab1 *_`[]<>|$~&#\\!.-+=()", min_size=1))
def test_an_escaped_text_is_that_text(text: str) -> None:
    """Through the reader of Markdown that follows the standard."""
    line = safe_start(escape(text).strip())
    tokens = MARKDOWN.parse(line)
    shown = "".join(child.content for token in tokens for child in token.children or ())
    assert shown == " ".join(text.split())


@given(st.text(alphabet="ab `", min_size=1).filter(str.strip))
def test_code_in_a_line_is_that_code(text: str) -> None:
    text = " ".join(text.split())
    [_, inline, _] = MARKDOWN.parse(code(text))
    [found] = inline.children or ()
    assert (found.type, found.content) == ("code_inline", text)


@given(st.lists(st.sampled_from(["a", "```", "````", "    b", ""]), min_size=1))
def test_a_block_of_code_is_that_code(lines: list[str]) -> None:
    text = "\n".join(lines)
    [found] = MARKDOWN.parse(fence(text, "python"))
    assert found.content.rstrip("\n") == text.rstrip("\n")


def test_a_block_within_a_quotation_or_an_item() -> None:
    assert indent("a\n\n- b", "> ", "> ") == "> a\n>\n> - b"
    assert indent("a\n\nb", "1. ", "   ") == "1. a\n\n   b"
