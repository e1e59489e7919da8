"""Formulas: what Temml makes of them, what is mended, and how wide they are."""

import doctest
import importlib
import re
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest

from mathml import convert as converter
from mathml import install
from mathml.convert import MathError, as_one_display, convert, read_macros
from mathml.tidy import ARITY, tidy
from mathml.width import width

MACROS = read_macros(install.ROOT / "_config" / "macros.toml")
BANK = [
    line
    for line in Path(__file__).with_name("formulas.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("# ")
]


def mathml(latex: str, display: bool = False) -> str:
    """The inside of a formula's <math>."""
    return re.sub("^<math[^>]*>|</math>$", "", convert(latex, display, MACROS))


def tree(latex: str, display: bool = False) -> Element:
    return fromstring(convert(latex, display, MACROS))


@pytest.mark.parametrize("name", ["convert", "tidy", "width", "font"])
def test_the_examples_of_the_modules(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"mathml.{name}"))
    assert found.attempted
    assert not found.failed


def test_the_bank_is_a_bank() -> None:
    assert len(BANK) >= 150
    assert len(set(BANK)) == len(BANK)


@pytest.mark.parametrize("latex", BANK)
def test_every_formula_of_the_bank_is_sound_mathml(latex: str) -> None:
    displayed = tree(latex, display=True)
    assert displayed.attrib == {"display": "block"}
    for node in displayed.iter():
        assert node.tag != "merror"
        assert len(node) == ARITY.get(node.tag, len(node)), node.tag
        assert "\\" not in (node.text or "")


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\frac{1}{n}", "<mfrac><mn>1</mn><mi>n</mi></mfrac>"),
        ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"x \in \R", "<mrow><mi>x</mi><mo>∈</mo><mi>ℝ</mi></mrow>"),
        (r"\mathbf{w}", "<mi>𝐰</mi>"),
        (r"\ind{c}", "<msub><mn>𝟙</mn><mi>c</mi></msub>"),
        (r"\E \Prob", "<mrow><mi>𝔼</mi><mi>ℙ</mi></mrow>"),
        (r"\eps", "<mi>ε</mi>"),
        ("a − b", "<mrow><mi>a</mi><mo>−</mo><mi>b</mi></mrow>"),
        ("2 × 3", "<mrow><mn>2</mn><mo>×</mo><mn>3</mn></mrow>"),
        ("1,020", "<mn>1,020</mn>"),
    ],
)
def test_structure(latex: str, expected: str) -> None:
    assert mathml(latex) == expected


def test_a_power_of_ten_in_unicode_is_a_power() -> None:
    power = tree("1.52 × 10⁻⁸").find(".//msup")
    assert power is not None
    assert power[0].text == "10"
    assert "".join(power[1].itertext()) == "−8"


def test_a_root_and_its_degree() -> None:
    [root] = tree(r"\sqrt[3]{x}")
    assert root.tag == "mroot"
    assert ["".join(child.itertext()) for child in root] == ["x", "3"]


def test_transpose_is_a_superscript() -> None:
    [power] = tree(r"X^\T")
    assert power.tag == "msup"
    assert [child.text for child in power] == ["X", "⊤"]


@pytest.mark.parametrize("name", ["softmax", "logsumexp", "diag", "KL", "sign", "tr"])
def test_functions_are_upright_names(name: str) -> None:
    [row] = tree(rf"\{name}(z)")
    assert (row[0].tag, row[0].text) == ("mi", name)


def test_lines_and_columns() -> None:
    table = tree(r"a &= b \\ &= c \\ &= d", display=True)[0]
    assert [len(line) for line in table] == [2, 2, 2]
    assert ["".join(line.itertext()) for line in table] == ["a=b", "=c", "=d"]
    [table] = tree(r"f = \begin{cases} x & y \\ 0 & z \end{cases}", True).iter("mtable")
    assert [len(line) for line in table] == [2, 2]


def test_temml_numbers_nothing() -> None:
    table = tree(r"\begin{align} a &= b \\ c &= d \end{align}", display=True)[0]
    assert [len(line) for line in table] == [2, 2]
    [line] = tree(r"\begin{equation} a \end{equation}", display=True)[0]
    assert len(line) == 1


def test_only_bare_line_ends_make_lines() -> None:
    matrix = r"A = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}"
    assert as_one_display(matrix) == matrix
    stack = r"\sum_{\substack{i \\ j}} \{x\}"
    assert as_one_display(stack) == stack


def test_blank_lines_part_formulas() -> None:
    assert as_one_display("a\n\nb") == r"\begin{gathered}a \\ b\end{gathered}"
    assert as_one_display("a &= 1\n \nb &= 2").startswith(r"\begin{aligned}")
    assert as_one_display("\n") == ""


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (r"\frac{1}{2", "Unexpected end of input in a macro argument, expected '}'"),
        (r"x + \foo", r"Unsupported function name: \foo at position 5: x + \foo"),
        (r"\left( x", r"Expected '\right'"),
        ("a & b", "Expected 'EOF', got '&'"),
    ],
)
def test_a_wrong_formula_says_what_is_wrong(latex: str, message: str) -> None:
    with pytest.raises(MathError, match=re.escape(message)):
        convert(latex)


def test_a_definition_ends_with_its_formula() -> None:
    assert convert(r"\gdef\mine{1}\mine", macros=MACROS).count("<mn>1</mn>") == 1
    with pytest.raises(MathError, match="mine"):
        convert(r"\mine", macros=MACROS)


