"""The formulas of a page, their lines and the labels around them."""

from equations.pages import formulas

PAGE = r"""
(top)=
# Title

Text with $a = b$ and `$no = formula$` and \$5.

(first)=
## A section

1. Reason.

   $$c = d$$

2. Another reason,
   with $e = f$ in it.

   ```{math}
   :label: eq-one
   \begin{aligned}
   g &= h
   \end{aligned}
   ```

Text again.

$$
i = j
$$ (eq-two)

:::{exercise} About $q = r$
:label: ex-one

Is $k = l$?
:::

:::{solution-start} ex-one
:::
It is: $m = n$.
:::{solution-end}
:::

```{code-cell} python
x = "$not = math$"
```

## Without a label

| head |
| --- |
| $o = p$ |
"""


def test_every_formula_is_found_with_its_place() -> None:
    lines = PAGE.splitlines()
    found = {formula.tex.split()[0]: formula for formula in formulas("page", PAGE)}
    assert set(found) == {"a", "c", "e", "\\begin{aligned}", "i", "q", "k", "m", "o"}
    for start, formula in found.items():
        first = lines[formula.line - 1]
        assert start in first or first.strip() in ("$$", "```{math}")
    assert found["a"].places == ("top", "page")
    assert found["c"].places == ("first", "top", "page")
    assert found["q"].places == found["k"].places
    assert found["k"].places == ("ex-one", "first", "top", "page")
    assert found["m"].places == ("ex-one", "first", "top", "page")
    assert found["o"].places == ("top", "page")


def test_labels_steps_and_displays() -> None:
    found = {formula.tex.split()[0]: formula for formula in formulas("page", PAGE)}
    assert (found["c"].display, found["c"].step) == (True, 1)
    assert (found["e"].display, found["e"].step) == (False, 0)
    numbered = found["\\begin{aligned}"]
    assert (numbered.label, numbered.step) == ("eq-one", 2)
    assert (found["i"].label, found["i"].step) == ("eq-two", 0)
