"""Sphinx kept in memory: an edit reads and writes only the pages that it touches.

``QuickBook`` is a book whose first build is a whole one. Each later ``build`` does what
``sphinx-build`` does, in the same order and with the same events, and leaves out what
only another process or another page would need:

- the environment is not saved to the disk
- figures are numbered by the outlines of the pages, not by whole pages
- a page whose source is unchanged is written again only if something that it shows has
  changed (``incremental``), or if a build that was ended has written it
- static files are copied once
- the search, the index and what else nobody may be looking at is written by
  ``finish``, when it is asked for

Writing a page changes nodes that the environment holds. Sphinx does not mind, for it
saves the environment before it writes; so here pages are written in a child process,
which has a copy of everything and takes the changes along when it ends.

What results equals a build from nothing; a test holds the two together.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util.build_phase import BuildPhase
from sphinx.util.parallel import SerialTasks

from kept_reading import pages_made_from

Told = Callable[[list[str]], None]
Numbered = Callable[[nodes.Node], bool]


@dataclass(frozen=True)
class Edit:
    """What a build is for.

    Pages that are made from ``changed`` files are read again, whatever the times of the
    files say; pages in ``rewrite`` are written even if nothing of theirs has changed;
    pages in ``first``, at which somebody is looking, are written before the others.
    """

    changed: frozenset[Path] = frozenset()
    rewrite: frozenset[str] = frozenset()
    first: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Report:
    """Whom a build tells which pages it is about to write, and which it has written."""

    writing: Told = lambda pages: None
    written: Told = lambda pages: None


def outline(node: nodes.Element, numbered: Numbered) -> nodes.Element | None:
    """A copy of a tree with sections, contents, numbered nodes and what is around them.

    Titles and captions are those of numbered nodes.
    ``None`` if the tree holds nothing of these.
    """
    if isinstance(node, addnodes.toctree):
        return node.deepcopy()
    is_numbered = numbered(node)
    parts: list[nodes.Element] = []
    for child in node.children:
        if isinstance(child, nodes.title | nodes.caption):
            parts += [child.deepcopy()] if is_numbered else []
        elif isinstance(child, nodes.Element):
            part = outline(child, numbered)
            parts += [part] if part is not None else []
    if parts or is_numbered or isinstance(node, nodes.section):
        copy: nodes.Element = node.copy()
        copy += parts
        return copy
    return None


def in_child(work: Callable[[], bool]) -> bool:
    """What ``work`` returns in a copy of this process; false if it ends otherwise."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = 0 if work() else 1
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    try:
        _, status = os.waitpid(child, 0)
    except BaseException:  # this build is not wanted any more
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise ChildProcessError("the process that writes the pages has ended")
    return status == 0


def _once(highlight: Callable[..., str]) -> Callable[..., str]:
    """The same function with a memory; it complains of nothing that it remembers."""
    known: dict[str, str] = {}

    def remembered(*arguments: Any, location: Any = None, **options: Any) -> str:
        key = repr((arguments, options))
        if key not in known:
            known[key] = highlight(*arguments, location=location, **options)
        return known[key]

    return remembered


class QuickBuilder(StandaloneHTMLBuilder):
    """Sphinx's builder of pages, which keeps what it knows from build to build."""

    def __init__(self, app: Sphinx, env: BuildEnvironment) -> None:
        super().__init__(app, env)
        self.outlines: dict[str, nodes.Element] = {}
        self.assets_copied = False
        self.searching = False

    def keep(self, app: Sphinx, document: nodes.document) -> None:
        """Keep the outline of a page that has been read."""
        domains = [*self.env.domains.sorted()]

        def numbered(node: nodes.Node) -> bool:
            return any(domain.get_enumerable_node_type(node) for domain in domains)

        self.outlines[self.env.docname] = outline(document, numbered) or nodes.Element()

    def init_highlighter(self) -> None:
        """Colour a piece of code once."""
        super().init_highlighter()
        for bridge in (self.highlighter, self.dark_highlighter):
            if bridge is not None:
                bridge.highlight_block = _once(bridge.highlight_block)  # type: ignore[method-assign]

    def load_indexer(self, docnames: Set[str]) -> None:
        """Read the words of the other pages, if this is for the search."""
        if self.searching:
            super().load_indexer(docnames)

    def index_page(self, pagename: str, doctree: nodes.document, title: str) -> None:
        """Note the words of a page, if this is for the search."""
        if self.searching:
            super().index_page(pagename, doctree, title)

    def copy_assets(self) -> None:
        """Copy static files, unless they are there already."""
        if not self.assets_copied:
            super().copy_assets()
            self.assets_copied = True

    def write_page(self, docname: str) -> None:
        """Write one page."""
        doctree = self.resolved(docname)
        self.phase = BuildPhase.WRITING
        self.write_doc_serialized(docname, doctree)
        self.write_doc(docname, doctree)

    def resolved(self, docname: str) -> nodes.document:
        """A page with its references."""
        self.phase = BuildPhase.RESOLVING
        return self.env.get_and_resolve_doctree(docname, self, tags=self.tags)


class QuickSphinx(Sphinx):
    """An application with that builder."""

    def create_builder(self, name: str) -> Builder:
        """The builder of pages, whichever is asked for."""
        return QuickBuilder(self, self.env)


# What of an environment belongs to the process and is no data.
BELONGINGS = ("_app", "_builder_cls", "config", "domains", "events", "project")
TRANSIENT = ("_pickled_doctree_cache", "_write_doc_doctree_cache")


