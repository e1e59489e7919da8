"""Random inputs of the equations' settings, drawn by Hypothesis."""

import hypothesis
import torch
from hypothesis import strategies as st
from torch import Tensor

# Eighths are exact in binary; zeros, equal numbers and opposite ones occur among them.
NUMBERS = st.integers(-24, 24).map(lambda n: n / 8)
POSITIVE = st.integers(1, 24).map(lambda n: n / 8)


class HypothesisDraw:
    """A draw that Hypothesis shrinks; see ``snippets.checks.Draw``."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def integer(self, low: int, high: int) -> int:
        return self.data.draw(st.integers(low, high))

    def size(self, low: int = 2, high: int = 4) -> int:
        return self.integer(low, high)

    def _tensor(self, shape: tuple[int, ...], numbers: st.SearchStrategy) -> Tensor:
        count = torch.Size(shape).numel()
        drawn = self.data.draw(st.lists(numbers, min_size=count, max_size=count))
        return torch.tensor(drawn, dtype=torch.float64).reshape(shape)

    def normal(self, *shape: int) -> Tensor:
        return self._tensor(shape, NUMBERS).requires_grad_()

    def positive(self, *shape: int) -> Tensor:
        return self._tensor(shape, POSITIVE).requires_grad_()

    def signs(self, n: int) -> Tensor:
        return self._tensor((n,), st.sampled_from([-1.0, 1.0]))

    def distribution(self, k: int) -> Tensor:
        weights = self._tensor((k,), POSITIVE)
        return weights / weights.sum()

    def require(self, condition: object) -> None:
        hypothesis.assume(bool(condition))
