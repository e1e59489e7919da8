"""Checks of the exercises in the chapter on getting started."""

import torch

from snippets.exercises import exercise
from snippets.exercises.trying import (
    Wrong,
    agree,
    call,
    describe,
    frames,
    numbers,
    require,
)


@exercise(
    '''
    def slope(v):
        """The derivative of exp(sin(v²)) at the number v, by your formula."""
        ...
    '''
)
def nested(answer):
    """Against autograd, at nine places."""
    for place in torch.linspace(-2, 2, 9, dtype=torch.float64):
        v = place.clone().requires_grad_()
        f = torch.exp(torch.sin(v**2))
        (by_autograd,) = torch.autograd.grad(f, v)
        found = numbers(call(answer, place.item()), "The slope", ())
        at = f"The slope at v = {place.item()}"
        hint = "Autograd finds another one."
        if torch.isclose(found, f.detach()) and place:
            hint = "This is the value of f itself."
        elif torch.isclose(found * 2 * place, by_autograd) and place:
            hint = "The chain has three links; the innermost, v², is missing."
        agree(found, by_autograd, at, hint)
    return "autograd finds the same slopes from v = −2 to 2"


@exercise(
    '''
    def dice(seed, throws):
        """A tensor of throws from 1 to 6, the same for the same seed."""
        ...
    '''
)
def dice(answer):
    """Range, all faces, the same seed, another seed, and other random numbers."""
    torch.default_generator.manual_seed(1)
    alone = torch.rand(2)
    torch.default_generator.manual_seed(1)
    first = numbers(call(answer, 0, 600), "The throws", (600,))
    after = torch.rand(2)
    found = set(first.tolist())
    faces = set(range(1, 7))
    require(0 not in found, "A die has no 0.")
    require(
        6 in found or not found <= faces,
        "In 600 throws there is no 6: is the upper limit of `randint` included?",
    )
    require(found <= faces, f"There are throws other than 1 to 6: {found - faces}.")
    require(found == faces, f"In 600 throws these never come: {sorted(faces - found)}.")
    again = numbers(call(answer, 0, 600), "The throws", (600,))
    require(torch.equal(first, again), "The same seed gives other throws.")
    other = numbers(call(answer, 1, 600), "The throws", (600,))
    require(not torch.equal(first, other), "Another seed gives the same throws.")
    require(
        torch.equal(alone, after),
        "A call changes the random numbers that come after it: whose generator is it?",
    )
    return "six faces, repeatable, and nothing else is disturbed"


@exercise(
    '''
    def half(x):
        """One half of a number."""
        ...


    def quarter(x):
        """One quarter of a number, by means of half."""
        ...
    '''
)
def traceback(half, quarter):
    """The values, and who is in the traceback when a text is handed in."""
    for x in (8, -3, 0.5):
        agree(call(half, x), x / 2, f"half({x})")
        agree(call(quarter, x), x / 4, f"quarter({x})")
    try:
        result = quarter("8")
    except TypeError as error:
        blocks = frames(error)[1:]
    except Exception as error:
        raise Wrong(
            f'quarter("8") raises {type(error).__name__}. Let the division itself '
            "fail, which raises TypeError."
        ) from None
    else:
        raise Wrong(
            f'quarter("8") gives {describe(result)}. A text is no number: let it fail.'
        )
    require(
        blocks[:2] == [quarter.__name__, half.__name__] or blocks[-1] != "quarter",
        'The error of quarter("8") arises in `quarter` itself, so the traceback has '
        "only two blocks. Use `half`.",
    )
    require(
        blocks[-1] == half.__name__ and len(blocks) == 2,
        f"Below your cell the traceback has the blocks {blocks}; two are wanted.",
    )
    return "your call, `quarter` and `half`: three blocks"