class Saved:
    """The data of an environment as they are now, to be taken back later."""

    def __init__(self, env: BuildEnvironment) -> None:
        self.env = env
        data = vars(env).items()
        kept = {k: part for k, part in data if k not in (*BELONGINGS, *TRANSIENT)}
        belongings = [env, *(vars(env)[name] for name in BELONGINGS)]
        names = {id(part): number for number, part in enumerate(belongings)}
        stream = io.BytesIO()
        pickler = pickle.Pickler(stream, pickle.HIGHEST_PROTOCOL)
        pickler.persistent_id = lambda part: names.get(id(part))  # type: ignore[method-assign]
        pickler.dump(kept)
        self.belongings = belongings
        self.stream = stream

    def take_back(self) -> None:
        """Give the environment its data back."""
        self.stream.seek(0)
        unpickler = pickle.Unpickler(self.stream)
        unpickler.persistent_load = self.belongings.__getitem__  # type: ignore[method-assign]
        vars(self.env).update(unpickler.load())
        for name in TRANSIENT:
            vars(self.env)[name].clear()
        for domain in self.env.domains.sorted():
            domain.data = self.env.domaindata[domain.name]


def _keep_citations(env: BuildEnvironment) -> None:
    """Format the list of sources again only if there are other sources or citations."""
    domain: Any = env.domains.get("cite")
    if domain is None:
        return
    format_all = domain.env_updated
    known: list[object] = []

    def state() -> list[object]:
        cited: dict[str, list[str]] = {}
        for ref in domain.citation_refs:
            cited.setdefault(ref.docname, []).extend(t.key for t in ref.targets)
        lists = {key: id(value) for key, value in domain.bibliographies.items()}
        # Which page comes first can matter for their order.
        return [cited, lists, len(domain.citations), {**env.toctree_includes}]

    def env_updated() -> list[str]:
        if state() == known:
            return []
        found: list[str] = format_all()
        known[:] = state()
        return found

    domain.env_updated = env_updated


class QuickBook:
    """A book in memory, built once and again after each edit.

    ``faultless`` tells whether nothing has been complained of so far.
    """

    def __init__(self, app: QuickSphinx, faultless: Callable[[], bool]) -> None:
        assert isinstance(app.builder, QuickBuilder)
        self.app = app
        self.builder = app.builder
        app.connect("doctree-read", app.builder.keep, priority=900)
        _keep_citations(app.env)
        self.faultless = faultless
        self.built = False
        self.unindexed: set[str] = set()

    def build(self, edit: Edit, report: Report) -> bool:
        """Build what an edit touches; whether there was nothing to complain of."""
        gc.disable()  # it would look at the whole book many times over
        try:
            docnames = self._read(edit)
            self.unindexed |= docnames
            if self.built:
                good = self._write(docnames, edit, report, in_child)
            else:
                good = self._write_all(docnames, edit, report)
        finally:
            gc.enable()
        return good and self.faultless()

    def _read(self, edit: Edit) -> set[str]:
        """Read what has changed; the pages to be written."""
        builder, env = self.builder, self.app.env
        builder.finish_tasks = SerialTasks()
        builder.phase = BuildPhase.READING
        env.__dict__.pop("master_doctree", None)  # it may be another by now
        self._outdate(edit.changed)
        outdated = set(builder.read())
        with self._outlines_for_doctrees():
            outdated |= set(env.check_dependents(self.app, outdated))
        builder.phase = BuildPhase.CONSISTENCY_CHECK
        env.check_consistency()
        env.toctree_includes = dict(sorted(env.toctree_includes.items()))
        known = set(env.found_docs)
        return outdated | edit.rewrite & known if self.built else known

    def _write_all(self, docnames: set[str], edit: Edit, report: Report) -> bool:
        """Write the first time, in this process, so that templates are compiled &c."""
        before = Saved(self.app.env)
        good = self._write(docnames, edit, report, lambda work: work())
        before.take_back()
        self.app.registry.js_files[:] = self._scripts
        self.built = True
        gc.collect()
        gc.freeze()
        return good

    def _write(
        self,
        docnames: set[str],
        edit: Edit,
        report: Report,
        run: Callable[[Callable[[], bool]], bool],
    ) -> bool:
        builder = self.builder
        # A page may add to the scripts of all; that is meant for the page alone.
        self._scripts = [*self.app.registry.js_files]
        good = True
        for part in (docnames & edit.first, docnames - edit.first):
            pages = sorted(part)
            if not pages:
                continue

            def write(pages: list[str] = pages) -> bool:
                self.app.events.emit("write-started", builder)
                builder.prepare_writing(set(pages))
                builder.copy_assets()
                for docname in pages:
                    builder.write_page(docname)
                builder.copy_image_files()
                return self.faultless()

            report.writing(pages)
            good &= run(write)
            # Fonts and styles that are made from what the pages hold.
            self.app.events.emit("build-finished", None)
            report.written(pages)
        return good

    def finish(self) -> bool:
        """Write what was left for later: search, index, inventory."""
        done = self.built and in_child(self._finish)
        if done:
            self.unindexed.clear()
        return done

    def _finish(self) -> bool:
        builder = self.builder
        builder.searching = True
        builder.finish_tasks = SerialTasks()
        builder.prepare_writing(self.unindexed)
        for docname in sorted(self.unindexed & self.app.env.found_docs):
            builder.write_doc_serialized(docname, builder.resolved(docname))
        builder.phase = BuildPhase.WRITING
        builder.finish()
        builder.finish_tasks.join()
        return True

    def _outdate(self, changed: Set[Path]) -> None:
        """Have the pages read again that are made from changed files."""
        for docname in pages_made_from(self.app.env, changed):
            self.app.env.all_docs[docname] = 0

    @contextmanager
    def _outlines_for_doctrees(self) -> Iterator[None]:
        """Let Sphinx number figures by the outlines of pages."""
        env, outlines = self.app.env, self.builder.outlines
        env.get_doctree = outlines.__getitem__  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            del env.get_doctree
