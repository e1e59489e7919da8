"""Every way to put an image on a page asks for an alternative text."""

from tests.tiny_book import TinyBook

PAGE = """\
# Images

![A described dot](described.svg)

```{image} described.svg
:alt: A described dot
```

```{figure} described.svg
:alt: A described dot

Its caption.
```

Text, then ![](bare.svg).

![ ](blank.svg)

```{image} directive.svg
```

:::{note}
```{figure} figure.svg

A caption is not an alternative text.
```
:::
"""


def test_each_image_without_one_is_named_with_its_line(tiny_book: TinyBook) -> None:
    for name in ("described", "bare", "blank", "directive", "figure"):
        dot = '<svg xmlns="http://www.w3.org/2000/svg"/>'
        tiny_book.write(f"book/{name}.svg", dot)
    tiny_book.write("book/chapter.md", PAGE)
    remedy = "add ':alt:' with a sentence that says what it shows [image.alt]"
    lines = PAGE.splitlines()
    expected = [
        f"book/chapter.md:{number}: the image '{name}.svg' has no alternative text; "
        f"{remedy}"
        for number, line in enumerate(lines, 1)
        for name in ("bare", "blank", "directive", "figure")
        if f"{name}.svg" in line
    ]
    assert len(expected) == 4
    assert tiny_book.build() == expected
