"""Plots: the style, the tidied SVG, and where a script finds the axes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from snippets.figures import plots

SVG = "{http://www.w3.org/2000/svg}"


def plotted(**options):
    figure, ax = plots.sheet(200)
    [line] = ax.plot([0, 2, 10], [5, 1, 3], color=plots.BLUE)
    line.set_gid(plots.REPLACED)
    ax.fill_between([0, 10], 0, 1, color=plots.FAINT)
    plots.name_line(ax, "a line", 2, 1, plots.BLUE)
    ax.set(xlabel="steps", ylabel="loss", yticks=[0, 12.5])
    place = plots.scale(ax)
    return plots.finished(figure, "A line that falls and rises.", **options), place


def test_a_plot_is_the_same_in_each_run() -> None:
    first, second = plotted()[0], plotted()[0]
    assert first.svg == second.svg
    assert not re.search(r"20\d\d-\d\d", first.svg)
    assert "metadata" not in first.svg


def test_a_plot_keeps_to_the_policy_and_says_what_it_shows() -> None:
    svg = plotted()[0].svg
    assert "style" not in svg
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "A line that falls and rises."
    texts = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"steps", "loss", "a line", "12.5"} <= texts


def test_ids_of_two_plots_do_not_meet() -> None:
    figure, ax = plots.sheet(150)
    ax.plot([0, 1], [0, 1])
    ids = [
        set(re.findall(r' id="([^"]+)"', svg))
        for svg in (plotted()[0].svg, plots.finished(figure, "A line.").svg)
    ]
    assert all(ids)
    assert ids[0].isdisjoint(ids[1])
    for svg, known in zip((plotted()[0].svg,), ids, strict=False):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) <= known


def test_only_the_inks_of_the_style_are_used() -> None:
    inks = set(re.findall(r"#[0-9a-f]{6}\b", plotted()[0].svg))
    known = {plots.BLUE, plots.FAINT, plots.INK, plots.LINE, plots.MUTED}
    assert inks <= known | {"#000000"}


def test_the_scale_leads_from_data_to_pixels() -> None:
    figure, place = plotted()
    root = ET.fromstring(figure.svg)
    [group] = [g for g in root.iter(f"{SVG}g") if g.get("class") == plots.REPLACED]
    path = group.find(f"{SVG}path")
    assert path is not None
    drawn = [float(one) for one in re.findall(r"-?[\d.]+", path.get("d", ""))]
    x0, left, x1, right = place["x"]
    y0, low, y1, high = place["y"]
    expected = []
    for x, y in ((0, 5), (2, 1), (10, 3)):
        expected.append(left + (x - x0) / (x1 - x0) * (right - left))
        expected.append(low + (y - y0) / (y1 - y0) * (high - low))
    assert drawn == pytest.approx(expected, abs=0.02)


def test_every_text_lies_in_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """With sizes for which a first layout leaves the label outside."""
    sizes = {"font.size": 11, "axes.labelsize": 11, "ytick.labelsize": 10.5}
    for name, size in (sizes | {"xtick.labelsize": 10.5}).items():
        monkeypatch.setitem(plots.STYLE, name, size)
    figure, ax = plots.sheet(230)
    ax.plot(range(60), [12] * 60)
    ax.set(xlabel="step", ylabel="loss − minimum", ylim=(-0.5, 16), xlim=(0, 60))
    plots.scale(ax)
    root = ET.fromstring(plots.finished(figure, "A line.").svg)
    for text in root.iter(f"{SVG}text"):
        size = float(text.get("font-size", "10"))
        turned = "rotate(-90" in text.get("transform", "")
        assert float(text.get("x" if turned else "y", "0")) > size * 0.7


def test_a_plot_without_a_text_is_refused() -> None:
    figure, _ = plots.sheet(100)
    with pytest.raises(ValueError, match="says what it shows"):
        plots.finished(figure, " ")


def test_data_make_an_element_that_a_script_enhances() -> None:
    figure, _ = plotted(enhanced_by="a-plot", data={"rate": 0.5})
    assert figure.html().startswith('<a-plot class="drawn">')
    assert '<script type="application/json">{"rate":0.5}</script>' in figure.html()


def test_a_level_line_has_the_same_height_everywhere() -> None:
    hessian = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    minimum = torch.tensor([1.0, -2.0], dtype=torch.float64)
    _, ax = plots.sheet(100)
    plots.level_line(ax, minimum, hessian, 1.5)
    [ellipse] = ax.patches
    around = np.linspace(0, 2 * np.pi, 9)
    circle = np.column_stack([np.cos(around), np.sin(around)])
    moved = ellipse.get_patch_transform().transform(circle) - minimum.numpy()
    heights = 0.5 * np.einsum("ij,jk,ik->i", moved, hessian.numpy(), moved)
    np.testing.assert_allclose(heights, 1.5)
