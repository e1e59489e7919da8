"""``python _config/live``: build what is missing, serve the live book, open it.

Options are Jupyter's, and those of ``LiveBook``: ``--LiveBook.site=build/class`` serves
another edition, ``--ServerApp.port=9000`` elsewhere; ``--help-all`` lists them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# In place of this folder, whose modules are imported as a package.
sys.path[0] = str(HERE.parent)

from live import ROOT, bundle  # noqa: E402
from live.app import main  # noqa: E402

if __name__ == "__main__":
    if not any("help" in argument for argument in sys.argv[1:]):
        if bundle.main():
            sys.exit(1)
        chosen = any(option.startswith("--LiveBook.site") for option in sys.argv)
        if not chosen and not (ROOT / "build" / "html" / "index.html").is_file():
            build = [sys.executable, str(HERE.parent / "build_book.py")]
            if subprocess.run(build, check=False).returncode:
                sys.exit(1)
    main()
