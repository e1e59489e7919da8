"""Libraries that a build has no use for are not imported."""

import os
import subprocess
import sys

from sphinx.search.en import SearchEnglish

from lighter_libraries import remember_stems
from tests.extensions.test_incremental import BIBLIOGRAPHY
from tests.tiny_book import CONFIG, TinyBook

HEAVY = ("sqlalchemy", "jupyter_cache", "fontTools.subset", "torch", "matplotlib")
SCRIPT = f"""
import sys
from pathlib import Path
from build_book import build

root = Path(sys.argv[1])
settings = {{"extensions": "lighter_libraries,executed_chapters,sphinxcontrib.bibtex"}}
target = root / "build" / "text"
config = Path({str(CONFIG)!r})
status = build(
    root / "book", target, config, overrides=settings, builder="text", status=None
)
import pybtex.plugin
found = pybtex.plugin._load_entry_point.cache_info()
print(status, [name for name in {HEAVY!r} if name in sys.modules], found.hits > 0)
"""


def test_they_are_left_out_and_plugins_are_found_once(tiny_book: TinyBook) -> None:
    tiny_book.write("book/references.bib", BIBLIOGRAPHY)
    tiny_book.write("book/sources.md", "# Sources\n\n```{bibliography}\n```\n")
    tiny_book.index("chapter", "sources")
    page = tiny_book.root / "book" / "chapter.md"
    page.write_text(
        f"{page.read_text()}\nBy {{cite:t}}`source0` and {{cite:t}}`source0`.\n"
    )
    paths = [CONFIG.parents[2] / "_config", CONFIG.parents[2] / "_config/extensions"]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tiny_book.root],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 [] True", done.stdout + done.stderr


def test_a_word_is_taken_to_its_stem_once() -> None:
    remember_stems()
    language = SearchEnglish({})
    stems = [language.stem(word) for word in ("gradients", "Gradients", "descending")]
    assert stems == ["gradient", "gradient", "descend"]
    found = SearchEnglish.stem.cache_info().hits
    assert language.stem("descending") == "descend"
    assert SearchEnglish.stem.cache_info().hits == found + 1
