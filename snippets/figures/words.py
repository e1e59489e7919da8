"""What a recorded run says in words: expressions, alternative texts, and each step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from snippets.figures.numbers import number, sentence
from snippets.figures.recording import Edge, Look, Recording, Vertex
from snippets.figures.rules import Operation, operation


@dataclass(frozen=True)
class Step:
    """One step through a run: a value is computed, or a gradient is complete.

    ``edges`` are those that carry it there, by their place in the recording. ``answer``
    holds the entries of the gradient, row by row; what is no finite number is a text.
    """

    kind: str  # "given", "value" or "gradient"
    vertices: list[int]
    edges: list[int]
    say: str
    ask: str = ""
    answer: tuple[float | str, ...] = ()


def label(run: Recording, vertex: Vertex) -> str:
    """The vertex's name, or the expression that it is the value of."""
    return vertex.name or expression(run, vertex) or sentence(vertex.value)


def _how(vertex: Vertex) -> Operation:
    return operation(vertex.operation, vertex.grad_fn)


def _operands(run: Recording, vertex: Vertex) -> list[str]:
    """The names of the arguments of the operation, constants among them."""
    names = {place: _constant(value) for place, value in vertex.constants.items()}
    for edge in run.edges:
        if edge.target == vertex.number:
            names[edge.place] = label(run, run.vertices[edge.source])
    return [names[place] for place in sorted(names)]


def _constant(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def expression(run: Recording, vertex: Vertex) -> str:
    """How the vertex was computed, ``X @ w``; ``""`` for a leaf that was given."""
    if not vertex.operation:
        return ""
    return _how(vertex).written(_operands(run, vertex))


def described(run: Recording, vertex: Vertex) -> str:
    """``r = z − y, the difference of z and y``, without its value."""
    said = _how(vertex).said(_operands(run, vertex))
    name = f"{vertex.name} = " if vertex.name else ""
    return f"{name}{expression(run, vertex)}, {said}"


def _joined(items: list[str]) -> str:
    return items[0] if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def alternative_text(run: Recording, gradients: bool, slopes: bool) -> str:
    """What the drawing shows, for those who do not see it."""
    leaves = [v for v in run.vertices if not v.operation]
    wanted = [label(run, v) for v in leaves if v.requires_grad]
    given = [f"{label(run, v)} = {sentence(v.value)}" for v in leaves]
    parts = [f"Computation graph. Given are {_joined(given)}."]
    if wanted:
        verb = "requires" if len(wanted) == 1 else "require"
        parts.append(f"{_joined(wanted)} {verb} a gradient.")
    parts += [
        f"{described(run, v)}, is {sentence(v.value)}."
        for v in run.vertices
        if v.operation
    ]
    cuts = [e for e in run.edges if is_cut(run, e)]
    parts += [f"The edge from {_ends(run, e)} is cut: no gradient." for e in cuts]
    if slopes:
        known = [e for e in run.edges if e.derivative is not None]
        texts = [f"{number(e.derivative or 0)} from {_ends(run, e)}" for e in known]
        parts.append(f"Derivatives on the edges: {'; '.join(texts)}.")
    if gradients and run.arrivals:
        texts = [
            f"{sentence(gradient)} at {label(run, run.vertices[n])}"
            for n in run.arrivals
            if (gradient := run.vertices[n].gradient) is not None
        ]
        parts.append(f"Gradients: {', '.join(texts)}.")
    return " ".join(parts)


def is_cut(run: Recording, edge: Edge) -> bool:
    """Whether the source wants a gradient that this edge does not bring."""
    return run.vertices[edge.source].requires_grad and not edge.carried


def _ends(run: Recording, edge: Edge) -> str:
    source, target = run.vertices[edge.source], run.vertices[edge.target]
    return f"{label(run, source)} to {label(run, target)}"


def text_of_look(run: Recording, look: Look) -> str:
    """What one panel of several shows."""
    parts = [
        f"{label(run, v)} = {sentence(look.values[v.number])}" for v in run.vertices
    ]
    for vertex in run.vertices:
        if vertex.is_leaf and vertex.requires_grad:
            grad = look.grads.get(vertex.number)
            shown = "None" if grad is None else sentence(grad)
            parts.append(f"{label(run, vertex)}.grad = {shown}")
    freed = " The saved values of the graph are freed." if look.freed else ""
    return f"{look.title}: {', '.join(parts)}.{freed}"


def steps(run: Recording) -> list[Step]:
    """The run, one thing at a time, gradients in the order in which they arrived."""
    leaves = [v for v in run.vertices if not v.operation]
    given = [f"{label(run, v)} = {sentence(v.value)}" for v in leaves]
    verb = "is" if len(given) == 1 else "are"
    found = [
        Step("given", [v.number for v in leaves], [], f"Given {verb} {_joined(given)}.")
    ]
    for vertex in run.vertices:
        if vertex.operation:
            into = [i for i, e in enumerate(run.edges) if e.target == vertex.number]
            name = f"{vertex.name} = " if vertex.name else ""
            say = f"{name}{expression(run, vertex)} = {sentence(vertex.value)}."
            found.append(Step("value", [vertex.number], into, say))
    return found + [_arrival(run, run.vertices[n]) for n in run.arrivals]


def _arrival(run: Recording, vertex: Vertex) -> Step:
    """The step in which a gradient is complete, with the local rule applied."""
    assert vertex.gradient is not None
    name = label(run, vertex)
    out = [
        (index, edge)
        for index, edge in enumerate(run.edges)
        if edge.source == vertex.number and edge.sent is not None
    ]
    result = sentence(vertex.gradient)
    if not out:
        say = f"The backward pass starts at {name}, with gradient {result}."
    elif len(out) == 1:
        applied = _local_rule(run, out[0][1])
        say = f"Gradient at {name} = {applied}{_equals(applied, result)}."
    else:
        terms = [
            f"{_local_rule(run, edge)}{_equals(_local_rule(run, edge), sent)} "
            f"from {label(run, run.vertices[edge.target])}"
            for _, edge in out
            if (sent := sentence(edge.sent))  # type: ignore[arg-type]
        ]
        say = f"To {name} come {_joined(terms)}. The sum is the gradient: {result}."
    ask = f"What is the gradient at {name}?"
    if out:
        sources = {edge.target: run.vertices[edge.target] for _, edge in out}
        known = [
            f"{described(run, v)}, has gradient {sentence(v.gradient)}"
            for v in sources.values()
            if v.gradient is not None
        ]
        ask = f"{ask} {_joined(known)}."
    answer = tuple(map(_entry, vertex.gradient.flatten().tolist()))
    return Step("gradient", [vertex.number], [i for i, _ in out], say, ask, answer)


def _entry(value: float) -> float | str:
    """A number as JSON can hold it: six digits, and ``"nan"`` as a text."""
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)


def _local_rule(run: Recording, edge: Edge) -> str:
    """``2 m × 1``: what the target sends along an edge."""
    target = run.vertices[edge.target]
    assert target.gradient is not None
    names = _operands(run, target)
    given = sentence(target.gradient)
    return _how(target).rule(names, label(run, target), given, edge.place)


def _equals(applied: str, result: str) -> str:
    return "" if applied == result else f" = {result}"
