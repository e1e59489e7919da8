"""Answers that fold without a script, and exercises that all have one.

sphinx-exercise numbers the exercises and resolves the links. This extension

- renders each solution as a native ``<details>``: it opens by keyboard, by the
  browser's search in the page, and when a link leads into it;
- puts a link to the answer below each exercise, and one back below the answer;
- says in the place of an answer that is withheld (``withheld_answers``) when it will
  appear;
- reports an exercise without an answer, an answer without an exercise, and two
  answers to one exercise, as located warnings; a misspelt label is one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches

from babel.dates import format_date
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator
from sphinx_exercise.nodes import is_exercise_node, solution_node

from places import line_of

logger = logging.getLogger(__name__)


def answer_id(exercise: str) -> str:
    """The fragment that leads into the answer of an exercise."""
    return f"answer-to-{exercise}"


class KeepLinksToExercises(SphinxTransform):
    """Leave the links to exercises of the same page to ``ReferToExercises``.

    MyST would resolve them now, to an exercise's title, which has no number yet.
    """

    # Just before MyST resolves the links within a page.
    default_priority = 878

    def apply(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        for link in list(self.document.findall(nodes.reference)):
            target = link.get("refuri", "").removeprefix("#")
            if link.get("id_link") and not link.children and target in registry:
                link.replace_self(
                    addnodes.pending_xref(
                        "",
                        nodes.inline(classes=["xref", "myst"]),
                        refdoc=self.env.docname,
                        refdomain=None,
                        reftype="myst",
                        reftarget=target,
                        refexplicit=False,
                    )
                )


class ReferToExercises(SphinxPostTransform):
    """Let ``[](#ex-label)`` read "Exercise 4.2", as ``{ref}`` does.

    sphinx-exercise turns references to exercises into numbers, but leaves those that
    MyST makes of links without the domain in which Sphinx looks for them.
    """

    # Just before sphinx-exercise's own transform of references.
    default_priority = 4

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        for reference in self.document.findall(addnodes.pending_xref):
            if reference["reftype"] == "myst" and reference["reftarget"] in registry:
                reference["refdomain"] = "std"


class UnwrapStrayAnswers(SphinxPostTransform):
    """Leave of an answer without an exercise what is inside.

    It is reported (``check_answers``). sphinx-exercise would warn of it once more, at
    whatever page was written before.
    """

    # Before sphinx-exercise looks for the exercise.
    default_priority = 4

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        registry = getattr(self.env, "sphinx_exercise_registry", {})
        for answer in list(self.document.findall(solution_node)):
            if answer["target_label"] not in registry:
                answer.replace_self(answer[1:])  # without its title


class LinkExercisesAndAnswers(SphinxPostTransform):
    """Link each exercise to its answer and back."""

    # After sphinx-exercise has resolved its titles, before the page is written.
    default_priority = 500

    def run(self, **kwargs: object) -> None:
        """Change the doctree of one page in place."""
        numbers: dict[str, str] = {}
        for answer in list(self.document.findall(solution_node)):
            label = answer["target_label"]
            title = answer.pop(0)
            # The title is resolved to "Solution to " and a link to the exercise.
            link = next(title.findall(nodes.reference), None)
            text = link.astext().strip() if link else label
            numbers[label], _, _ = text.partition(" (")
            if self.env.docname in self.config.withheld_answers:
                day = self.config.withheld_answers[self.env.docname]
                place = placeholder(label, numbers.pop(label), day)
                answer.parent.replace(answer, place)
                continue
            answer["summary"] = f"Answer to {numbers[label]}"
            _unwrap_sections(answer)
            answer.append(_link(f"Back to {numbers[label]}", label))
        for exercise in self.document.findall(is_exercise_node):
            _unwrap_sections(exercise)
            label = exercise["label"]
            # If it has no answer the build fails, unless the answer is withheld.
            if label in numbers:
                exercise.append(_link(f"Answer to {numbers[label]}", answer_id(label)))


def placeholder(question: str, number: str, day: str) -> nodes.paragraph:
    """What stands in the place of a withheld answer.

    Args:
        question: the label of the exercise.
        number: its name, such as "Exercise 4.2".
        day: on which the answer will appear, such as 2026-12-01, or "".
    """
    when = "later"
    if day:
        when = f"on {format_date(date.fromisoformat(day), 'long', locale='en_GB')}"
    text = f"The answer to {number} will appear here {when}."
    return nodes.paragraph(
        "", text, ids=[answer_id(question)], classes=["answer-later"]
    )


def _unwrap_sections(node: nodes.Element) -> None:
    """Put the content of sphinx-exercise's sections in their place.

    They have no title, and the same id in each exercise and in each answer.
    """
    for section in [child for child in node if isinstance(child, nodes.section)]:
        section["ids"] = []
        section.replace_self(section.children)


def _link(text: str, fragment: str) -> nodes.paragraph:
    reference = nodes.reference("", text, internal=True, refid=fragment)
    return nodes.paragraph("", "", reference, classes=["answer-link"])


def check_answers(app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
    """Report what has no counterpart, after all pages are read."""
    exercises: dict[str, str] = {}
    answers: dict[str, list[str]] = defaultdict(list)
    for label, entry in getattr(env, "sphinx_exercise_registry", {}).items():
        if entry["type"].startswith("exercise"):
            exercises[label] = entry["docname"]
        else:
            answers[entry["node"]["target_label"]].append(entry["docname"])
    meant = misspelt(answers.keys() - exercises, exercises.keys() - answers)
    for label, docname in exercises.items():
        if label not in answers and label not in meant.values():
            message = (
                "exercise %r has no answer; write ':::{solution-start} %s' … "
                "':::{solution-end}' below it"
            )
            _warn(env, docname, f":label: {label}", message, label, label)
    for label, docnames in answers.items():
        mark = f"}} {label}"
        if label not in exercises:
            guess = f"; did you mean {meant[label]!r}?" if label in meant else ""
            message = (
                "answer to %r, but no exercise has this label%s; correct the label"
            )
            _warn(env, docnames[0], mark, message, label, guess)
        elif docnames[0] != exercises[label]:
            message = (
                "the answer to %r stands in another chapter; move it to its question"
            )
            _warn(env, docnames[0], mark, message, label)
        for docname in docnames[1:]:
            _warn(env, docname, mark, "second answer to exercise %r; keep one", label)
    return []


def misspelt(strays: Iterable[str], unanswered: Iterable[str]) -> dict[str, str]:
    """For answers without an exercise, the exercise whose label is almost the same.

    >>> misspelt({"ex-shape", "ex-loss"}, {"ex-shapes", "ex-views"})
    {'ex-shape': 'ex-shapes'}
    """
    left = sorted(unanswered)
    found = {}
    for label in sorted(strays):
        for close in get_close_matches(label, left, n=1, cutoff=0.8):
            found[label] = close
            left.remove(close)
    return found


def _warn(
    env: BuildEnvironment, docname: str, mark: str, message: str, *values: str
) -> None:
    """Warn at the line that holds ``mark``."""
    place = (docname, line_of(env, docname, mark))
    logger.warning(message, *values, location=place, type="answers", subtype="pair")


def visit_solution(self: HTML5Translator, node: solution_node) -> None:
    """Open the folding element.

    The box inside carries the fragment: a browser opens the details around a target,
    but not the details that are the target.
    """
    summary = self.encode(node["summary"])
    label = answer_id(node["target_label"])
    self.body.append(
        f'<details class="answer">\n<summary>{summary}</summary>\n'
        f'<div class="answer-body" id="{label}">\n'
    )


def depart_solution(self: HTML5Translator, node: solution_node) -> None:
    """Close the box and the folding element."""
    self.body.append("</div>\n</details>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the rendering, the links and the check."""
    app.setup_extension("sphinx_exercise")
    app.setup_extension("withheld_answers")
    app.setup_extension("answer_numbers")
    app.add_node(solution_node, override=True, html=(visit_solution, depart_solution))
    app.add_transform(KeepLinksToExercises)
    app.add_post_transform(ReferToExercises)
    app.add_post_transform(UnwrapStrayAnswers)
    app.add_post_transform(LinkExercisesAndAnswers)
    app.connect("env-updated", check_answers)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
