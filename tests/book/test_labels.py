"""Every label of the book is needed, and every place of a setting is there."""

from __future__ import annotations

import pytest

from tests.cells import ROOT
from tests.labels import idle_labels, places_of

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in ROOT.glob("book/*.md")}
PLACES = {slug: places_of(slug) for slug in PAGES}


def test_every_label_of_the_book_is_needed_and_every_place_is_there() -> None:
    found = list(idle_labels(PAGES, PLACES))
    assert not found, "\n".join(["", *found])


PAGE = """\
(page)=
# Page

(above)=
## Above

See {{eq}}`eq-page-sum`, {{eq}}`the sum <eq-page-sum>` and [below](#below).

(below)=
## Below

:::{{exercise}} Recall: a sum
:label: ex-page-sum
:::

:::{{solution-start}} ex-page-sum
:::

:::{{figure}} page#figure-sum
:name: fig-{}
:::

:label: eq-page-sum
"""


@pytest.mark.parametrize(
    ("figure", "places", "said"),
    [
        ("page-sum", {"page", "above"}, []),
        ("page-sum", {"page"}, ["page.md:4: nothing refers to 'above'; link to it"]),
        (
            "page-sum",
            {"above", "over"},
            ["checks/page.py: something is said of 'over'"],
        ),
        (
            "page-sums",
            {"above"},
            ["page.md:20: fig-page-sums should be 'fig-page-sum'"],
        ),
    ],
)
def test_what_nothing_needs_is_named(figure, places, said):
    found = list(idle_labels({"page": PAGE.format(figure)}, {"page": places}))
    assert len(found) == len(said)
    assert all(part in line for part, line in zip(said, found, strict=True))
