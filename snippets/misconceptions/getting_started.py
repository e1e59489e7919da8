"""Probes of the misconceptions in the chapter on getting started."""

import torch

from snippets.misconceptions import Probe, misconception


@misconception
def cell_order() -> Probe:
    """`total` after two cells have run, the first one first or the second one first."""
    cells = {"first": "total = total + 5", "second": "total = 2 * total"}

    def run(order: list[str]) -> int:
        notebook = {"total": 10}
        for name in order:
            exec(cells[name], notebook)
        return notebook["total"]

    return Probe(
        believed=run(["first", "second"]),
        found=run(["second", "first"]),
    )


@misconception
def seed() -> Probe:
    """The first two of 15, and of 16, normal numbers after `manual_seed(0)`."""
    torch.manual_seed(0)
    fifteen = torch.randn(15)
    torch.manual_seed(0)
    sixteen = torch.randn(16)
    return Probe(believed=fifteen[:2], found=sixteen[:2])
