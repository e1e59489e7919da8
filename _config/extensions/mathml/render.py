"""Formulas on a Sphinx page: numbers, anchors and references as with MathJax.

A formula in the text becomes ::

    <span class="math notranslate nohighlight"><math>…</math></span>

and a display ::

    <div class="math notranslate nohighlight" id="equation-loss">
    <div class="math-box"><math display="block">…</math></div>
    <span class="eqno">(1)<a class="headerlink" href="#equation-loss" …>#</a></span>
    </div>

with the number after the formula, where it is seen and should be spoken.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

from inline_styles import without_inline_styles
from mathml import convert as converter
from mathml import font, install
from mathml.convert import MathError, convert, read_macros
from mathml.width import width

logger = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
CLASSES = "math notranslate nohighlight"
WORD_JOINER = "\u2060"
OPENING = ("(", "[", "“", "‘", "–", "-")
CLOSING = (".", ",", ";", ":", "!", "?", ")", "]", "”", "’", "–", "-")
# What the narrowest window has room for, in em of a formula: 16 across 320 px, of which
# the estimate of the width may be short by one; and what takes of it.
PHONE = 15.0
INSET = 3.5
NUMBER = 3.0


class CheckFormulas(SphinxPostTransform):
    """Report what Temml cannot take, at its line of the source.

    A title is drawn on many pages, but passes here once. Sphinx runs this in the main
    process, so workers that write pages find the formulas converted.
    """

    default_priority = 900  # when other transforms have made their formulas
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Convert every formula of a document."""
        for node in self.document.findall():
            if not isinstance(node, nodes.math | nodes.math_block):
                continue
            try:
                _drawn(self.config.mathml_macros, node)
            except MathError as error:
                formula = " ".join(node.astext().split())
                logger.warning(
                    "Temml cannot take the formula '%s': %s",
                    formula,
                    error,
                    location=place(node),
                    type="mathml",
                    subtype="formula",
                )


def convert_early(app: Sphinx, document: nodes.document) -> None:
    """Convert the formulas of a page that has been read.

    Processes that are forked to write pages then find them done.
    """
    if app.builder.format == "html":
        for node in document.findall():
            if isinstance(node, nodes.math | nodes.math_block):
                with suppress(MathError):  # reported by CheckFormulas
                    _mathml(app.config.mathml_macros, node)


def place(node: nodes.Element) -> str:
    """``file:line`` of a formula, the very line within its paragraph or table."""
    block = node
    while isinstance(block.parent, nodes.Element) and (
        isinstance(block, nodes.Inline) or block.line is None
    ):
        block = block.parent
    line = block.line or 0
    for part in block.findall():
        if part is node:
            break
        if isinstance(part, nodes.Text):
            line += part.count("\n")
    source = node.source or block.source or "<unknown>"
    return f"{source}:{line + _lines_into_table(block)}" if line else source


def _lines_into_table(block: nodes.Element) -> int:
    """How far down a Markdown table is a cell that knows the table's line alone?"""
    row: nodes.Node | None = block
    while row is not None and not isinstance(row, nodes.row):
        row = row.parent
    table = row and row.parent.parent.parent
    if table is None or table.line != block.line:
        return 0
    index = list(table.findall(nodes.row)).index(row)
    return index + 1 if index else 0


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula of the text."""
    classes = CLASSES
    try:
        mathml, long = _drawn(self.config.mathml_macros, node)
        if long:
            classes += " math-long"
    except MathError:
        mathml = _failed(self, node)
    before, after = _joiners(node)
    self.body.append(before + self.starttag(node, "span", "", CLASS=classes))
    self.body.append(f"{without_inline_styles(mathml)}</span>{after}")
    raise nodes.SkipNode


def _joiners(node: nodes.math) -> tuple[str, str]:
    """What keeps a formula on one line with the punctuation around it.

    A browser may break a line on either side of a formula, whatever stands there; only
    a word joiner forbids it.
    """
    siblings = node.parent.children
    index = siblings.index(node)
    before = siblings[index - 1].astext() if index else ""
    after = siblings[index + 1].astext() if index + 1 < len(siblings) else ""
    return (
        WORD_JOINER if before.endswith(OPENING) else "",
        WORD_JOINER if after.startswith(CLOSING) else "",
    )


def visit_math_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a display."""
    number = get_node_equation_number(self, node) if node.get("number") else ""
    focus = ""
    try:
        mathml, long = _drawn(self.config.mathml_macros, node)
        if long:
            # Who has no pointer scrolls with the arrow keys, once the box has focus.
            name = f"Formula {number}".rstrip()
            focus = f' tabindex="0" role="group" aria-label="{name}"'
    except MathError:
        mathml = _failed(self, node)
    self.body.append(self.starttag(node, "div", CLASS=CLASSES))
    mathml = without_inline_styles(mathml)
    self.body.append(f'<div class="math-box"{focus}>{mathml}</div>\n')
    if number:
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>\n")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def _drawn(macros: dict[str, str], node: nodes.Element) -> tuple[str, bool]:
    """The MathML of a formula, and whether it is too long for a phone."""
    mathml = _mathml(macros, node)
    long = width(mathml) > _room(node)
    if long and isinstance(node, nodes.math):
        mathml = _mathml(macros, node, breakable=True)
    return mathml, long


