"""The audit: plant faults one at a time, and say which of them nobody noticed.

    nox -s mutants                    # the whole audit; goes on where it was stopped
    nox -s mutants -- --count 20      # a sample, of each kind
    nox -s mutants -- --kind formula link --chapter tensors
    nox -s mutants -- --record        # keep the counts of these kinds for the appendix

Results are kept in ``build/faults.jsonl``, each under a digest of the files that decide
it, so that a change of one chapter costs little. Every guard is first asked about the
project without a fault: if it is not silent, what it says of faults means nothing. A
fault that nobody noticed is a survivor; those that could mislead nobody are explained
in ``survivors.toml``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

import torch

from tests.faults.catching import (
    NOTICED,
    ROOT,
    control,
    executed,
    links_are_noticed,
    slug_of,
    source,
    state,
    text_of,
)
from tests.faults.planting import (
    KINDS,
    Fault,
    in_checks,
    in_formulas,
    in_labels,
    in_links,
    in_outputs,
    in_prose,
    in_snippets,
    in_values,
    sample,
)

SEED = 2026
# How many of each kind the whole audit plants.
COUNTS = {
    **{"formula": 300, "number": 60, "output": 100, "link": 60, "label": 60},
    **{"code": 60, "answer": 30, "check": 120},
}
RESULTS = ROOT / "build" / "faults.jsonl"
EXPLAINED = ROOT / "tests" / "faults" / "survivors.toml"
RECORD = ROOT / "tests" / "faults" / "record.toml"
GROUP = 30  # links or labels in one build


def all_faults(chapter: str = "", kinds: Collection[str] = KINDS) -> Iterator[Fault]:
    """Everything of these kinds that could be planted, or in one chapter."""
    for path, name, text in _files("book/*.md", chapter):
        if "formula" in kinds:
            yield from in_formulas(name, path.stem, text)
        if "number" in kinds:
            yield from in_values(name, text)
            yield from in_prose(name, text)
        if "link" in kinds:
            yield from in_links(name, text)
        if "label" in kinds:
            yield from in_labels(name, text)
    if "output" in kinds:
        for _, name, text in _files("tests/outputs/*.toml", chapter):
            yield from in_outputs(name, text)
    if {"code", "answer"} & set(kinds):
        for path, name, text in _files("snippets/*.py", chapter):
            if (ROOT / "book" / f"{path.stem.replace('_', '-')}.md").is_file():
                yield from in_snippets(name, text, 16, SEED)
    if "check" in kinds:
        for _, name, text in _files("snippets/checks/*.py", chapter):
            yield from in_checks(name, text, 24, SEED)


def _files(pattern: str, chapter: str) -> Iterator[tuple[Path, str, str]]:
    """Files with their names in the project and their texts."""
    for path in sorted(ROOT.glob(pattern)):
        slug = path.stem.replace("_", "-")
        if path.stem != "__init__" and chapter in ("", slug):
            name = path.relative_to(ROOT).as_posix()
            yield path, name, path.read_text(encoding="utf-8")


def chosen(options: argparse.Namespace) -> list[Fault]:
    """The faults of this run."""
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in all_faults(options.chapter, options.kind):
        by_kind[fault.kind].append(fault)
    return [
        fault
        for kind in options.kind
        for fault in sample(by_kind[kind], options.count or COUNTS[kind], SEED)
    ]


def known_results() -> dict[tuple[str, str], str]:
    """What earlier runs found, by state and name of the fault."""
    if not RESULTS.is_file():
        return {}
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    return {(line["state"], line["fault"]): line["said"] for line in lines}


def audit(faults: Sequence[Fault], workers: int) -> dict[str, str]:
    """For each fault what was said of it; nothing for a survivor.

    Raises:
        SystemExit: if a guard complains where there is no fault.
    """
    states = {place: state(*place) for place in map(place_of, faults)}
    known = known_results()
    said = {
        fault.name: known[states[place_of(fault)], fault.name]
        for fault in faults
        if (states[place_of(fault)], fault.name) in known
    }
    waiting = [fault for fault in faults if fault.name not in said]
    believed = {place for place, digest in states.items() if (digest, "") in known}
    RESULTS.parent.mkdir(exist_ok=True)
    start = time.monotonic()
    with RESULTS.open("a", encoding="utf-8") as kept:

        def keep(place: tuple[str, str], name: str, text: str) -> None:
            line = {"state": states[place], "fault": name, "said": text}
            kept.write(json.dumps(line) + "\n")
            kept.flush()

        # A result without a name is that of the guard without a fault.
        for place in _believed(waiting, believed, workers):
            keep(place, "", "")
        for count, (fault, text) in enumerate(_noticed(waiting, workers), 1):
            said[fault.name] = text
            keep(place_of(fault), fault.name, text)
            if not text or count % 20 == 0:
                seconds = time.monotonic() - start
                mark = "noticed " if text else "SURVIVED"
                print(f"{count}/{len(waiting)} {seconds:4.0f} s {mark} {fault.name}")
    return said


def place_of(fault: Fault) -> tuple[str, str]:
    """The kind and the chapter of a fault."""
    return fault.kind, slug_of(fault)


def _believed(
    faults: Sequence[Fault], believed: Collection[tuple[str, str]], workers: int
) -> Iterator[tuple[str, str]]:
    """Ask the guards that the faults need without a fault; each must be silent."""
    # One guard serves for code and answers, one build for links and labels.
    same = {"answer": "code", "label": "link"}
    asked: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for fault in faults:
        if place_of(fault) not in believed:
            kind = same.get(fault.kind, fault.kind)
            path = "book" if kind == "link" else fault.path
            asked[kind, path].add(place_of(fault))
    with _pool(faults, workers) as pool:
        jobs = {pool.submit(control, *guard): guard for guard in sorted(asked)}
        for job in as_completed(jobs):
            kind, path = jobs[job]
            if said := job.result():
                raise SystemExit(f"{path}: a {kind} is found where none was: {said}")
            yield from sorted(asked[kind, path])


def _noticed(faults: Sequence[Fault], workers: int) -> Iterator[tuple[Fault, str]]:
    """Try each fault: the quick kinds here, the others side by side."""
    quick = [fault for fault in faults if fault.kind in ("formula", "output")]
    for fault in quick:
        yield fault, NOTICED[fault.kind](fault)
    for kind in ("link", "label"):
        for group in groups(fault for fault in faults if fault.kind == kind):
            yield from links_are_noticed(group)
    slow = [f for f in faults if f not in quick and f.kind in NOTICED]
    with _pool(slow, workers) as pool:
        jobs = {pool.submit(NOTICED[fault.kind], fault): fault for fault in slow}
        for job in as_completed(jobs):
            yield jobs[job], job.result()


def _pool(faults: Sequence[Fault], workers: int) -> ProcessPoolExecutor:
    """Processes forked once all that the faults have in common is loaded."""
    for slug in sorted({slug_of(f) for f in faults if f.kind in ("check", "formula")}):
        text_of(slug)
    if any(fault.kind == "output" for fault in faults):
        executed()
    torch.set_num_threads(1)  # a fork has no threads
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))


def groups(faults: Iterable[Fault]) -> list[list[Fault]]:
    """Faults for one build each; what is renamed twice alike would be no fault."""
    found: list[list[Fault]] = []
    for fault in faults:
        for group in found:
            if len(group) < GROUP and all(fault.before != one.before for one in group):
                group.append(fault)
                break
        else:
            found.append([fault])
    return found


def report(faults: list[Fault], said: dict[str, str]) -> bool:
    """Print the shares and the survivors; tell whether every survivor is explained."""
    explained = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    survivors = [fault for fault in faults if not said[fault.name]]
    print("kind      planted  noticed  share")
    for kind in KINDS:
        of_kind = [fault for fault in faults if fault.kind == kind]
        if of_kind:
            noticed = sum(bool(said[fault.name]) for fault in of_kind)
            share = noticed / len(of_kind)
            print(f"{kind:8} {len(of_kind):8} {noticed:8} {share:6.1%}")
    share = 1 - len(survivors) / max(1, len(faults))
    print(f"{'all':8} {len(faults):8} {len(faults) - len(survivors):8} {share:6.1%}")
    open_ones = []
    for fault in survivors:
        name = key(fault, source(fault))
        reason = explained.get(fault.kind, {}).get(name)
        print(
            f"survivor: {fault.name}\n    {name!r}" + (f": {reason}" if reason else "")
        )
        if not reason:
            open_ones.append(fault)
    return not open_ones


def key(fault: Fault, text: str) -> str:
    """A survivor's name in ``survivors.toml``: its surroundings, for lines move."""
    end = fault.start + len(fault.before)
    left, right = text[max(0, fault.start - 20) : fault.start], text[end : end + 20]
    change = f"{left}[{fault.before} → {fault.after}]{right}"
    return f"{fault.path}: {' '.join(change.split())}"


def record(faults: list[Fault], said: dict[str, str]) -> None:
    """Keep how many faults were planted and noticed, by chapter and kind."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for fault in faults:
        slug = Path(fault.path).stem.replace("_", "-")
        pair = counts[slug].setdefault(fault.kind, [0, 0])
        pair[0] += 1
        pair[1] += bool(said[fault.name])
    lines = ["# Made by: nox -s mutants -- --record. Faults planted, and noticed."]
    lines += [f"day = {datetime.now(UTC).date()}"]
    for slug in sorted(counts):
        lines += ["", f"[faults.{slug}]"]
        lines += [
            f"{kind} = {counts[slug][kind]}" for kind in KINDS if kind in counts[slug]
        ]
    RECORD.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, help="faults of each kind")
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=KINDS)
    parser.add_argument("--chapter", default="")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args(arguments)
    faults = chosen(options)
    said = audit(faults, options.workers)
    complete = report(faults, said)
    if options.record and not (options.chapter or options.count):
        record(faults, said)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
