"""What a site needs once its address is known: a sitemap, and a 404 page for any depth.

``publish`` is called for a finished site whose ``html_baseurl`` is set.

A server answers ``404.html`` for whatever address does not exist, so its links cannot
be relative to the place where it lies: below ``https://a.org/book/``, the page that is
shown for ``/book/x/y`` refers to ``/book/index.html``, not to ``index.html``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

NO_INDEX = '<meta name="robots" content="noindex"/>'
# A reference that is relative to the page, which neither "#part" nor "https:…" is.
RELATIVE = re.compile(r'(\s(?:href|src|action)=")(?!#|/|[a-z]+:)([^"]*)')


def from_root(page: str, base: str) -> str:
    """A page whose references begin at the root of the host.

    >>> from_root('<a href="index.html">', "https://a.org/book/")
    '<a href="/book/index.html">'
    """
    folder = urlsplit(base).path.rstrip("/") + "/"
    return RELATIVE.sub(rf"\g<1>{folder}\g<2>", page)


def sitemap(base: str, pages: Iterable[str]) -> str:
    """The addresses of the pages, as sitemaps.org has it."""
    folder = base.rstrip("/") + "/"
    urls = "".join(
        f"  <url><loc>{escape(urljoin(folder, page))}</loc></url>\n" for page in pages
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{urls}</urlset>\n"
    )


def publish(site: Path, base: str) -> None:
    """Make a built site ready for its address."""
    pages = {file.name: file for file in sorted(site.glob("*.html"))}
    found = [
        name
        for name, file in pages.items()
        if NO_INDEX not in file.read_text(encoding="utf-8")
    ]
    (site / "sitemap.xml").write_text(sitemap(base, found), encoding="utf-8")
    if missing := pages.get("404.html"):
        text = missing.read_text(encoding="utf-8")
        missing.write_text(from_root(text, base), encoding="utf-8")
