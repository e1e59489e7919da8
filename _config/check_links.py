"""Check every link and fragment of a built site, offline.

``python _config/check_links.py build/html`` prints one line for each link of a page to
a file or fragment that does not exist, ``tensors.html: …``, and exits with 1 if there
is one. Links to other hosts are only looked at for being https; whether they answer is
for the ``linkcheck`` task, which needs the network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

REFERRING = {
    "a": "href",
    "link": "href",
    "area": "href",
    "img": "src",
    "script": "src",
    "source": "src",
    "iframe": "src",
    "video": "src",
    "object": "data",
}
# A relation that names a page rather than loading it may lead to the published site.
PUBLISHED = {"canonical"}
# A server shows it for any address, so its links may begin at the root of the host.
SHOWN_ANYWHERE = PurePosixPath("404.html")


@dataclass
class Page(HTMLParser):
    """What one page refers to, with lines, and the fragments that it offers."""

    links: list[tuple[int, str]] = field(default_factory=list)
    fragments: set[str] = field(default_factory=set)
    duplicates: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the references and targets of one element."""
        attributes = dict(attrs)
        line = self.getpos()[0]
        for name in {attributes.get("id"), tag == "a" and attributes.get("name")}:
            if name and name in self.fragments:
                self.duplicates.append((line, name))
            if name:
                self.fragments.add(name)
        if tag == "link" and attributes.get("rel") in PUBLISHED:
            return
        target = attributes.get(REFERRING.get(tag, ""))
        if target is not None:
            self.links.append((line, target))


def read_site(root: Path) -> dict[PurePosixPath, Page]:
    """The pages of a site by their path below ``root``."""
    site: dict[PurePosixPath, Page] = {}
    for file in sorted(root.rglob("*.html")):
        relative = PurePosixPath(file.relative_to(root).as_posix())
        if "_static" in relative.parts:
            continue  # templates of the theme, not pages
        page = Page()
        page.feed(file.read_text(encoding="utf-8"))
        site[relative] = page
    return site


def broken_links(root: Path) -> Iterator[str]:
    """One line for each link that leads nowhere, and for each id that stands twice."""
    site = read_site(root)
    for path, page in site.items():
        for line, name in page.duplicates:
            yield f"{path}:{line}: the id {name!r} stands twice; make it unique"
        for line, target in page.links:
            if reason := _why_broken(root, site, path, target):
                yield f"{path}:{line}: {target!r}: {reason}"


def _why_broken(
    root: Path, site: dict[PurePosixPath, Page], path: PurePosixPath, target: str
) -> str:
    """The reason why a link leads nowhere, or an empty string."""
    url = urlsplit(target)
    if url.scheme or url.netloc:
        return "link to https instead" if url.scheme in {"http", ""} else ""
    if path == SHOWN_ANYWHERE and url.path.startswith("/"):
        parts = PurePosixPath(unquote(url.path)).parts[1:]
        ends = (Path(root, *parts[start:]) for start in range(len(parts)))
        return "" if any(end.is_file() for end in ends) else "there is no such file"
    if not target or url.path.startswith("/"):
        return "only a relative path works wherever the site is put"
    aim = _normal(path.parent / unquote(url.path)) if url.path else path
    if aim is not None and (root / aim).is_dir():
        aim = aim / "index.html"
    if aim is None or not (root / aim).is_file():
        return "there is no such file"
    fragment = unquote(url.fragment)
    if fragment and aim in site and fragment not in site[aim].fragments:
        return f"{aim} has no element with the id {fragment!r}"
    return ""


def _normal(path: PurePosixPath) -> PurePosixPath | None:
    """``a/../b`` as ``b``; None if it leads out of the site."""
    parts: list[str] = []
    for part in path.parts:
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return PurePosixPath(*parts)


def main(arguments: Iterable[str]) -> int:
    """Check the sites that the arguments name."""
    result = 0
    for argument in arguments:
        root = Path(argument)
        pages = read_site(root)
        if not pages:
            print(f"{root}: no pages; build the book first (nox -s book)")
            return 1
        problems = list(broken_links(root))
        print(*problems, sep="\n", end="\n" if problems else "")
        count = sum(len(page.links) for page in pages.values())
        print(f"{root}: {count} links on {len(pages)} pages, {len(problems)} broken")
        result |= bool(problems)
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["build/html"]))
