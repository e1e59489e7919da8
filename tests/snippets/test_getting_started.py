"""What the first chapter shows, by routes of its own."""

import importlib.metadata
import math
import struct
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from snippets import getting_started as chapter
from tests.cells import assert_shown_below, expected_numbers, run_cells
from tests.draws import Draws


def test_first_gradient_is_the_symbolic_derivative():
    w = sympy.Symbol("w")
    expected = sympy.diff((2 * w - 1) ** 2, w).subs(w, 3)
    assert chapter.w.grad.item() == int(expected)


def test_version_is_that_of_the_installed_package():
    ns = run_cells("getting_started", until="version")
    assert importlib.metadata.version("torch") == ns["torch"].__version__


def test_stored_third_is_the_nearest_float32():
    stored = Fraction(chapter.x[0].item())
    bits = struct.unpack("<I", struct.pack("<f", stored))[0]
    neighbours = [
        Fraction(struct.unpack("<f", struct.pack("<I", bits + step))[0])
        for step in (-1, 1)
    ]
    third = Fraction(1, 3)
    assert all(abs(stored - third) < abs(other - third) for other in neighbours)
    assert stored != third


def test_display_rounds_to_four_decimals():
    assert str(chapter.x) == "tensor([0.3333, 0.6667, 1.0000])"


def test_sum_and_type_of_the_thirds():
    assert chapter.x.sum().item() == pytest.approx((1 + 2 + 3) / 3)
    assert chapter.x.dtype is torch.float32


def test_recorded_loss_shows_its_grad_fn():
    assert (2 * Fraction(3) - 1) ** 2 == chapter.loss.item()
    assert "grad_fn" in repr(chapter.loss)


def test_running_the_adding_cell_again_adds_again():
    once = run_cells("getting_started", until="total-add")["total"]
    twice = run_cells("getting_started", until="total-add-again")["total"]
    assert (once, twice) == (5, 5 + 5)


def test_area_needs_a_height():
    assert "height" not in run_cells("getting_started", until="name-error")
    assert chapter.area(3) == sum([4] * 3)


def test_average_refuses_integers_and_takes_floats():
    with pytest.raises(RuntimeError, match="Got: Long"):
        chapter.average(torch.tensor([1, 2, 6]))
    assert chapter.average(torch.tensor([1.0, 2.0, 6.0])).item() == (1 + 2 + 6) / 3


def test_a_seed_repeats_and_the_sequence_goes_on():
    assert torch.equal(chapter.first, chapter.third)
    assert not torch.equal(chapter.first, chapter.second)
    six = torch.rand(6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat([chapter.first, chapter.second]), six)


def test_one_seed_gives_other_numbers_for_another_length_or_type():
    difference = (chapter.fifteen[:3] - chapter.sixteen[:3]).abs()
    assert difference.min() > 0.01
    assert (chapter.first.double() - chapter.double).abs().max() > 0.01


def test_central_difference_agrees_with_the_gradient():
    assert chapter.by_difference == chapter.w.grad.item()


@given(
    st.tuples(*[st.integers(-20, 20)] * 3),
    st.integers(-20, 20),
    st.fractions(Fraction(1, 8), 3),
)
def test_central_difference_is_exact_for_every_quadratic(coefficients, w, h):
    second, first, constant = coefficients

    def f(x):
        return second * x * x + first * x + constant

    assert chapter.central_difference(f, Fraction(w), h) == 2 * second * w + first


def test_central_difference_of_the_cube_is_wrong_by_the_step_squared():
    w, h = sympy.symbols("w h")
    slope = chapter.central_difference(lambda x: x**3, w, h)
    assert sympy.expand(slope - sympy.diff(w**3, w)) == h**2


def test_display_answer_is_two_thirds_in_float32():
    ns = run_cells("getting_started", until="answer-display")
    assert str(ns["y"]) == "tensor(0.6667)"
    error = abs(Fraction(ns["y"].item()) - Fraction(2, 3))
    assert 0 < error <= Fraction(1, 2**25)  # half a spacing of float32 in [½, 1)


def test_nested_derivative_by_sympy_autograd_and_hand():
    v = sympy.Symbol("v")
    slope = sympy.diff(sympy.exp(sympy.sin(v**2)), v).subs(v, 1)
    assert chapter.by_hand == pytest.approx(float(slope), rel=1e-12)
    assert chapter.v.grad.item() == pytest.approx(float(slope), rel=1e-12)


