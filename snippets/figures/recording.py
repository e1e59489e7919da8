"""Record a run of torch: which operations made which tensors, and what came back.

::

    w = torch.tensor(3.0, requires_grad=True)
    with record() as run:
        L = (w - 1) ** 2
        L.backward()
    run.name(w=w, L=L)

``run.vertices`` then holds w, w − 1 and L with their values, the names of their
``grad_fn`` and their gradients; ``run.edges`` which of them feeds which, and what the
backward pass sent along each edge; ``run.arrivals`` the order in which gradients were
complete.

Nothing is taken on trust. The edges of each vertex must be those that autograd itself
notes in ``grad_fn.next_functions``, or the recording ends in a ``RecordingError``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge
from torch.overrides import TorchFunctionMode

# Attributes of a tensor that are other tensors, but no operations on it.
NO_OPERATION = {"grad"}
# 1 − x is a method of x, with its arguments the other way round.
REVERSED = {"__rsub__": "sub", "rsub": "sub"}


class RecordingError(RuntimeError):
    """A run that cannot be drawn as it was written: what, and what to write."""


@dataclass
class Vertex:
    """A tensor of the run; ``value`` and ``gradient`` have its shape and dtype.

    ``operation`` is torch's name of what made it, ``""`` for a tensor that was given;
    ``constants`` are its arguments that are no tensors, by their place. ``grad_fn`` is
    the name of autograd's record, ``""`` where there is none.
    """

    number: int
    value: Tensor
    requires_grad: bool
    is_leaf: bool
    operation: str = ""
    constants: dict[int, Any] = field(default_factory=dict)
    grad_fn: str = ""
    name: str = ""
    gradient: Tensor | None = None


@dataclass
class Edge:
    """The vertex ``source`` is the argument at ``place`` (from 0) of ``target``.

    ``carried`` says whether autograd would send a gradient along it, ``sent`` what the
    backward pass did send, in the shape of the source. ``derivative`` is the slope of
    the target with respect to this one argument, known where both are numbers.
    """

    source: int
    target: int
    place: int
    carried: bool
    derivative: float | None = None
    sent: Tensor | None = None


@dataclass
class Look:
    """The tensors at one moment: value and ``.grad`` by number of the vertex."""

    title: str
    values: dict[int, Tensor]
    grads: dict[int, Tensor]
    freed: bool


@dataclass
class Recording:
    """What a run has left; see the module."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    # Every tensor is kept, so that no other can take its id.
    tensors: list[Tensor] = field(default_factory=list, repr=False)

    def vertex(self, tensor: Tensor) -> Vertex | None:
        """The vertex of a tensor, if the run met it."""
        for number, known in enumerate(self.tensors):
            if known is tensor:
                return self.vertices[number]
        return None

    def name(self, **tensors: Tensor) -> Recording:
        """Give names to vertices.

        Raises:
            RecordingError: for a tensor that the run did not meet.
        """
        for name, tensor in tensors.items():
            vertex = self.vertex(tensor)
            if vertex is None:
                raise RecordingError(
                    f"{name} is no tensor of this recording; compute or use it inside "
                    "'with record()'"
                )
            vertex.name = name
        return self

    def arguments(self, vertex: Vertex) -> list[Vertex]:
        """The vertices that an operation was applied to, in order."""
        into = [edge for edge in self.edges if edge.target == vertex.number]
        return [self.vertices[edge.source] for edge in into]

    def look(self, title: str) -> None:
        """Note what the tensors hold at this moment."""
        leaves = [v.number for v in self.vertices if v.is_leaf]
        self.looks.append(
            Look(
                title,
                {n: t.detach().clone() for n, t in enumerate(self.tensors)},
                {
                    n: self.tensors[n].grad.clone()  # type: ignore[union-attr]
                    for n in leaves
                    if self.tensors[n].grad is not None
                },
                freed=any(_is_freed(t.grad_fn) for t in self.tensors if t.grad_fn),
            )
        )

    # What follows is called by the recorder.

    def meet(self, tensor: Tensor) -> Vertex:
        """The vertex of a tensor, made at the first meeting."""
        vertex = self.vertex(tensor)
        if vertex is None:
            vertex = Vertex(
                len(self.vertices),
                tensor.detach().clone(),
                tensor.requires_grad,
                tensor.is_leaf,
                grad_fn=tensor.grad_fn.name() if tensor.grad_fn else "",
            )
            self.vertices.append(vertex)
            self.tensors.append(tensor)
            if tensor.requires_grad:
                tensor.register_hook(self._arrival(vertex))
        return vertex

    def operate(
        self,
        name: str,
        operands: Sequence[Any],
        result: Tensor,
    ) -> None:
        """Add the result of an operation, after autograd has confirmed its edges."""
        tensors = {p: t for p, t in enumerate(operands) if isinstance(t, Tensor)}
        arguments = list(tensors.values())
        confirm(name, arguments, result)
        sources = {place: self.meet(tensor) for place, tensor in tensors.items()}
        vertex = self.meet(result)
        vertex.operation = name
        vertex.constants = {p: c for p, c in enumerate(operands) if p not in tensors}
        record = result.grad_fn
        edges = [
            Edge(
                source.number,
                vertex.number,
                place,
                carried=record is not None and tensors[place].requires_grad,
            )
            for place, source in sources.items()
        ]
        self.edges += edges
        if record is not None:
            self._slopes(record, edges, arguments, result)
            record.register_hook(self._sending([e for e in edges if e.carried], record))

    def _slopes(
        self,
        record: Node,
        edges: list[Edge],
        arguments: Sequence[Tensor],
        result: Tensor,
    ) -> None:
        """Ask the operation itself for its derivatives: what it sends for a 1."""
        if result.ndim or any(a.ndim for a in arguments if a.requires_grad):
            return
        # Not through the engine, which would free what the record has saved.
        sent = _slots(record, record(torch.ones_like(result)))
        for edge, slope in zip([e for e in edges if e.carried], sent, strict=True):
            edge.derivative = slope.item()

    def _sending(self, edges: list[Edge], record: Node) -> Callable[..., None]:
        def note(sent: tuple[Tensor | None, ...], _: object) -> None:
            for edge, gradient in zip(edges, _slots(record, sent), strict=True):
                edge.sent = gradient.detach().clone()

        return note

    def _arrival(self, vertex: Vertex) -> Callable[[Tensor], None]:
        def note(gradient: Tensor) -> None:
            if vertex.gradient is not None:
                raise RecordingError(
                    "a second backward pass through a recorded graph; "
                    "record each pass on its own"
                )
            vertex.gradient = gradient.detach().clone()
            self.arrivals.append(vertex.number)

        return note


