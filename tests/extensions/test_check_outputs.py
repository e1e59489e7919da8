"""The command that compares what cells show with their expectations, and accepts."""

from __future__ import annotations

import pytest

from check_outputs import main
from tests.tiny_book import TinyBook

CELL = '''\
"""Cells of the chapter."""

from snippets import raises

# %% data
x = {value}
print("x is", x)
'''
PAGE = """\
# A chapter

```{{code-cell}} python
:snippet: chapter#data
```

It is {}.
"""


def run(book: TinyBook, capsys: pytest.CaptureFixture[str], *arguments: str):
    status = main(list(arguments), book.root)
    lines = capsys.readouterr().out.splitlines()
    return status, [line for line in lines if not line.startswith("running cells")]


def test_an_output_is_accepted_kept_and_compared(tiny_book, capsys):
    file = tiny_book.root / "tests" / "outputs" / "chapter.toml"
    tiny_book.write("book/chapter.md", PAGE.format("more than 20"))
    status, lines = run(tiny_book, capsys)
    assert status == 1
    assert lines == [
        "book/chapter.md:3: tests/outputs/chapter.toml does not say what the cell "
        "'data' shows; take it over with 'nox -s outputs -- --accept chapter' "
        "[outputs.missing]",
        "[data]",
        "+x is 23",
    ]
    assert not file.exists()

    assert run(tiny_book, capsys, "--accept")[0] == 0
    assert run(tiny_book, capsys) == (0, [])
    text = file.read_text().replace('kind = "text"', 'kind = "text"\nby = ["test_x"]')
    file.write_text(text)

    tiny_book.write("snippets/chapter.py", CELL.format(value=24))
    status, lines = run(tiny_book, capsys, "chapter")
    assert status == 1
    assert lines[0].startswith("book/chapter.md:3: the cell 'data' shows something")
    assert lines[1:] == ["[data]", "-x is 23", "+x is 24"]
    assert file.read_text() == text

    status, lines = run(tiny_book, capsys, "--accept", "chapter")
    assert (status, lines[-1]) == (0, "accepted")
    assert file.read_text() == text.replace("23", "24")


def test_a_value_in_a_sentence_is_an_output_as_well(tiny_book, capsys):
    tiny_book.write("snippets/chapter.py", CELL.format(value=-2.5))
    tiny_book.write("book/chapter.md", PAGE.format("{eval}`x`"))
    assert run(tiny_book, capsys, "--accept")[0] == 0
    file = tiny_book.root / "tests" / "outputs" / "chapter.toml"
    assert '["below data"]\nkind = "text"\noutput = \'\'\'\n−2.5\n' in file.read_text()

    # The same value by another expression is the same to a reader.
    tiny_book.write("book/chapter.md", PAGE.format("{eval}`x + 0`"))
    assert run(tiny_book, capsys) == (0, [])

    tiny_book.write("book/chapter.md", PAGE.format("{eval}`-x`"))
    status, lines = run(tiny_book, capsys)
    assert status == 1
    assert "chapter.md:7: the text below the cell 'data' shows something" in lines[0]
    assert lines[1:] == ['["below data"]', "-−2.5", "+2.5"]


def test_a_chapter_with_a_mistake_is_not_accepted(tiny_book, capsys):
    tiny_book.write("snippets/chapter.py", CELL.format(value="1 / 0"))
    status, lines = run(tiny_book, capsys, "--accept")
    assert status == 1
    assert "book/chapter.md:3: " in lines[0]
    assert "ZeroDivisionError" in lines[0]
    assert lines[-1] == "accepted, but for chapter"
    assert not (tiny_book.root / "tests").exists()


def test_a_file_that_cannot_be_used_is_told(tiny_book, capsys):
    tiny_book.write("tests/outputs/chapter.toml", "[data]\nBy = 1\n")
    status, lines = run(tiny_book, capsys)
    assert status == 1
    assert lines[0].startswith("tests/outputs/chapter.toml: [data] has By = 1")


def test_an_unknown_chapter_is_told_with_those_there_are(tiny_book):
    with pytest.raises(SystemExit, match=r"no cells in 'tensor' \(chapters: chapter\)"):
        main(["tensor"], tiny_book.root)
