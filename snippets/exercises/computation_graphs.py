"""Checks of the exercises in the chapter on computation graphs."""

import torch

from snippets.exercises import exercise
from snippets.exercises.trying import Wrong, call, close, describe, numbers, require


def _leaf(value=1.0):
    return torch.tensor(value, requires_grad=True)


@exercise(
    '''
    def reached(tensor):
        """The leaves that a backward pass from the tensor would reach."""
        ...
    '''
)
def reached(answer):
    """Against the leaves that a real backward pass reaches, in five graphs."""
    for what, graph in GRAPHS.items():
        leaves = {name: _leaf() for name in "uvw"}
        loss = graph(*leaves.values())
        found = call(answer, loss)
        try:
            found = list(found)
        except TypeError:
            raise Wrong(f"A list is asked for; here is {describe(found)}.") from None
        for leaf in leaves.values():
            require(
                leaf.grad is None,
                "The leaves have a `.grad` after the call: walk along the graph "
                "without running it.",
            )
        names = [_name_of(it, leaves) for it in found]
        loss.backward()
        wanted = [name for name, leaf in leaves.items() if leaf.grad is not None]
        have = f"of {what} (u, v and w are leaves)"
        for name in wanted:
            require(name in names, f"{name} is missing among the leaves {have}.")
        for name in names:
            require(name in wanted, f"No gradient reaches {name} {have}.")
        require(len(names) == len(wanted), f"A leaf is listed twice, {have}.")
    return "as a backward pass reaches them, in five graphs"


GRAPHS = {
    "u · detach(v) + exp(u + w)": lambda u, v, w: u * v.detach() + (u + w).exp(),
    "u · v": lambda u, v, w: u * v,
    "((u + u) · w)²": lambda u, v, w: ((u + u) * w) ** 2,
    "exp(exp(exp(v)))": lambda u, v, w: v.exp().exp().exp(),
    "u + 2 v + 3 w": lambda u, v, w: u + 2 * v + 3 * w,
}


def _name_of(found, leaves):
    """Which leaf this is: by identity, since equality compares entries."""
    for name, leaf in leaves.items():
        if found is leaf:
            return name
    if isinstance(found, torch.Tensor):
        raise Wrong("The list has a tensor that is not one of the leaves.")
    raise Wrong(f"The list should have the tensors themselves, not {describe(found)}.")


@exercise(
    '''
    def descend(rate, rounds):
        """w after each round of clear, backward, move on (w - 3)² from 0."""
        ...
    '''
)
def descend(answer):
    """Against rounds with a slope from central differences."""
    for rate, rounds in ((0.1, 5), (0.25, 3), (0.6, 4)):
        given = f"With learning rate {rate}, the values of w"
        path = numbers(call(answer, rate, rounds), given).flatten()
        wanted = _rounds(rate, rounds)
        require(
            len(path) != rounds + 1 or path[0] != 0,
            "The list begins with the start; only the values after a round are wanted.",
        )
        require(
            len(path) == rounds,
            f"{given} are {len(path)} numbers after {rounds} rounds; one for each "
            "round is wanted.",
        )
        if close(path, wanted):
            continue
        hint = f"are wrong from round {1 + _first_gap(path, wanted)} on."
        if close(path, _rounds(-rate, rounds)):
            hint = "move away from 3: a step goes against the gradient."
        elif close(path, _rounds(rate, rounds, clear=False)):
            hint = "swing too far: each step uses the gradients of all rounds before."
        elif close(path, path[-1:].expand_as(path)) and rounds > 1:
            hint = "are all the same: has each the value of its own round?"
        raise Wrong(f"{given} {hint}")
    return "the right steps, for three learning rates"


def _rounds(rate, rounds, clear=True):
    """The path of w, with slopes from two nearby values of the loss."""
    w, gradient, path = 0.0, 0.0, []
    for _ in range(rounds):
        slope = ((w + 1 - 3) ** 2 - (w - 1 - 3) ** 2) / 2
        gradient = slope if clear else gradient + slope
        w -= rate * gradient
        path.append(w)
    return torch.tensor(path, dtype=torch.float64)


def _first_gap(path, wanted):
    return int(((path - wanted).abs() > 1e-4).int().argmax())
