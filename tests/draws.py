"""What torch draws on a CPU, drawn again with NumPy.

Both have the Mersenne Twister of Matsumoto and Nishimura, seeded in the same way; the
steps from its 32-bit words to numbers are written out here. So a cell with random
numbers can be computed anew from its seed alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
TURN = 2 * np.pi


class Draws:
    """The stream that ``torch.manual_seed(seed)`` starts."""

    def __init__(self, seed: int) -> None:
        self.twister = np.random.RandomState(seed)

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next 32-bit words."""
        words = self.twister.randint(0, 2**32, size=count, dtype=np.uint32)
        return words.astype(np.uint64)

    def rand(self, count: int) -> Array:
        """Uniform float32 numbers: the low 24 bits of a word each."""
        return (self.words(count) % 2**24) / 2.0**24

    def rand64(self, count: int) -> Array:
        """Uniform float64 numbers: the low 53 bits of two words each."""
        high, low = self.words(2 * count).reshape(-1, 2).T
        return ((high % 2**21) * 2**32 + low) / 2.0**53

    def randint(self, count: int, low: int, high: int) -> NDArray[np.uint64]:
        """Whole numbers from ``low`` up to ``high``, exclusive."""
        return self.words(count) % (high - low) + low

    def randn(self, count: int) -> Array:
        """Normal float32 numbers, by the transformation of Box and Muller.

        Fewer than sixteen are made in pairs from float64 numbers, more of them in
        blocks of sixteen from float32 numbers; the last block may overlap.
        """
        if count < 16:
            u, v = self.rand64(count + count % 2).reshape(-1, 2).T
            radius = np.sqrt(-2 * np.log1p(-v))
            pairs = [radius * np.cos(TURN * u), radius * np.sin(TURN * u)]
            return np.stack(pairs, axis=1).ravel()[:count]
        uniform = self.rand(count)
        for start in range(0, count - 15, 16):
            uniform[start : start + 16] = _box_muller(uniform[start : start + 16])
        if count % 16:
            uniform[-16:] = _box_muller(self.rand(16))
        return uniform

    def linear(self, d: int, k: int, bias: bool = True) -> tuple[Array, Array]:
        """Weight (k, d) and bias (k) of a fresh ``nn.Linear(d, k)``."""
        return self._layer(self.rand, d, k, bias)

    def linear64(self, d: int, k: int) -> tuple[Array, Array]:
        """The same for ``dtype=torch.float64``."""
        return self._layer(self.rand64, d, k, True)

    @staticmethod
    def _layer(draw, d, k, bias):
        bound = 1 / np.sqrt(d)
        weight = (draw(d * k) * 2 * bound - bound).reshape(k, d)
        return weight, draw(k) * 2 * bound - bound if bias else np.zeros(k)


def _box_muller(uniform: Array) -> Array:
    u, v = uniform.reshape(2, 8)
    radius = np.sqrt(-2 * np.log(1 - u))
    return np.concatenate([radius * np.cos(TURN * v), radius * np.sin(TURN * v)])
