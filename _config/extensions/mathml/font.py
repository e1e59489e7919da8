"""The font of the formulas: STIX Two Math, cut down to what the pages use.

The whole font has 4605 characters and weighs 400 kB; a book needs some two hundred of
them. Which ones is read from the finished pages, so it does not matter which process
wrote a page, or whether this build did. The same pages give the same bytes.

The font's licence (OFL 1.1, no reserved names) allows all this as long as it travels
with the font.
"""

from __future__ import annotations

import html
import re
import shutil
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTFont

from finished_pages import gathered
from mathml.install import TARGET

PACKAGE = TARGET / "node_modules" / "@fontsource" / "stix-two-math"
# The package's WOFF holds the same as its WOFF2 and is read twenty times as fast.
SOURCE = PACKAGE / "files" / "stix-two-math-latin-400-normal.woff"
FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
RADICAL = re.compile(r"<(?:msqrt|mroot)\b")
TAG = re.compile(r"<[^>]*>")
# First and last letter of an alphabet, and the first of its mathematical italic.
ITALIC = (("A", "Z", "𝐴"), ("a", "z", "𝑎"), ("Α", "Ω", "𝛢"), ("α", "ω", "𝛼"))
ITALIC_SYMBOLS = dict(zip("h∂ϵϑϰϕϱϖı", "ℎ𝜕𝜖𝜗𝜘𝜙𝜚𝜛𝚤", strict=True))


def ship(site: Path) -> None:
    """Put what the pages of a site need of the font into its ``_static``."""
    static = site / "_static"
    static.mkdir(exist_ok=True)
    wanted = "".join(sorted(gathered(site, characters)))
    (static / "stix-two-math.woff2").write_bytes(cut(wanted))
    shutil.copyfile(PACKAGE / "LICENSE", static / "stix-two-math-licence.txt")


def characters(page: str) -> set[str]:
    """The characters that a browser draws for the formulas of an HTML page."""
    written: set[str] = set()
    for formula in FORMULA.findall(page):
        written.update(html.unescape(TAG.sub("", formula)))
        if RADICAL.search(formula):
            written.add("√")
    return written | {italic(character) for character in written}


def italic(character: str) -> str:
    """What a browser draws for a ``<mi>`` of one character.

    >>> italic("x"), italic("h"), italic("α"), italic("1")
    ('𝑥', 'ℎ', '𝛼', '1')
    """
    if character in ITALIC_SYMBOLS:
        return ITALIC_SYMBOLS[character]
    for first, last, start in ITALIC:
        if first <= character <= last:
            return chr(ord(start) + ord(character) - ord(first))
    return character


@lru_cache(maxsize=1)  # most edits need no other characters
def cut(wanted: str) -> bytes:
    """STIX Two Math as WOFF2, with these characters and all forms they stretch to."""
    # Not above: it takes a tenth of a second, and the PDF and most tests cut no font.
    from fontTools import subset  # noqa: PLC0415

    options = subset.Options()
    options.hinting = False
    options.layout_features = ["*"]
    options.name_IDs = ["*"]  # the copyright notice among them
    options.recalc_timestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(map(ord, wanted)))
    with subset.load_font(str(SOURCE), options) as font:
        mend(font)
        cutter.subset(font)
        font.flavor = "woff2"
        result = BytesIO()
        font.save(result)
    return result.getvalue()


def mend(font: TTFont) -> None:
    """Put right what keeps browsers from drawing this font well.

    - Beside every √, browsers leave room for the widest form of it: 0.4 em too much
      after √2. All forms get the width of the smallest.
    - The head of a long → does not say that it can be joined, so → does not stretch.
    - Only the combining accents have wide forms. MathML has the spacing ones.
    """
    glyphs = font.getBestCmap()
    variants = font["MATH"].table.MathVariants
    coverage = variants.VertGlyphCoverage.glyphs
    root = variants.VertGlyphConstruction[coverage.index(glyphs[ord("√")])]
    forms = [form.VariantGlyph for form in root.MathGlyphVariantRecord]
    forms += [part.glyph for part in root.GlyphAssembly.PartRecords]
    smallest = font["hmtx"][forms[0]][0]
    for form in forms:
        advance, bearing = font["hmtx"][form]
        outline = font["glyf"][form]
        outline.coordinates.scale((smallest / advance, 1))
        outline.coordinates.toInt()
        outline.recalcBounds(font["glyf"])
        font["hmtx"][form] = (smallest, round(bearing * smallest / advance))

    stretched = dict(
        zip(
            variants.HorizGlyphCoverage.glyphs,
            variants.HorizGlyphConstruction,
            strict=True,
        )
    )
    head = stretched[glyphs[ord("→")]].GlyphAssembly.PartRecords[-1]
    head.StartConnectorLength, head.EndConnectorLength = head.EndConnectorLength, 0
    for spacing, combining in ("ˆ\u0302", "˜\u0303"):
        stretched[glyphs[ord(spacing)]] = stretched[glyphs[ord(combining)]]
    names = sorted(stretched, key=font.getGlyphID)
    variants.HorizGlyphCoverage.glyphs = names
    variants.HorizGlyphConstruction = [stretched[name] for name in names]
    variants.HorizGlyphCount = len(names)
