"""What an author's mistake looks like: one line, with place, remedy and category.

Our own extensions say what to do in their messages. For the mistakes that Sphinx, MyST
and sphinxcontrib-bibtex find, the remedy is added here, by category.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TextIO

RECORD = re.compile(
    r"^(?:(?P<place>.+?(?::\d+)?|<unknown>):\s+)??(?:WARNING|ERROR|CRITICAL|SEVERE):\s"
)
CATEGORY = re.compile(r" \[(?P<name>[\w.-]+)\]$")
REMEDIES = {
    "bibtex.key_not_found": "correct the key, or add the source to references.bib",
    "image.not_readable": "correct the path, or add the file",
    "myst.xref_missing": "correct the label, or write '(label)=' above its heading",
    "ref.eq": "correct the label, or give the formula ':label:'",
    "ref.numref": "correct the label, or give its target this name",
    "ref.ref": "correct the label, or write '(label)=' above its heading",
    "ref.term": "correct the term, or add it to the glossary",
    "toc.not_included": "add it to the contents in index.md, or remove the file",
    "toc.not_readable": "correct the name in the contents, or add the file",
}


class AuthorErrors:
    """A text stream that turns each of Sphinx's warnings into the house's one line."""

    def __init__(self, root: Path, stream: TextIO) -> None:
        self.root = root
        self.stream = stream
        self.lines: list[str] = []

    def write(self, record: str) -> int:
        """Take one record; Sphinx writes each with a single call."""
        if record.strip():
            line = one_line(record, self.root)
            # A page that is read by two builders repeats what it says.
            if line not in self.lines:
                self.lines.append(line)
                self.stream.write(f"{line}\n")
        return len(record)

    def flush(self) -> None:
        """Pass on what has been written."""
        self.stream.flush()


def one_line(record: str, root: Path) -> str:
    """``book/tensors.md:42: what; remedy [category]`` from a record of Sphinx.

    >>> one_line("/b/book/a.md:3: WARNING: no cell 'x' [snippets.cell]", Path("/b"))
    "book/a.md:3: no cell 'x' [snippets.cell]"
    """
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", record).split())
    match = RECORD.match(text)
    message = text[match.end() :] if match else text
    place = (match["place"] or "book") if match else "book"
    place = place.replace(":None", "").rstrip(":")
    if place.endswith(".md"):
        place += ":1"  # what concerns a page as a whole
    category = CATEGORY.search(message)
    if category and (remedy := REMEDIES.get(category["name"])):
        message = f"{message[: category.start()]}; {remedy}{category[0]}"
    # Some of Sphinx's messages name files by full path.
    return f"{place}: {message}".replace(f"{root}{os.sep}", "")