def test_without_temml_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(converter, "TEMML", tmp_path / "temml.cjs")
    with pytest.raises(install.InstallError, match=r"mathml\.install"):
        converter._Temml()


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("'R' = 'x'", r"macros.toml: R: a macro reads"),
        (r"'\R' = 1", r"macros.toml: \R: a macro reads"),
        ("'\\R' = \n", "macros.toml: Invalid value (at line 1"),
    ],
)
def test_a_wrong_macro_is_named(tmp_path: Path, toml: str, message: str) -> None:
    file = tmp_path / "macros.toml"
    file.write_text(toml, encoding="utf-8")
    with pytest.raises(MathError, match=re.escape(message)):
        read_macros(file)


@pytest.mark.parametrize(
    ("latex", "stretchy"),
    [
        (r"\norm{X w - y}", "false"),
        (r"\left( x_i^2 \right)", "false"),
        (r"\norm{\frac{x}{y}}", "true"),
        (r"\left( \sum_i x_i \right)", "true"),
    ],
)
def test_brackets_grow_around_what_is_tall(latex: str, stretchy: str) -> None:
    fences = [node for node in tree(latex).iter("mo") if node.get("fence")]
    assert [fence.get("stretchy") for fence in fences] == [stretchy] * 2


def test_no_invisible_bracket_is_left() -> None:
    texts = [node.text for node in tree(r"\left. f \right|").iter("mo")]
    assert texts == ["|"]


def test_primes_are_one_character() -> None:
    assert [node.text for node in tree("f'' + f'''").iter("mo")] == ["″", "+", "‴"]


def test_what_stands_under_a_name() -> None:
    row = tree(r"\underset{x}{\operatorname{minimise}} f")[0][0]
    assert [child.tag for child in row] == ["munder", "mo", "mspace"]
    assert [child.text for child in row[0]] == ["minimise", "x"]


@pytest.mark.parametrize(
    ("latex", "form"),
    [
        (r"a, \quad -b", "prefix"),
        (r"\bigl[ -b \bigr]", "prefix"),
        (r"\sum_i -b", "prefix"),
        (r"a - b", None),
        (r"\bigl[ a \bigr] - b", None),
        (r"1 + \dots - b", None),
    ],
)
def test_signs_of_numbers_and_of_sums(latex: str, form: str | None) -> None:
    [sign] = [node for node in tree(latex).iter("mo") if node.text == "−"]
    assert sign.get("form") == form


def test_spaces_of_tex() -> None:
    dots = [node for node in tree(r"1 \cdots n + \dots + m").iter("mo")]
    spaces = [(node.get("lspace"), node.get("rspace")) for node in dots]
    assert spaces == [("0.1667em",) * 2, (None,) * 2, ("0em",) * 2, (None,) * 2]
    beside = [node.get("lspace") for node in tree(r"a \sum = \sum b").iter("mo")]
    assert beside == ["0.1667em", None, "0em"]
    # Temml itself spaces a name after one letter, but not after one with scripts.
    for latex, spaces in ((r"p \log q", 2), (r"p_k \log q", 2), (r"-\log q", 1)):
        assert mathml(latex).count('<mspace width="0.1667em">') == spaces
    assert mathml(r"\text{a} = \text{b}") == (
        "<mrow><mtext>a</mtext><mo>=</mo><mtext>b</mtext></mrow>"
    )


def test_no_space_after_a_name_at_the_end() -> None:
    assert (
        mathml(r"\log") == "<mrow><mi>log</mi><mo>\N{FUNCTION APPLICATION}</mo></mrow>"
    )
    assert "mspace" in mathml(r"\log x")


def test_wide_accents_are_those_that_browsers_stretch() -> None:
    [wide] = [node for node in tree(r"\widetilde{AB}").iter("mo")]
    assert wide.text == "\N{SMALL TILDE}"


def test_mending_what_is_sound_changes_nothing() -> None:
    for latex in BANK:
        once = convert(latex, True, MACROS)
        assert tidy(once) == once, latex


# In em of the formula, measured in Chromium with this font.
MEASURED = {
    r"L(w) = \norm{X w - y}^2": 7.6,
    r"w_{t+1} = w_t - \eta \, \grad L(w_t)": 9.3,
    r"\softmax(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}": 10.1,
    r"\begin{cases} x & \text{if } x > 0, \\ 0 & \text{otherwise.} \end{cases}": 6.5,
    r"L &= \norm{X w - y}^2 \\ &= w^\T X^\T X w - 2 y^\T X w + y^\T y": 12.5,
    r"\begin{pmatrix} a_1 & \cdots & a_n \\ b_1 & \cdots & b_n \end{pmatrix}": 6.0,
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}": 9.3,
}


@pytest.mark.parametrize("latex", MEASURED)
def test_widths_are_those_of_a_browser(latex: str) -> None:
    estimate = width(convert(latex, True, MACROS))
    assert estimate == pytest.approx(MEASURED[latex], rel=0.1)


def test_a_fraction_is_as_wide_as_its_wider_part() -> None:
    sizes = [
        width(convert(latex, display))
        for latex, display in (
            (r"a + b", False),
            (r"\frac{a + b}{x + y}", False),
            (r"\frac{a + b}{x + y}", True),
        )
    ]
    assert sizes[1] < sizes[0] < sizes[2] < 1.2 * sizes[0]
