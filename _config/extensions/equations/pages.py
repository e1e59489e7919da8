"""The formulas of a chapter's Markdown, each with its line and the labels around it.

Read off the source and not off Sphinx's document, so that a chapter can be checked in a
moment and without a build. A test holds that it finds what MyST finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FENCE = re.compile(r"^(?P<indent>\s*)(?P<mark>`{3,}|~{3,}|:{3,})\s*(?P<info>.*)$")
TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=\s*$")
HEADING = re.compile(r"^(?P<level>#{1,6})\s")
OPTION = re.compile(r"^\s*:(?:label|name):\s*(?P<label>\S+)\s*$")
STEP = re.compile(r"^(?P<number>\d+)\.\s")
SOLUTION = re.compile(r"\{solution-(?P<edge>start|end)\}\s*(?P<label>\S*)")
# Code is no formula, and neither is an escaped dollar.
INLINE = re.compile(
    r"\{eval\}`[^`]*`|(?P<code>`+)(?:.|\n)*?(?<!`)(?P=code)(?!`)|\\\$"
    r"|(?<!\$)\$(?P<tex>(?:\{eval\}`[^`]*`|[^$`])+?)\$(?!\$)"
)
DISPLAY = re.compile(r"\$\$(?P<tex>.+?)\$\$(?:\s*\((?P<label>[^()\s]+)\))?", re.S)


@dataclass(frozen=True)
class Printed:
    """A formula on a page.

    ``places`` are the labels of what it stands in, the innermost first; ``step`` is its
    number in a derivation, or 0; ``row`` is the line of its row in a table, or 0.
    """

    tex: str
    line: int
    places: tuple[str, ...] = ()
    label: str = ""
    display: bool = True
    step: int = 0
    row: int = 0


@dataclass
class _Place:
    """Where the reader stands: labels of what is open, with what closes each."""

    slug: str
    sections: list[tuple[int, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)
    solution: str = ""
    step: int = 0

    def labels(self) -> tuple[str, ...]:
        found = [label for _, label in reversed(self.boxes) if label]
        if self.solution:
            found.append(self.solution)
        found += [label for _, label in reversed(self.sections) if label]
        return (*found, self.slug)


def formulas(slug: str, text: str) -> list[Printed]:
    """All formulas of a page, in the order of its lines."""
    found: list[Printed] = []
    place = _Place(slug)
    lines = text.splitlines()
    waiting = ""  # the label of the next heading
    number = 0
    start = 0  # the first line of the text that has not been searched
    while number < len(lines):
        line = lines[number]
        if fence := FENCE.match(line):
            found += _in_text(lines, start, number, place)
            number = _fence(lines, number, fence, place, found)
            start = number
            continue
        if (target := TARGET.match(line)) or (heading := HEADING.match(line)):
            found += _in_text(lines, start, number, place)
            start = number
            if target:
                waiting = target["label"]
            elif heading:
                level = len(heading["level"])
                while place.sections and place.sections[-1][0] >= level:
                    place.sections.pop()
                place.sections.append((level, waiting))
                waiting, place.step = "", 0
        elif step := STEP.match(line):
            found += _in_text(lines, start, number, place)
            start, place.step = number, int(step["number"])
        elif line.strip() and not line.startswith(" ") and place.step:
            found += _in_text(lines, start, number, place)
            start, place.step = number, 0
        number += 1
    return found + _in_text(lines, start, number, place)


def _fence(
    lines: list[str],
    number: int,
    fence: re.Match[str],
    place: _Place,
    found: list[Printed],
) -> int:
    """Read a fence's first line, or all of it if no text is inside; the line after."""
    mark, info = fence["mark"], fence["info"].strip()
    closing = [i for i, (other, _) in enumerate(place.boxes) if other == mark]
    if not info and closing:
        del place.boxes[closing[-1] :]
        return number + 1
    if solution := SOLUTION.match(info):
        place.solution = solution["label"] if solution["edge"] == "start" else ""
    is_text = mark[0] == ":" or (
        info.startswith("{") and not info.startswith(("{code", "{math", "{literal"))
    )
    if is_text:
        label = ""
        if number + 1 < len(lines):
            for option in lines[number + 1 : number + 4]:
                if not option.lstrip().startswith(":") or option.lstrip()[:3] == ":::":
                    break
                if match := OPTION.match(option):
                    label = match["label"]
        place.boxes.append((mark, label))
        found += _in_text(lines, number, number + 1, place)  # its title
        return number + 1
    end = number + 1
    while end < len(lines) and not re.match(rf"\s*{mark}+\s*$", lines[end]):
        end += 1
    if info.startswith("{math}"):
        found.append(_display(lines, number, end, place))
    return end + 1


def _display(lines: list[str], number: int, end: int, place: _Place) -> Printed:
    body, label = [], ""
    for line in lines[number + 1 : end]:
        if match := OPTION.match(line):
            label = match["label"]
        else:
            body.append(line)
    tex = "\n".join(body).strip()
    return Printed(tex, number + 1, place.labels(), label, True, place.step)


def _in_text(lines: list[str], start: int, end: int, place: _Place) -> list[Printed]:
    """The formulas in lines of text."""
    text = "\n".join(lines[start:end])
    found: list[Printed] = []

    def add(match: re.Match[str], at: int, *, display: bool) -> None:
        line = start + text.count("\n", 0, at) + 1
        label = (match["label"] or "") if display else ""
        step = place.step if display else 0
        tex = match["tex"].strip()
        row = line if lines[line - 1].lstrip().startswith("|") else 0
        found.append(Printed(tex, line, place.labels(), label, display, step, row))

    for match in DISPLAY.finditer(text):
        add(match, match.start(), display=True)
    blanked = DISPLAY.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in INLINE.finditer(blanked):
        if match["tex"]:
            add(match, match.start(), display=False)
    return sorted(found, key=lambda formula: formula.line)
