"""Formulas of the PDF: how they are set, and what is said of them."""

import doctest
import importlib
import re
from functools import cache
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import typst
from mathml.convert import convert, read_macros
from typst_builder import fonts
from typst_builder.escape import content, string
from typst_builder.mathematics.markup import UnknownMathError
from typst_builder.mathematics.markup import from_text as markup
from typst_builder.mathematics.speech import from_text as speech

ROOT = Path(__file__).parents[2]
MACROS = read_macros(ROOT / "_config" / "macros.toml")
BANK = [
    line
    for line in Path(__file__).with_name("formulas.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
TEMPLATE = (ROOT / "_config" / "typst" / "book.typ").read_text()


def mathml(latex: str, display: bool = True) -> str:
    return convert(latex, display, MACROS)


def set_formulas(formulas: list[tuple[str, str]], folder: Path) -> bytes:
    """The PDF of formulas given as markup and speech; the standard demands both."""
    fonts.put(folder / "fonts")
    (folder / "book.typ").write_text(TEMPLATE)
    lines = [f"#formula({string(said)},{code});" for code, said in formulas]
    head = '#import "book.typ": *\n#set document(title: "T")\n#set text(lang: "en")\n'
    (folder / "main.typ").write_text(head + "\n\n".join(lines))
    pdf = typst.compile(
        str(folder / "main.typ"),
        font_paths=[str(folder / "fonts")],
        format="pdf",
        pdf_standards="ua-1",
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def bank() -> dict[str, str]:
    return {latex: mathml(latex) for latex in BANK}


def test_every_formula_of_the_bank_can_be_set_and_said(tmp_path: Path) -> None:
    formulas = [(markup(xml), speech(xml)) for xml in bank().values()]

    assert len(formulas) > 200
    assert set_formulas(formulas, tmp_path).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("latex", "code"),
    [
        ("x^2", 'math.attach(s("x"),t:"2")'),
        ("x_i", 'math.attach(s("x"),b:s("i"))'),
        (r"\frac ab", 'math.frac(s("a"),s("b"))'),
        (r"\sqrt x", 'math.sqrt(s("x"))'),
        ("f'", '{s("f");math.class("normal",s("′"))}'),
        (r"\binom nk", 'math.binom(s("n"),s("k"))'),
        (r"\hat y", 'math.accent(s("y"),"\u0302",size:0%)'),
        (r"\widehat{y}", 'math.accent(s("y"),"\u0302",size:100%)'),
        (r"\mathbb R", 's("ℝ")'),
        (r"\Gamma", 'math.upright(s("Γ"))'),
        ("-x", '{math.class("normal",s("−"));s("x")}'),
        ("a+b", '{s("a");s("+");s("b")}'),
        (r"a \quad b", '{s("a");h(1em);s("b")}'),
        ("2.5", '"2.5"'),
    ],
)
def test_markup(latex: str, code: str) -> None:
    assert markup(mathml(latex)) == code


def test_a_space_beside_a_relation_adds_to_its_own() -> None:
    # Typst gives an operator none where one is written; TeX gives it both.
    assert "h(0.5556em)" in markup(mathml(r"a \;\Rightarrow b"))


def test_aligned_lines_meet_at_their_relations() -> None:
    code = markup(mathml(r"a &= b \\ &= c"))

    assert code.count("amp") == 2
    assert "math.display({math.class" in code


def test_lines_without_a_left_side_start_at_the_left() -> None:
    code = markup(mathml(r"\begin{aligned} &a \\ &\quad = b \end{aligned}"))

    assert "align:left" in code
    assert "amp" not in code


def test_rules_of_an_array_are_kept() -> None:
    array = r"\left[\begin{array}{c|c} A & B \\ \hline C & D \end{array}\right]"

    assert "augment:(vline:(1,),hline:(1,),stroke:0.5pt)" in markup(mathml(array))


def test_only_brackets_that_grow_on_the_page_grow_here() -> None:
    assert "math.lr" not in markup(mathml("(x)"))
    assert "math.lr" in markup(mathml(r"\left(\frac ab\right)"))


def test_an_unknown_element_is_an_error() -> None:
    with pytest.raises(UnknownMathError, match="<mglyph>"):
        markup("<math><mglyph/></math>")


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        ("x^2", "x squared"),
        (r"X^\T y", "capital X transpose y"),
        (r"\frac ab", "a over b"),
        (r"\frac{a+b}{c}", "the fraction a plus b over c, end fraction"),
        (r"\norm{Xw - y}^2", "the norm of capital X w minus y, end norm, squared"),
        (
            r"\sum_{i=1}^n x_i",
            "the sum from i equals 1 to n of x sub i",
        ),
        (r"\grad_w L", "the gradient with respect to w of capital L"),
        (r"\frac{\partial L}{\partial w}", "partial capital L over partial w"),
        (r"\bar y", "y bar"),
        (r"\R^n", "the real numbers to the power n"),
        (r"\lambda", "lambda"),
        ("-1", "minus 1"),
        (r"\sqrt{x+1}", "the square root of x plus 1, end root"),
        (r"A^{-1}", "capital A inverse"),
        (r"x^{(t)}", "x superscript open bracket t close bracket"),
        (r"\min_w L", "the minimum over w of capital L"),
        (r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}",
         "open square bracket a table of 2 rows and 2 columns: row 1: 1, 2; "
         "row 2: 3, 4; close square bracket"),
        (r"p(a \mid b)", "p open bracket a given b close bracket"),
    ],
)  # fmt: skip
def test_speech(latex: str, said: str) -> None:
    assert speech(mathml(latex)) == said


def test_speech_is_words_alone() -> None:
    # Anything else would be read by its name in Unicode, or not at all.
    for latex, xml in bank().items():
        said = speech(xml)
        assert said, latex
        strange = re.findall(r"[^\w\s.,;:!%()-]", said.replace("′", ""))
        assert not strange, f"{latex}: {said}"


def test_different_formulas_of_one_letter_sound_different() -> None:
    letters = ["x", "X", r"\mathbf x", r"\mathbb R", r"\mathcal X", r"\chi", r"\Xi"]

    assert len({speech(mathml(latex)) for latex in letters}) == len(letters)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])))
def test_a_text_means_nothing_but_itself(text: str) -> None:
    # A mark that is not escaped would be markup.
    bare = re.sub(r"\\.", "", content(text))

    assert not re.search(r"[!-/:-@\[-`{-~]", bare)
    assert re.sub(r"\\(.)", r"\1", content(text)) == text


def test_texts_are_set_as_they_are(tmp_path: Path) -> None:
    marks = "1. = - + / a_b *c* `d` #e $f$ <g> @h [i] ~ \\ -- ... // /* https://x.y"
    source = f'#set document(title: "T")\n{content(marks)}'
    (tmp_path / "main.typ").write_text(source)

    pdf = typst.compile(str(tmp_path / "main.typ"), format="pdf")

    shown = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded()
    assert " ".join(shown.split()) == marks


@pytest.mark.parametrize(
    "name", ["escape", "code", "mathematics.markup", "mathematics.speech"]
)
def test_the_examples_of_the_modules(name: str) -> None:
    module = importlib.import_module(f"typst_builder.{name}")
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
