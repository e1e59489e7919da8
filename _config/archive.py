"""A folder as a ZIP file, the same bytes for the same files."""

from __future__ import annotations

import zipfile
from pathlib import Path

DAY = (1980, 1, 1, 0, 0, 0)  # the first that the format knows


def pack(folder: Path, target: Path) -> None:
    """Write ``target``: it unpacks into one folder with the name that it has itself."""
    target.unlink(missing_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = Path(target.stem, file.relative_to(folder)).as_posix()
            entry = zipfile.ZipInfo(name, DAY)
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