def _mathml(
    macros: dict[str, str], node: nodes.Element, *, breakable: bool = False
) -> str:
    display = isinstance(node, nodes.math_block)
    return convert(node.astext(), display, macros, breakable=breakable)


def _room(node: nodes.Element) -> float:
    """The width that a phone has for a formula, less within notes and lists."""
    room, outer = PHONE, node.parent
    if node.get("number"):
        room -= NUMBER
    while outer is not None:
        if isinstance(outer, nodes.Admonition | nodes.list_item | nodes.block_quote):
            room -= INSET
        outer = outer.parent
    return room


def _failed(self: HTML5Translator, node: nodes.Element) -> str:
    """The TeX itself; CheckFormulas has said what is wrong with it."""
    return f'<code class="math-error">{self.encode(node.astext())}</code>'


def _read_macros(app: Sphinx, config: Config) -> None:
    path = Path(app.confdir) / "macros.toml"
    if path.is_file():
        try:
            config.mathml_macros = read_macros(path)
        except MathError as error:
            raise ExtensionError(str(error), modname="mathml") from None


def _prepare(app: Sphinx) -> None:
    if app.builder.format == "html":
        try:
            install.require()
        except install.InstallError as error:
            raise ExtensionError(str(error), modname="mathml") from None
        # Not earlier: a path of this machine must not get into the digest of settings.
        app.config.html_static_path.append(str(STATIC))


def _kept_formulas(app: Sphinx) -> Path | None:
    """The file of formulas for a builder; each uses others."""
    folder = app.config.mathml_kept
    return Path(folder, f"{app.builder.name}.json") if folder else None


def _load_formulas(app: Sphinx) -> None:
    if (file := _kept_formulas(app)) and converter.TEMML.is_file():
        converter.kept.load(file, converter.version())


def _save_formulas(app: Sphinx, exception: Exception | None) -> None:
    file = _kept_formulas(app)
    if file and exception is None and converter.TEMML.is_file():
        converter.kept.save(file, converter.version())


def _ship_font(app: Sphinx, exception: Exception | None) -> None:
    if app.builder.format == "html" and exception is None:
        font.ship(Path(app.outdir))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the math renderer ``mathml``, its style sheet and its font."""
    # From name to TeX. A setting, so that a change of one draws every page anew.
    app.add_config_value("mathml_macros", {}, "html", frozenset({dict}))
    app.add_config_value("mathml_kept", "", "", types=(str,))
    app.connect("config-inited", _read_macros)
    app.connect("builder-inited", _prepare)
    app.connect("builder-inited", _load_formulas)
    app.connect("build-finished", _save_formulas)
    app.connect("doctree-read", convert_early)
    app.connect("build-finished", _ship_font)
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(visit_math, None),
        block_renderers=(visit_math_block, None),
    )
    app.add_post_transform(CheckFormulas)
    app.add_css_file("mathml.css")
    # Processes share nothing: each has a Temml of its own.
    return {"parallel_read_safe": True, "parallel_write_safe": True}
