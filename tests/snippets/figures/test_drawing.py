"""Drawings of recorded runs: what they hold, where, and in which words."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest
import torch

from snippets.figures import RecordingError, draw, record
from snippets.figures.figure import Figure
from snippets.figures.memory import draw_memory, positions
from snippets.figures.numbers import number, rows, sentence
from snippets.figures.svg import spans

SVG = "{http://www.w3.org/2000/svg}"


def squared_error() -> Figure:
    X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    w = torch.tensor([3.0, 2.0, 1.0], requires_grad=True)
    y = torch.tensor([2.0, 4.0, 8.0])
    with record() as run:
        z = X @ w
        r = z - y
        m = torch.linalg.vector_norm(r)
        L = m**2
        L.backward()
    return draw(run, X=X, w=w, y=y, z=z, r=r, m=m, L=L)


def fan_out(slopes: bool = False) -> Figure:
    u = torch.tensor(2.0, requires_grad=True)
    v = torch.tensor(3.0, requires_grad=True)
    with record() as run:
        p = u * v
        q = p + u
        L = p * q
        L.backward()
    return draw(run, slopes=slopes, u=u, v=v, p=p, q=q, L=L)


def boxes(view: str) -> dict[int, tuple[float, float, float, float]]:
    root = ET.fromstring(view)
    found = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "vertex":
            frame = group.find(f"{SVG}rect")
            assert frame is not None
            x, y, width, height = (
                float(frame.get(side, "")) for side in ("x", "y", "width", "height")
            )
            found[int(group.get("data-vertex", ""))] = (x, y, x + width, y + height)
    return found


@pytest.mark.parametrize("figure", [squared_error(), fan_out(slopes=True)])
@pytest.mark.parametrize("view", [0, -1])
def test_boxes_do_not_overlap_and_lie_in_the_picture(figure: Figure, view: int) -> None:
    places = boxes(figure.views[view])
    assert len(places) >= 5
    for a, b in combinations(places.values(), 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    _, _, width, height = map(
        float, re.findall(r'viewBox="([^"]+)"', figure.views[view])[0].split()
    )
    for left, top, right, bottom in places.values():
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_the_narrow_view_fits_a_phone_and_the_wide_one_a_page() -> None:
    for figure in (squared_error(), fan_out()):
        wide, narrow = figure.views
        assert float(re.findall(r'width="([\d.]+)"', narrow)[0]) <= 328
        assert float(re.findall(r'width="([\d.]+)"', wide)[0]) <= 720


def test_a_box_holds_the_value_above_and_the_gradient_below() -> None:
    root = ET.fromstring(squared_error().svg)
    texts = [
        ["".join(text.itertext()) for text in group.iter(f"{SVG}text")]
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "vertex"
    ]
    assert ["w", "(3, 2, 1)", "∇ (740, 880, 1020)"] in texts
    assert ["y", "(2, 4, 8)"] in texts
    assert ["r = z − y", "(8, 24, 38)", "∇ (16, 48, 76)"] in texts
    assert ["m = ‖r‖", "45.65", "∇ 91.3"] in texts


def test_leaves_and_required_gradients_can_be_told() -> None:
    root = ET.fromstring(squared_error().svg)
    kinds = {}
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "vertex":
            frame, name = group.find(f"{SVG}rect"), group.find(f".//{SVG}tspan")
            assert frame is not None
            assert name is not None
            kinds[name.text] = (frame.get("rx"), float(frame.get("stroke-width", "0")))
    assert kinds["X"] == kinds["y"] == ("0", 1.2)
    assert kinds["w"] == ("0", 2.4)
    assert kinds["z"] == kinds["L"] == ("9", 2.4)


def test_slopes_stand_on_the_edges() -> None:
    root = ET.fromstring(fan_out(slopes=True).svg)
    labels = [
        "".join(text.itertext())
        for group in root.iter(f"{SVG}g")
        if group.get("class") == "edge"
        for text in group.iter(f"{SVG}text")
    ]
    assert sorted(labels) == ["1", "1", "2", "3", "6", "8"]


def test_what_detach_cuts_is_dashed_and_said() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    with record() as run:
        d = w.detach()
        (w * d).backward()
    figure = draw(run, w=w, d=d)
    assert figure.svg.count("stroke-dasharray") == 1
    assert ">cut</text>" in figure.svg
    assert "The edge from w to d is cut: no gradient." in figure.alt


def test_the_text_says_what_the_graph_says() -> None:
    assert squared_error().alt == (
        "Computation graph. Given are X = [1 2 3; 4 5 6; 7 8 9], w = (3, 2, 1) and "
        "y = (2, 4, 8). w requires a gradient. z = X @ w, the matrix product of X and "
        "w, is (10, 28, 46). r = z − y, the difference of z and y, is (8, 24, 38). "
        "m = ‖r‖, the norm of r, is 45.65. L = m², the square of m, is 2084. "
        "Gradients: 1 at L, 91.3 at m, (16, 48, 76) at r, (16, 48, 76) at z, "
        "(740, 880, 1020) at w."
    )


def test_each_step_says_the_local_rule() -> None:
    says = [step["say"] for step in squared_error().data["steps"]]
    assert says[0].startswith("Given are X = ")
    assert says[1:] == [
        "z = X @ w = (10, 28, 46).",
        "r = z − y = (8, 24, 38).",
        "m = ‖r‖ = 45.65.",
        "L = m² = 2084.",
        "The backward pass starts at L, with gradient 1.",
        "Gradient at m = 2 m × 1 = 91.3.",
        "Gradient at r = (r / m) × 91.3 = (16, 48, 76).",
        "Gradient at z = 1 × (16, 48, 76) = (16, 48, 76).",
        "Gradient at w = Xᵀ × (16, 48, 76) = (740, 880, 1020).",
    ]
    summed = [step["say"] for step in fan_out().data["steps"]][6]
    assert summed == (
        "To p come 1 × 6 = 6 from q and q × 1 = 8 from L. The sum is the gradient: 14."
    )


def test_a_drawing_is_the_same_in_each_run_and_keeps_to_the_policy() -> None:
    first, second = fan_out(slopes=True), fan_out(slopes=True)
    assert first == second
    assert first.html() == second.html()
    for markup in (first.html(), squared_error().html()):
        assert not re.search(r"\s(?:style|on\w+)=", markup)
        assert re.findall(r"<script[^>]*>", markup) == [
            '<script type="application/json">'
        ]
        assert " id=" not in markup


def test_data_cannot_end_their_script_and_hold_no_nan() -> None:
    figure = Figure("<svg/>", "x", enhanced_by="a-b", data={"say": "</script>"})
    html = figure.html()
    assert html.count("</script>") == 1
    r = torch.zeros(2, requires_grad=True)
    with record() as run:
        torch.sqrt(r @ r).pow(2).backward()
    html = draw(run, r=r).html()
    data = re.findall(r"<script[^>]*>(.*?)</script>", html)[0]
    assert json.loads(data)["steps"][-1]["answer"] == ["nan", "nan"]


def test_looks_are_panels_with_grad_in_the_leaves() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    with record() as run:
        L = w**2
    run.look("before")
    L.backward()
    run.look("after")
    figure = draw(run, w=w, L=L)
    assert ".grad None" in figure.svg
    assert ".grad 6" in figure.svg
    assert figure.svg.count("stroke-dasharray") == 1  # the freed edge
    assert "after: w = 3, L = 9, w.grad = 6. The saved values" in figure.alt
    assert figure.enhanced_by == ""


def test_an_empty_recording_is_refused() -> None:
    with record() as run:
        torch.tensor(1.0)
    with pytest.raises(RecordingError, match="nothing was recorded"):
        draw(run)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2084.0, "2084"),
        (45.6508, "45.65"),
        (-0.5, "−0.5"),
        (3.3546e-4, "0.0003355"),
        (1e-8, "1e−8"),
        (1.5e12, "1.5e12"),
        (float("nan"), "nan"),
        (float("-inf"), "−∞"),
    ],
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert number(value) == text


def test_long_tensors_are_shortened_with_their_shape() -> None:
    assert sentence(torch.arange(6)) == "(0, 1, …, 5)"
    assert rows(torch.arange(6)) == [["(0, 1, …, 5)"], ["shape (6)"]]
    table = rows(torch.arange(50).reshape(5, 10))
    assert table == [
        ["0", "1", "…", "9"],
        ["10", "11", "…", "19"],
        ["⋮", "⋮", "⋮", "⋮"],
        ["40", "41", "…", "49"],
        ["shape (5, 10)"],
    ]
    assert sentence(torch.zeros(5, 10)) == "a tensor of shape (5, 10)"
    assert rows(torch.zeros(2, 2, 2)) == [["shape (2, 2, 2)"]]


def test_a_subscript_falls_and_the_rest_rises_again() -> None:
    drawn = ET.fromstring(f"<text>{spans('L = l − s_y + 1')}</text>")
    pieces = [(piece.text, piece.get("dy")) for piece in drawn]
    assert pieces == [("L = l − s", None), ("y", "3"), (" + 1", "-3")]


def test_memory_is_read_by_strides() -> None:
    grid = torch.arange(6).reshape(2, 3)
    assert positions(grid.T) == [[0, 3], [1, 4], [2, 5]]
    assert positions(grid[:, 1:]) == [[1, 2], [4, 5]]
    figure = draw_memory(grid=grid, **{"grid.T": grid.T})
    assert "grid.T, of shape (3, 2) with strides (1, 3), reads them as " in figure.alt
    assert figure.svg.count("<rect") == 6 + 6 + 6
    with pytest.raises(ValueError, match="one memory"):
        draw_memory(grid=grid, other=grid.clone())
