"""A tiny book with every kind of node, for the builders that write other than pages."""

from __future__ import annotations

from tests.tiny_book import TinyBook

CHAPTER = r"""
(top)=
# A chapter

Some *emphasis*, **strength**, `code_x`, H{sub}`2`O and e{sup}`x`, a formula $x < 2$, a
[link](https://example.org/a_b), [one inside](#second), [the other page](#other),
{term}`leaf` and a mark #1 [x] 2\*3\*4.

- one
- two

  with a second paragraph

3. three
4. four

   $$a = b$$

(second)=
## A second $x^2$ section

> A quotation.

---

```{note}
A note's text.
```

:::{admonition} A title of its own
:class: objectives
Its text.
:::

| head a | head b |
| --- | ---: |
| cell `a\|b` | $\abs{y}$ |
| cell two | |
| cell three | 3 |

```{math}
:label: eq-tiny
\begin{aligned} a &= b \\ &= c \end{aligned}
```

See {eq}`eq-tiny` and {numref}`fig-tiny`.

:::{figure} tiny.svg
:alt: A square.
:name: fig-tiny
The caption of it.
:::

```{code-cell} python
:snippet: chapter#data
```

```python
shown = "only"
```

```{rubric} A rubric
```

A footnote[^1].

[^1]: What it says.

{index}`indexed`

Term
: Its definition.

## Exercises

:::{exercise} Build: a *title*
:label: ex-chapter-ask
What is it?
:::

:::{solution-start} ex-chapter-ask
:::
It is an answer.

```{code-cell} python
:snippet: chapter#answer
```
:::{solution-end}
:::

% a comment
"""
SNIPPET = '''\
"""Cells of the chapter."""

from snippets import raises

# %% data
from snippets import helper

x = helper.X
print("x is", x)

# %% answer
x + 1
'''
WORDS = """\
(other)=
# Words

:::{glossary}
leaf
  The end of a graph.
:::
"""
INDEX = """\
# Tiny

```{toctree}
:numbered:

chapter
```

```{toctree}
words
```
"""
SQUARE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">'
    '<rect width="40" height="40"/></svg>'
)


def write_every_node(book: TinyBook) -> None:
    """Give a tiny book a chapter with all there is, and a glossary."""
    book.write("book/index.md", INDEX)
    book.write("book/chapter.md", CHAPTER)
    book.write("book/words.md", WORDS)
    book.write("book/tiny.svg", SQUARE)
    book.write("snippets/chapter.py", SNIPPET)
    book.write("snippets/helper/__init__.py", "import math\n\nX = 23\n")
