"""Run one probe of a misconception and print what it gave, as JSON.

This module runs inside a kernel (``probes`` starts it) and imports no more than it
needs there:

>>> report("snippets.misconceptions.tensors", "n_one")
{"believed": "0", "found": "156", "problem": ""}
"""

from __future__ import annotations

import importlib
import json

from cell_values import in_prose


def report(module: str, function: str) -> None:
    """Print both values as they read in a sentence, or why there are none."""
    answer = {"believed": "", "found": "", "problem": ""}
    try:
        probe = getattr(importlib.import_module(module), function)()
        answer["believed"] = in_prose(probe.believed)
        answer["found"] = in_prose(probe.found)
    except Exception as error:
        first, *_ = str(error).splitlines() or [""]
        what = f"{type(error).__name__}: {first}" if first else type(error).__name__
        answer["problem"] = f"failed with {what}; correct it, or drop the belief"
    print(json.dumps(answer))
