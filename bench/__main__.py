"""Run the measurements and write ``bench/results.md`` and ``bench/results.svg``.

    python -m bench --pairs 5 --chapter getting-started

A new comparison is a module with ``measure(work, pairs) -> list[Series]``, named in
``COMPARISONS``.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from bench import cold_build, growth, preview
from bench.timing import HEAD, Growth, Series

HERE = Path(__file__).parent
COMPARISONS: tuple[Callable[[Path, int], list[Series]], ...] = (
    cold_build.measure,
    preview.measure,
)
OWN, PEER = "#1f5fa8", "#b4540a"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="runs of each way")
    parser.add_argument("--chapter", default="getting-started", help="is repeated")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    series: list[Series] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for number, measure in enumerate(COMPARISONS):
            print(f"{measure.__module__}:", flush=True)
            series += measure(Path(folder, str(number)), options.pairs)
        print("bench.growth:", flush=True)
        grown = growth.measure(Path(folder, "growth"), options.chapter, options.pairs)
    loads = f"{load:.1f} before and {os.getloadavg()[0]:.1f} after"
    (HERE / "results.md").write_text(report(series, grown, loads), encoding="utf-8")
    draw(series, grown)
    print("\n".join([HEAD, *(one.row() for one in series)]))


def report(series: list[Series], grown: Growth, loads: str) -> str:
    """The table, with the circumstances that it was measured in."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return "\n".join(
        [
            "# How long the book takes to build",
            "",
            f"Written by `nox -s bench` on {machine}. So many processes wanted to run",
            f"at a time: {loads}. Above the number of cores, times on the clock are",
            "too long.",
            "",
            HEAD,
            *(one.row() for one in series),
            "",
            f"The chapter `{grown.chapter}` alone, and repeated:",
            "",
            "| chapters | cold build | for each | processors, for each "
            "| largest process | an edit of prose in the preview |",
            "| --- | --- | --- | --- | --- | --- |",
            *grown.rows(),
            "",
            "![Ratios of the pairs, and times by the number of chapters](results.svg)",
            "",
        ]
    )


def draw(series: list[Series], grown: Growth) -> None:
    """The ratio of each pair, and the growth, as one picture."""
    style = {"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 10}
    with mpl.rc_context(style):
        figure = Figure(figsize=(9, 2.8), layout="constrained")
        ratios, times, edits = figure.subplots(1, 3)
        for place, one in enumerate(series):
            ratios.plot(one.ratios(), [place] * len(one.ratios()), "o", color=OWN)
            if one.limit:
                ends = [place - 0.3, place + 0.3]
                ratios.plot([one.limit] * 2, ends, color=PEER)
                ratios.text(one.limit, place + 0.34, "limit", color=PEER, ha="center")
        ratios.set_yticks(range(len(series)), [one.name for one in series])
        ratios.set(
            xlabel="ratio to the peer", xlim=(0, None), ylim=(-0.6, len(series) - 0.4)
        )
        times.plot(grown.times, [run.seconds for run in grown.runs], "o-", color=OWN)
        times.set(xlabel="chapters", ylabel="cold build (s)")
        for count, seconds in zip(grown.times, grown.previews, strict=True):
            edits.plot([count] * len(seconds), seconds, "o", color=OWN)
        edits.set(xlabel="chapters", ylabel="preview of an edit (s)")
        for ax in (times, edits):
            ax.set(xlim=(0, None), ylim=(0, None))
        for ax in (ratios, times, edits):
            ax.spines[["top", "right"]].set_visible(False)
        figure.savefig(HERE / "results.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
