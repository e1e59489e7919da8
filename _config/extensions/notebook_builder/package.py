"""What lies beside the notebooks so that they run where they are unpacked.

- ``snippets``: the parts of the package that cells import, and nothing else of it. The
  modules of the chapters hold the answers and stay at home
- ``requirements.txt``: the packages that cells and these parts import, pinned
- ``README.md``: how to begin
"""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

README = """\
# {title}

The book as notebooks, with the outputs of the book. Begin with `index.ipynb`.

```
python -m venv env
env/bin/pip install -r requirements.txt     # on Windows: env\\Scripts\\pip
env/bin/jupyter lab index.ipynb             # on Windows: env\\Scripts\\jupyter
```

On Linux, `pip` takes PyTorch with several GB for graphics cards, and the book needs
none of it. For the small build, run this before the second line:

```
env/bin/pip install {torch} --index-url {index}
```

A cell below an exercise is yours: put your code in the place of `...` and run it. It
calls a check, which works without a network. A cell that is broken on purpose ends in
an error; "Run All" goes on after it.
{facts}
"""
# PyTorch's own index of builds without CUDA.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# What opens a notebook; the application may be as new as it likes.
APPLICATION = "jupyterlab>=4"
ALWAYS = ("ipykernel",)


def imports(source: str) -> set[str]:
    """The modules that a piece of Python imports, with all their parts.

    >>> sorted(imports("import torch\\nfrom snippets.figures import plots"))
    ['snippets.figures', 'snippets.figures.plots', 'torch']
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def parts(sources: Iterable[str], folder: Path) -> list[Path]:
    """The files of the package ``snippets`` that cells need, support packages whole.

    Args:
        sources: the code of all cells.
        folder: the package.
    """
    names = {name for source in sources for name in imports(source)}
    packages = {
        name.split(".")[1]
        for name in names
        if name.startswith("snippets.") and (folder / name.split(".")[1]).is_dir()
    }
    kept = [folder / "__init__.py"] if packages else []
    for package in sorted(packages):
        kept += sorted((folder / package).rglob("*.py"))
    return kept


def requirements(sources: Iterable[str], constraints: str) -> str:
    """``requirements.txt`` for what these sources import, pinned as the book is built.

    Args:
        sources: Python code.
        constraints: lines such as ``torch==2.13.0``.

    Raises:
        KeyError: if a package is not among the constraints.
    """
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", constraints, re.M))
    names = {name.partition(".")[0] for source in sources for name in imports(source)}
    names -= set(sys.stdlib_module_names) | {"snippets"}
    lines = [f"{name}=={pinned[name]}" for name in sorted({*names, *ALWAYS})]
    return "\n".join([*lines, APPLICATION]) + "\n"


def copy_parts(files: Iterable[Path], folder: Path, target: Path) -> None:
    """Copy files of the package ``folder`` into ``target/snippets``."""
    for file in files:
        new = target / "snippets" / file.relative_to(folder)
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, new)
