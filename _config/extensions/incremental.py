"""An incremental build writes the same pages as a clean one.

Sphinx rewrites a page when its own source changed. But every page also shows what
others define: titles in the sidebar, numbers of equations and exercises, the targets of
links. This extension remembers a digest of all that pages can see of one another, has
every page written again when it changes, and removes the pages of removed chapters and
the images, files and words that no page has any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata


def shared_state(env: BuildEnvironment) -> str:
    """A digest of what the pages of a book can see of one another."""
    exercises = getattr(env, "sphinx_exercise_registry", {})
    state = [
        {name: title.astext() for name, title in env.titles.items()},
        env.toctree_includes,
        env.toc_secnumbers,
        env.toc_fignumbers,
        {name: toc.pformat() for name, toc in env.tocs.items()},
        env.domains.standard_domain.data["labels"],
        env.domains.standard_domain.data["anonlabels"],
        env.domains.standard_domain.data["objects"],
        env.domains.standard_domain.data["terms"],
        env.domains.math_domain.data["objects"],
        _sources(env),
        {
            label: _title(entry["node"])
            for label, entry in exercises.items()
            if entry["type"] == "exercise"  # others lose their titles on the way
        },
    ]
    text = "\n".join(_stable(part) for part in state)
    return hashlib.sha256(text.encode()).hexdigest()


def _sources(env: BuildEnvironment) -> list[tuple[str, str]]:
    """Key and label of each source in a list of those that pages cite."""
    citations = env.domaindata.get("cite", {}).get("citations", [])
    return [(source.key, source.formatted_entry.label) for source in citations]


def _title(exercise: nodes.Element) -> str:
    return exercise.children[0].astext() if exercise.children else ""


def _stable(value: object) -> str:
    """The text of nested dictionaries, independent of their order."""
    if isinstance(value, dict):
        items = sorted((str(key), _stable(entry)) for key, entry in value.items())
        return f"{{{items}}}"
    return str(value)


def rewrite_when_shared_state_changes(
    app: Sphinx, env: BuildEnvironment
) -> Iterable[str]:
    """All pages, when something that they share has changed."""
    return sorted(env.all_docs) if has_changed(env, "pages", shared_state(env)) else []


def has_changed(env: BuildEnvironment, name: str, state: object) -> bool:
    """Whether a state differs from what it was when this was last asked for ``name``.

    The answer is kept with the environment, from one build to the next.
    """
    known: dict[str, str] = getattr(env, "book_states", {})
    digest = hashlib.sha256(repr(state).encode()).hexdigest()
    changed = known.get(name) != digest
    env.book_states = known | {name: digest}  # type: ignore[attr-defined]
    return changed


def remove_pages(
    app: Sphinx,
    env: BuildEnvironment,
    added: set[str],
    changed: set[str],
    removed: set[str],
) -> list[str]:
    """Delete what an earlier build wrote for chapters that are gone."""
    for docname in removed:
        target = Path(app.builder.get_outfilename(docname))  # type: ignore[attr-defined]
        source = Path(app.outdir, "_sources", f"{docname}.md")
        target.unlink(missing_ok=True)
        source.unlink(missing_ok=True)
    return []


def remove_files(app: Sphinx, exception: Exception | None) -> None:
    """Delete the images and downloads that no page has any more."""
    env = app.env
    used = {Path("_images", name) for _, name in env.images.values()}
    used |= {Path("_downloads", name) for _, name in env.dlfiles.values()}
    for folder in ("_images", "_downloads"):
        for path in sorted(Path(app.outdir, folder).rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(app.outdir) not in used:
                path.unlink()


def forget_words(app: Sphinx) -> Iterable[tuple[str, dict[str, object], str]]:
    """Take the words that no page has any more out of the search index.

    Sphinx keeps each word that the index of an earlier build had.
    """
    indexer = getattr(app.builder, "indexer", None)
    for words in (indexer._mapping, indexer._title_mapping) if indexer else ():
        for word in [word for word, places in words.items() if not places]:
            del words[word]
    return []


def connect_for_pages(app: Sphinx) -> None:
    """Only builders that write one file for each page need this."""
    if hasattr(app.builder, "get_outfilename"):
        app.connect("env-get-outdated", remove_pages)
        app.connect("build-finished", remove_files)
        # The last event before the index is written.
        app.connect("html-collect-pages", forget_words)
    # After Sphinx's own collectors have numbered sections, figures and equations.
    app.connect("env-get-updated", rewrite_when_shared_state_changes, priority=900)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect once the builder is known."""
    app.connect("builder-inited", connect_for_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
