"""What the head of a page says: what it may load, and what it is about.

For each page, a Content-Security-Policy, a description and the data that a link to the
page is shown with elsewhere (Open Graph)::

    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; …"/>
    <meta name="description" content="A gradient is only as good as …"/>
    <meta property="og:title" content="Tensors"/>

The description is the first paragraph without a formula, unless the chapter has one of
its own in ``myst: html_meta: description``. The address of a page is only known where
``html_baseurl`` is set; then Sphinx adds the canonical link.
"""

from __future__ import annotations

import html
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

# Everything is a file of the site: no script and no style in a page, no other host.
# `data:` images are those in style sheets. The meta element cannot forbid frames.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",  # the search reads the pages it found
    "form-action": "'self'",
    "base-uri": "'none'",
}
# Search engines and cards show about so much.
LENGTH = 160
# Pages without a source.
DESCRIPTIONS = {
    "genindex": "The terms of the book from A to Z, and where each is explained.",
    "search": "Search the text of the book.",
    "404": "There is no page at this address.",
}


def policy() -> str:
    """The value of the Content-Security-Policy."""
    return "; ".join(f"{name} {sources}" for name, sources in POLICY.items())


def shorten(text: str, length: int = LENGTH) -> str:
    """Whole words, at most ``length`` characters.

    >>> shorten("one two three", 9)
    'one two…'
    """
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    return text[:length].rpartition(" ")[0].rstrip(",;:–") + "…"


def describe(document: nodes.document) -> str:
    """The first paragraph of the text that can be read without formulas."""
    for paragraph in document.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, nodes.section):
            continue
        if next(paragraph.findall(nodes.math), None) is None:
            return shorten(paragraph.astext())
    return ""


def tags(properties: dict[str, str]) -> str:
    """Elements for the properties that have a value."""
    lines = []
    for name, content in properties.items():
        kind = "property" if name.startswith("og:") else "name"
        if content:
            lines.append(f'<meta {kind}="{name}" content="{html.escape(content)}"/>')
    return "\n    ".join(lines)


def add_to_head(
    app: Sphinx,
    page: str,
    template: str,
    context: dict[str, Any],
    document: nodes.document | None,
) -> None:
    """Put the elements before all that a page loads."""
    written = context.get("metatags", "")
    description = describe(document) if document else DESCRIPTIONS.get(page, "")
    title = context.get("pagetitle") or context.get("title") or app.config.html_title
    found = {
        "description": "" if 'name="description"' in written else description,
        "og:title": title,
        "og:type": "website" if page == app.config.root_doc else "article",
        "og:site_name": app.config.html_title,
        "og:description": description,
        "og:url": context.get("pageurl") or "",
    }
    allowed = html.escape(policy(), quote=False)
    context["metatags"] = (
        f'\n    <meta http-equiv="Content-Security-Policy" content="{allowed}"/>\n'
        f"    {tags(found)}\n{written}"
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the elements when the theme has set the titles."""
    app.connect("html-page-context", add_to_head, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