def _slots(record: Node, sent: Any) -> list[Tensor]:
    """Of what a record sends, that which goes to a vertex."""
    slots = sent if isinstance(sent, tuple) else (sent,)
    return [
        gradient
        for gradient, (node, _) in zip(slots, record.next_functions, strict=True)
        if node is not None
    ]


def _is_freed(record: Node) -> bool:
    """Whether the backward pass has let go of the values that a record saved."""
    for attribute in dir(record):
        if attribute.startswith("_saved_"):
            try:
                getattr(record, attribute)
            except RuntimeError:
                return True
    return False


def confirm(name: str, arguments: Sequence[Tensor], result: Tensor) -> None:
    """Hold the arguments of an operation against autograd's own record of it.

    Raises:
        RecordingError: if they differ, as they do for an operation that is made of
            several.
    """
    record = result.grad_fn
    if record is None:
        return  # nothing flows back: no argument wants it, or the graph is cut here
    noted = [edge for edge in record.next_functions if edge[0] is not None]
    expected = [
        (edge.node, edge.output_nr)
        for edge in map(get_gradient_edge, filter(_wants_gradient, arguments))
    ]
    if noted != expected:
        inner = _until(record, {node for node, _ in expected})
        if len(inner) > 1:
            raise RecordingError(
                f"{name} is made of {len(inner)} recorded operations "
                f"({', '.join(node.name() for node in inner)}); to draw it, write them "
                "out, each with a result of its own"
            )
        raise RecordingError(
            f"autograd noted other arguments of {name} than it was called with: "
            f"{[node.name() for node, _ in noted]}; write it with other operations"
        )


def _wants_gradient(tensor: Tensor) -> bool:
    return tensor.requires_grad


def _until(record: Node, ends: set[Node]) -> list[Node]:
    """The records from here to those of the arguments."""
    found = [record]
    for node in found:  # the list grows while we walk it
        for source, _ in node.next_functions:
            if source is not None and source not in ends and source not in found:
                found.append(source)
    return [node for node in found if not hasattr(node, "variable")]  # no leaves


class _Recorder(TorchFunctionMode):
    """Sees every call of a torch function, and hands operations to a recording."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = _name(func)
        operands = list(_flat([*args, *kwargs.values()]))
        if name == "__getitem__" and isinstance(args[1], Tensor):
            operands[1] = args[1].tolist()  # an index is no vertex
        tensors = [value for value in operands if isinstance(value, Tensor)]
        versions = [tensor._version for tensor in tensors]
        result = func(*args, **kwargs)
        if [tensor._version for tensor in tensors] != versions:
            raise RecordingError(
                f"{name} changes a tensor in place, which no drawing shows; "
                "do it outside 'with record()', or make a new tensor"
            )
        if not tensors or name in NO_OPERATION or name.endswith("_like"):
            return result
        if isinstance(result, tuple | list) and any(
            isinstance(item, Tensor) for item in result
        ):
            raise RecordingError(
                f"{name} has several results; use operations with one result each"
            )
        if isinstance(result, Tensor) and not any(result is t for t in tensors):
            if name in REVERSED:
                name, operands = REVERSED[name], operands[::-1]
            self.recording.operate(name, operands, result)
        return result


def _name(func: Any) -> str:
    """``exp`` for torch.exp, ``T`` for the attribute of that name."""
    name: str = getattr(func, "__name__", str(func))
    return func.__self__.__name__ if name == "__get__" else name


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    """The arguments of a call, with those in lists, as of torch.stack."""
    for value in values:
        if isinstance(value, list | tuple) and any(
            isinstance(item, Tensor) for item in value
        ):
            yield from value
        else:
            yield value


@contextmanager
def record() -> Iterator[Recording]:
    """Record every operation on tensors inside the ``with`` statement.

    The backward pass may come inside it or later.

    Raises:
        RecordingError: for an operation that changes a tensor in place, has several
            results, or is made of several recorded operations.
    """
    recording = Recording()
    with _Recorder(recording):
        yield recording
