"""Whose answers an edition withholds, and until when.

``book/answers.toml`` says it for the published book ::

    tensors = 2026-12-01            # shown from that day on
    linear-regression = "withheld"  # no day is known

``withheld(releases, day)`` gives ``{"tensors": "2026-12-01", "linear-regression": ""}``
for each day before that. The day is given, or that of ``SOURCE_DATE_EPOCH`` (in UTC),
or today where the build runs.

Nothing here knows of Sphinx.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime

from snippet_cells import did_you_mean

WITHHELD = "withheld"

# The first day on which the answers of a chapter are shown; None if it is not known.
Releases = dict[str, date | None]


class ReleaseError(ValueError):
    """A mistake of whoever withholds answers; ``line`` of the file, or 0."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def read_releases(text: str, chapters: Collection[str]) -> Releases:
    """The releases that a file names.

    Args:
        text: of the file.
        chapters: the slugs of all chapters that have answers.

    Raises:
        ReleaseError: with the line of the mistake.
    """
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)", str(error))
        message = str(error).replace(place[0], "") if place else str(error)
        line = int(place[1]) if place else text.count("\n") + 1
        raise ReleaseError(f"{message}; write 'slug = 2026-12-01'", line) from None
    releases: Releases = {}
    for slug, value in entries.items():
        key = re.search(rf"^\s*[\"']?{re.escape(slug)}\b", text, re.M)
        line = text.count("\n", 0, key.end()) + 1 if key else 1
        if slug not in chapters:
            raise ReleaseError(unknown(slug, chapters), line)
        if value == WITHHELD:
            releases[slug] = None
        elif isinstance(value, date) and not isinstance(value, datetime):
            releases[slug] = value
        else:
            raise ReleaseError(
                f"{slug}: {value!r} is not a day; write '{slug} = 2026-12-01', or "
                f"'{slug} = \"{WITHHELD}\"' while none is known",
                line,
            )
    return releases


def unknown(slug: str, chapters: Collection[str]) -> str:
    """What is wrong with the name of a chapter that there is not."""
    return (
        f"no chapter {slug!r} with answers{did_you_mean(slug, chapters)} "
        f"(chapters: {', '.join(sorted(chapters))})"
    )


def withheld(releases: Releases, day: date) -> dict[str, str]:
    """The chapters whose answers are not shown on a day, each with its own or ""."""
    return {
        slug: first.isoformat() if first else ""
        for slug, first in releases.items()
        if first is None or day < first
    }


def chosen(
    names: str, chapters: Collection[str], known: Mapping[str, str]
) -> dict[str, str]:
    """The chapters of ``slug,slug``, all for ``*``, none for "", with known days.

    Raises:
        ReleaseError: if there is no such chapter.
    """
    slugs = [name.strip() for name in names.split(",")] if names else []
    if names == "*":
        slugs = sorted(chapters)
    for slug in slugs:
        if slug not in chapters:
            raise ReleaseError(unknown(slug, chapters))
    return {slug: known.get(slug, "") for slug in slugs}


def day_of(given: str, environment: Mapping[str, str] = os.environ) -> date:
    """The day for which a book is built.

    Raises:
        ReleaseError: if the given text is not a day.
    """
    epoch = environment.get("SOURCE_DATE_EPOCH")
    try:
        if given:
            return date.fromisoformat(given)
        if epoch:
            return datetime.fromtimestamp(int(epoch), UTC).date()
    except ValueError:
        wrong = repr(given) if given else f"SOURCE_DATE_EPOCH={epoch!r}"
        message = f"{wrong} is not a day; write it as 2026-12-01"
        raise ReleaseError(message) from None
    return date.today()
