"""Numbers, tensors and texts as they read in a sentence."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cell_values import in_prose, typeset

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (23, "", "23"),
        (-23, "", "−23"),
        (0, "", "0"),
        (-1234567, ",", "−1,234,567"),
        (5, ".2f", "5.00"),
        (255, "x", "ff"),
        (10**20, "", "100000000000000000000"),
        (2.0, "", "2"),
        (-0.5, "", "−0.5"),
        (1 / 3, "", "0.333333"),
        (1 / 3, ".2f", "0.33"),
        (2.5, "+.1f", "+2.5"),
        (-2.5, "+.1f", "−2.5"),
        (0.1234, ".1%", "12.3%"),
        (-0.1234, ".0%", "−12%"),
        (1234567.0, "", "1.23457 × 10⁶"),
        (1234567.0, ",.1f", "1,234,567.0"),
        (1.52e-08, ".3g", "1.52 × 10⁻⁸"),
        (-1e100, "", "−1 × 10¹⁰⁰"),
        (1.0, ".2e", "1.00 × 10⁰"),
        (12345.0, ".1e", "1.2 × 10⁴"),
    ],
)
def test_numbers_have_a_true_minus_and_powers_of_ten(
    value: float, spec: str, text: str
) -> None:
    assert in_prose(value, spec) == text


def test_a_sign_that_rounding_leaves_on_a_zero_is_shown() -> None:
    assert in_prose(-0.0) == "−0"
    assert in_prose(-0.001, ".2f") == "−0.00"
    assert in_prose(0.0) == "0"


@pytest.mark.parametrize("spec", ["", ".2f", ".3g", ".1e"])
def test_infinity_has_its_sign_and_nan_its_name(spec: str) -> None:
    assert in_prose(math.inf, spec) == "∞"
    assert in_prose(-math.inf, spec) == "−∞"
    assert in_prose(math.nan, spec) == "nan"


def test_truth_and_text_stay_what_they_are() -> None:
    assert in_prose(True) == "True"
    assert in_prose(np.bool_(False)) == "False"
    assert in_prose(None) == "None"
    assert in_prose("-1e-5, inf") == "-1e-5, inf"
    assert in_prose("ab", ">4") == "  ab"


def test_a_format_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="format code 'f'"):
        in_prose("text", ".2f")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor(-1.5), "−1.5"),
        (torch.tensor(3), "3"),
        (torch.tensor(True), "True"),
        (torch.tensor(0.1), "0.1"),  # not 0.10000000149, its nearest float32
        (torch.tensor([1.0, -2.0]), "(1, −2)"),
        (torch.tensor([[1.0, 2.0], [3.0, math.inf]]), "((1, 2), (3, ∞))"),
        (torch.tensor([2.0], requires_grad=True), "(2)"),
        (torch.tensor([]), "()"),
        (np.float64(-0.25), "−0.25"),
        (np.float32(0.1), "0.1"),
        (np.int64(-7), "−7"),
        (np.array([1, 2]), "(1, 2)"),
        (np.str_("-1"), "-1"),
        ([740.0, 880.0], "(740, 880)"),
        ((1, [2.5, -3]), "(1, (2.5, −3))"),
        ([torch.tensor(1.0), np.float64(2)], "(1, 2)"),
        (torch.Size([2, 3]), "(2, 3)"),
        ([], "()"),
    ],
)
def test_tensors_and_sequences_are_written_as_tuples(value: Any, text: str) -> None:
    assert in_prose(value) == text


def test_a_format_applies_to_every_entry() -> None:
    assert in_prose(torch.tensor([[1.0, -0.126]]), ".2f") == "((1.00, −0.13))"


def read(text: str) -> Fraction:
    """The exact number that a reader takes from a text."""
    assert "-" not in text
    assert "e" not in text
    digits, _, power = text.replace("−", "-").replace(",", "").partition(" × 10")
    scale = Fraction(1)
    if digits.endswith("%"):
        digits, scale = digits[:-1], Fraction(1, 100)
    return (
        Fraction(digits)
        * scale
        * Fraction(10) ** int(power.translate(SUPERSCRIPTS) or "0")
    )


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(FINITE, st.integers(1, 17))
def test_a_float_reads_back_to_the_given_significant_digits(
    value: float, digits: int
) -> None:
    text = in_prose(value, f".{digits}g")
    exact = Fraction(value)
    size = math.floor(math.log10(abs(value))) if value else 0
    # Half a unit of the last digit; log10 may be off by one just below a power.
    assert abs(read(text) - exact) <= Fraction(10) ** (size - digits + 1)
    assert read(text) == Fraction(f"{value:.{digits}g}")
    if digits == 17:
        assert float(read(text)) == value


@settings(deadline=None)
@given(
    FINITE.filter(lambda value: abs(value) < 1e15),
    st.sampled_from(["", ".0f", ".3f", "+.2f", ",.4f", ".3e", "+.10e", ".2%"]),
)
def test_a_float_reads_back_as_python_would_write_it(value: float, spec: str) -> None:
    plain = format(value, spec or ".6g").replace(",", "")
    percent = plain.endswith("%")
    expected = Fraction(plain.rstrip("%")) / (100 if percent else 1)
    assert read(in_prose(value, spec)) == expected


@settings(deadline=None)
@given(st.integers())
def test_an_integer_is_never_rounded(value: int) -> None:
    assert read(in_prose(value)) == value
    assert read(in_prose(value, ",")) == value


def test_typeset_leaves_what_is_no_number() -> None:
    assert typeset("ff") == "ff"
    assert typeset("0x1f") == "0x1f"
