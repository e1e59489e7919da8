"""The recorder sees what autograd sees, for random expressions and for its refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd.graph import get_gradient_edge

from snippets.figures import Recording, RecordingError, record
from snippets.figures.rules import is_known, operation

UNARY = {
    "neg": lambda x: -x,
    "exp": lambda x: (x / 8).exp(),
    "sigmoid": torch.sigmoid,
    "square": lambda x: (x / 4) ** 2,
    "sum": lambda x: x.sum(),
    "mean": lambda x: x.mean(),
    "from-one": lambda x: 1 - x,
    "detach": lambda x: x.detach(),
}
BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y / 2,
    "div": lambda x, y: x / (y * y + 1),
}
# The first call of an operation can be slow.
untimed = settings(deadline=None)

# Shapes of which any two can be broadcast.
SHAPES = [(), (3,), (2, 3), (2, 1), (1,)]


@st.composite
def programs(draw: st.DrawFn):
    """Leaves, and operations on earlier results: with reuse, fan-out and sharing."""
    leaves = draw(
        st.lists(
            st.tuples(st.sampled_from(SHAPES), st.booleans()), min_size=1, max_size=4
        )
    )
    steps = []
    for count in range(draw(st.integers(1, 8))):
        known = st.integers(0, len(leaves) + count - 1)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(sorted(UNARY))), draw(known)))
        else:
            name = draw(st.sampled_from(sorted(BINARY)))
            steps.append((name, draw(known), draw(known)))
    return leaves, steps, draw(st.integers(0, 1000))


def run(program) -> list[torch.Tensor]:
    """All tensors of a program, leaves first, its loss last."""
    leaves, steps, seed = program
    generator = torch.Generator().manual_seed(seed)
    tensors = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_(
            wanted
        )
        for shape, wanted in leaves
    ]
    for name, *places in steps:
        function = UNARY.get(name) or BINARY[name]
        tensors.append(function(*(tensors[place] for place in places)))
    tensors.append(sum((t.sum() for t in tensors[1:]), tensors[0].sum()))
    return tensors


def recorded(program) -> tuple[Recording, list[torch.Tensor]]:
    with record() as recording:
        tensors = run(program)
    return recording, tensors


@untimed
@given(programs())
def test_edges_are_those_that_autograd_notes(program) -> None:
    recording, _ = recorded(program)
    for vertex, tensor in zip(recording.vertices, recording.tensors, strict=True):
        carried = [
            recording.tensors[edge.source]
            for edge in recording.edges
            if edge.target == vertex.number and edge.carried
        ]
        noted = tensor.grad_fn.next_functions if tensor.grad_fn else ()
        assert [edge for edge in noted if edge[0] is not None] == [
            (edge.node, edge.output_nr) for edge in map(get_gradient_edge, carried)
        ]


@untimed
@given(programs())
def test_values_and_flags_are_those_of_the_run(program) -> None:
    recording, tensors = recorded(program)
    again = run(program)
    for tensor, other in zip(tensors, again, strict=True):
        vertex = recording.vertex(tensor)
        assert vertex is not None
        torch.testing.assert_close(vertex.value, other.detach(), rtol=0, atol=0)
        assert vertex.requires_grad == other.requires_grad
        assert vertex.is_leaf == other.is_leaf
        assert vertex.grad_fn == (other.grad_fn.name() if other.grad_fn else "")


@untimed
@given(programs())
def test_gradients_are_those_of_autograd_grad(program) -> None:
    recording, tensors = recorded(program)
    if not tensors[-1].requires_grad:
        assert not any(edge.carried for edge in recording.edges)
        return
    tensors[-1].backward()
    again = run(program)
    wanted = [n for n, tensor in enumerate(again) if tensor.requires_grad]
    expected = torch.autograd.grad(
        again[-1], [again[n] for n in wanted], allow_unused=True
    )
    for n, gradient in zip(wanted, expected, strict=True):
        found = recording.vertex(tensors[n])
        assert found is not None
        if gradient is None:
            assert found.gradient is None
        else:
            torch.testing.assert_close(found.gradient, gradient)


@untimed
@given(programs())
def test_what_is_sent_adds_up_and_comes_after_its_cause(program) -> None:
    recording, tensors = recorded(program)
    if not tensors[-1].requires_grad:
        return
    tensors[-1].backward()
    assert len(recording.arrivals) == len(set(recording.arrivals))
    for place, number in enumerate(recording.arrivals):
        out = [e for e in recording.edges if e.source == number and e.sent is not None]
        if number != recording.arrivals[0]:
            shape = recording.vertices[number].value.shape
            assert all(edge.sent.shape == shape for edge in out)
            total = sum(edge.sent for edge in out)
            torch.testing.assert_close(total, recording.vertices[number].gradient)
        assert {edge.target for edge in out} <= set(recording.arrivals[:place])


@untimed
@given(programs())
def test_the_rules_shown_are_those_that_autograd_applies(program) -> None:
    recording, tensors = recorded(program)
    if not tensors[-1].requires_grad:
        return
    tensors[-1].backward()
    for edge in recording.edges:
        if edge.sent is None:
            continue
        target = recording.vertices[edge.target]
        assert is_known(target.operation)
        operands = dict(target.constants)
        for other in recording.edges:
            if other.target == target.number:
                operands[other.place] = recording.vertices[other.source].value
        values = [operands[place] for place in sorted(operands)]
        how = operation(target.operation, target.grad_fn)
        sent = how.backward(values, target.value, target.gradient, edge.place)
        sent = sent.sum_to_size(recording.vertices[edge.source].value.shape)
        torch.testing.assert_close(sent, edge.sent)


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


@pytest.mark.parametrize(
    "compute",
    [
        torch.matmul,
        lambda A, x: A @ A,
        lambda A, x: x @ x,
        torch.mv,
        lambda A, x: torch.linalg.vector_norm(x),
        lambda A, x: torch.logsumexp(x, 0),
        lambda A, x: x[1],
        lambda A, x: x[torch.tensor(1)],
        lambda A, x: torch.log(x),
        lambda A, x: torch.sqrt(x),
        lambda A, x: x**3,
        lambda A, x: x / (x * x) - x.square(),
        lambda A, x: (2 * x).detach() * x,
    ],
)
def test_each_operation_of_the_table_has_its_rule(compute) -> None:
    A = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = leaf(5.0, 7.0)
    with record() as recording:
        compute(A, x).sum().backward()
    sent = [edge for edge in recording.edges if edge.sent is not None]
    assert sent
    for edge in sent:
        target = recording.vertices[edge.target]
        operands = dict(target.constants)
        for other in recording.edges:
            if other.target == target.number:
                operands[other.place] = recording.vertices[other.source].value
        values = [operands[place] for place in sorted(operands)]
        how = operation(target.operation, target.grad_fn)
        expected = how.backward(values, target.value, target.gradient, edge.place)
        torch.testing.assert_close(expected, edge.sent)


def test_slopes_are_the_derivatives_on_the_edges() -> None:
    u, v = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    with record() as recording:
        p = u * v
        q = p + u
        q * p
    slopes = [edge.derivative for edge in recording.edges]
    assert slopes == [3, 2, 1, 1, 6, 8]


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (
            lambda x: torch.nn.functional.cross_entropy(x, torch.tensor(1)),
            "cross_entropy is made of 2 recorded operations (NllLossBackward0, "
            "LogSoftmaxBackward0)",
        ),
        (lambda x: x @ torch.eye(2), "matmul is made of"),
        (lambda x: 1 / x, "is made of"),
        (lambda x: x.max(dim=0), "max has several results"),
        (lambda x: (x * 1).mul_(2), "mul_ changes a tensor in place"),
        (lambda x: (x * 1).__setitem__(0, 1.0), "__setitem__ changes a tensor"),
    ],
)
def test_what_cannot_be_drawn_as_written_is_refused(compute, message: str) -> None:
    with pytest.raises(RecordingError) as caught, record():
        compute(leaf(1.0, 2.0))
    assert message in str(caught.value)


def test_a_false_edge_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """If torch came to note other arguments than it is called with."""
    x, y = leaf(1.0), leaf(2.0)
    monkeypatch.setattr(
        "snippets.figures.recording.get_gradient_edge",
        lambda tensor: get_gradient_edge(y),
    )
    with (
        pytest.raises(RecordingError, match="autograd noted other arguments"),
        record(),
    ):
        x.exp()


def test_a_second_pass_is_refused() -> None:
    x = leaf(1.0)
    with record() as recording:
        total = x.sum()
    total.backward(retain_graph=True)
    assert len(recording.arrivals) == 2
    with pytest.raises(RecordingError, match="second backward pass"):
        total.backward()


def test_a_name_belongs_to_a_tensor_of_the_run() -> None:
    with record() as recording:
        leaf(1.0).sum()
    with pytest.raises(RecordingError, match="other is no tensor of this recording"):
        recording.name(other=leaf(1.0))


def test_no_grad_cuts_every_edge_and_records_the_values() -> None:
    x = leaf(3.0)
    with record() as recording, torch.no_grad():
        x * x
    assert [edge.carried for edge in recording.edges] == [False, False]
    assert recording.vertices[-1].value.item() == 9


def test_integers_are_vertices_without_gradients() -> None:
    with record() as recording:
        torch.tensor([1, 2]) + torch.tensor([3, 4])
    assert [v.value.tolist() for v in recording.vertices] == [[1, 2], [3, 4], [4, 6]]
    assert not any(v.requires_grad for v in recording.vertices)


def test_a_look_sees_the_leaf_move_and_the_graph_freed() -> None:
    w = leaf(3.0)
    with record() as recording:
        loss = (w**2).sum()
    recording.look("before")
    loss.backward()
    recording.look("after")
    with torch.no_grad():
        w -= 0.5 * w.grad
    recording.look("moved")
    before, after, moved = recording.looks
    assert (before.grads, before.freed) == ({}, False)
    assert (after.grads[0].item(), after.freed) == (6, True)
    assert [look.values[0].item() for look in recording.looks] == [3, 3, 0]
    assert moved.grads[0].item() == 6