@given(st.integers(0, 2**32), st.integers(1, 50))
def test_dice_repeat_by_seed_and_show_one_to_six(seed, throws):
    result = chapter.dice(seed, throws)
    assert result.shape == (throws,)
    assert set(result.tolist()) <= {1, 2, 3, 4, 5, 6}
    assert torch.equal(result, chapter.dice(seed, throws))


def test_dice_show_every_face():
    assert set(chapter.dice(0, 1000).tolist()) == {1, 2, 3, 4, 5, 6}


def test_dice_leave_the_common_generator_alone():
    state = torch.get_rng_state()
    chapter.dice(7, 100)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(chapter.alone, chapter.after_dice)


def test_quarter_fails_inside_half_called_from_quarter():
    assert chapter.quarter(8) == 8 * 0.25
    with pytest.raises(TypeError) as caught:
        chapter.quarter("8")
    assert [frame.name for frame in caught.traceback][1:] == ["quarter", "half"]


def test_seeded_numbers_come_from_the_mersenne_twister():
    draws = Draws(0)
    for shown in (chapter.first, chapter.second):
        assert shown.tolist() == pytest.approx(draws.rand(3), abs=1e-7)
    assert chapter.fifteen[:3].tolist() == pytest.approx(Draws(0).randn(15)[:3])
    assert chapter.sixteen[:3].tolist() == pytest.approx(Draws(0).randn(16)[:3], 1e-5)
    assert chapter.double.tolist() == pytest.approx(Draws(0).rand64(3))
    assert chapter.after_dice.tolist() == pytest.approx(Draws(1).rand(2), abs=1e-7)
    assert chapter.dice(0, 10).tolist() == Draws(0).randint(10, 1, 7).tolist()


def test_answer_cubic_prints_twelve_and_the_step_squared(capsys):
    run_cells("getting_started", until="answer-cubic")
    for line in capsys.readouterr().out.splitlines()[-3:]:
        h, slope = map(Fraction, line.split())
        assert slope == 3 * 2**2 + h**2


THREE = Draws(0).rand(3)
BY_HAND = {
    "first-gradient": [4 * (2 * 3 - 1)],
    "displayed": [1 / 3, 2 / 3, 1],
    "item": [np.float32(1) / np.float32(3)],
    "printed": [1 / 3 + 2 / 3 + 1],
    "recorded": [(2 * 3 - 1) ** 2],
    "total-add": [5],
    "total-add-again": [5 + 5],
    "height": [3 * 4],
    "average-of-floats": [(1 + 2 + 6) / 3],
    "seed": [*Draws(0).rand(6), *Draws(0).rand(3)],
    "same-seed-other-numbers": [
        *Draws(0).randn(15)[:3],
        *Draws(0).randn(16)[:3],
        *Draws(0).rand64(3),
    ],
    "central-difference": [(36 - 16) / 1],
    "answer-display": [2 / 3, np.float32(2) / np.float32(3)],
    "answer-nested": [2 * math.cos(1) * math.exp(math.sin(1))] * 2,
    "answer-cubic": [1, 12 + 1, 1 / 2, 12 + 1 / 4, 1 / 4, 12 + 1 / 16],
    "answer-dice": [*Draws(0).randint(10, 1, 7)] * 2,
    "answer-undisturbed": [*Draws(1).rand(2)] * 2,
    "answer-halves": [8 / 4],
}


@pytest.mark.parametrize("cell", BY_HAND)
def test_expected_numbers_by_hand(cell):
    numbers = expected_numbers("getting-started", cell)
    digits = 1e-15 if cell in ("item", "answer-nested") else 5.1e-5
    assert numbers == pytest.approx(list(map(float, BY_HAND[cell])), rel=0, abs=digits)


def test_values_in_sentences_by_hand():
    third = struct.unpack("<f", struct.pack("<f", 1 / 3))[0]
    computed = {
        "item": [Fraction(third) - Fraction(1, 3)],
        "total-add-again": [5, 5 + 5],
        "answer-display": [2 * Fraction(third) - Fraction(2, 3)],  # doubling is exact
    }
    assert_shown_below("getting-started", computed)
