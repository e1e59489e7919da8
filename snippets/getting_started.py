"""Getting started: a first gradient, outputs, tracebacks, cell order, seeds."""

from snippets import raises

# %% imports
import math

import torch

# %% first-gradient
w = torch.tensor(3.0, requires_grad=True)
loss = (2 * w - 1) ** 2
loss.backward()
w.grad

# %% version
torch.__version__

# %% no-output
x = torch.tensor([1, 2, 3]) / 3

# %% displayed
x

# %% item
x[0].item()

# %% printed
print(x.sum())
x.dtype

# %% recorded
loss

# %% total-start
total = 0

# %% total-add
total = total + 5
total

# %% total-add-again
total = total + 5
total


# %% area-function
def area(width):
    """The area of a rectangle of the common height."""
    return width * height


# %% name-error
with raises(NameError, "name 'height' is not defined"):
    area(3)

# %% height
height = 4
area(3)


# %% average
def average(values):
    """The mean of all entries of a floating-point tensor."""
    return values.mean()


# %% average-of-integers
with raises(RuntimeError, "could not infer output dtype"):
    average(torch.tensor([1, 2, 6]))

# %% average-of-floats
average(torch.tensor([1.0, 2.0, 6.0]))

# %% seed
torch.manual_seed(0)
first = torch.rand(3)
second = torch.rand(3)
torch.manual_seed(0)
third = torch.rand(3)
print(first, second, third, sep="\n")

# %% same-seed-other-numbers
torch.manual_seed(0)
fifteen = torch.randn(15)
torch.manual_seed(0)
sixteen = torch.randn(16)
torch.manual_seed(0)
double = torch.rand(3, dtype=torch.float64)
print(fifteen[:3], sixteen[:3], double, sep="\n")


# %% central-difference
def central_difference(f, w, h):
    """The slope of f between w - h and w + h."""
    return (f(w + h) - f(w - h)) / (2 * h)


by_difference = central_difference(lambda w: (2 * w - 1) ** 2, 3.0, 0.5)
by_difference

# %% answer-display
y = torch.tensor(2 / 3)
y + 1
print(y)
y.item()


# %% answer-nested
def slope(v):
    """The derivative of exp(sin(v²))."""
    return 2 * v * math.cos(v**2) * math.exp(math.sin(v**2))


v = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
torch.exp(torch.sin(v**2)).backward()
by_hand = slope(1)
print(v.grad.item(), by_hand, sep="\n")

# %% answer-cubic
for h in (1.0, 0.5, 0.25):
    print(h, central_difference(lambda w: w**3, 2.0, h))


# %% answer-dice
def dice(seed, throws):
    """Throws of a die, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 7, (throws,), generator=generator)


print(dice(0, 10))
print(dice(0, 10))

# %% answer-undisturbed
torch.manual_seed(1)
alone = torch.rand(2)
torch.manual_seed(1)
dice(0, 10)
after_dice = torch.rand(2)
print(alone, after_dice, sep="\n")


# %% answer-halves
def half(x):
    """One half of a number."""
    return x / 2


def quarter(x):
    """One quarter of a number."""
    return half(half(x))


quarter(8)

# %% answer-quarter-of-text
with raises(TypeError, "unsupported operand type(s) for /: 'str' and 'int'"):
    quarter("8")
