"""The search for leaks finds a word in each form in which it is hidden."""

from __future__ import annotations

import base64
import gzip
import io
import json
import urllib.parse
import zipfile
import zlib
from pathlib import Path

import pikepdf
import pytest

from tests.leaks import leaks

WORD = "zanahoria"


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.txt", data)
    return file.getvalue()


def pdf(where: str) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    if where == "string":
        document.Root.Note = pikepdf.String(WORD)
    elif where == "utf-16":
        document.Root.Note = pikepdf.Array([pikepdf.String(f"∇{WORD}")])
    elif where == "name":
        document.Root.Note = pikepdf.Name(f"/{WORD}")
    elif where == "stream":
        document.Root.Note = document.make_stream(f"text {WORD}".encode())
    elif where == "attachment":
        document.attachments["a.txt"] = pikepdf.AttachedFileSpec(
            document, WORD.encode(), filename="a.txt"
        )
    file = io.BytesIO()
    document.save(
        file,
        compress_streams=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return file.getvalue()


HIDDEN: dict[str, bytes] = {
    "plain": f"x {WORD.upper()} y".encode(),
    "utf-16": f"∇{WORD}".encode("utf-16"),
    "utf-16 at an odd place": b"x" + WORD.encode("utf-16-le"),
    "html": "".join(f"&#{ord(letter)};" for letter in WORD).encode(),
    "url": b"".join(f"%{ord(c):02x}".encode() for c in WORD),
    "json": "".join(f"\\u{ord(c):04x}" for c in WORD).encode(),
    "tags": f"<b>{WORD[:4]}</b><i>{WORD[4:]}</i>".encode(),
    "soft hyphens": "\u00ad".join(WORD).encode(),
    "base64": b"data:;base64," + base64.b64encode(f"it is {WORD}".encode()),
    "base64 of a zip": base64.b64encode(zipped(WORD.encode())),
    "base64 for urls": base64.urlsafe_b64encode(f"ÿ¿ÿ¿{WORD}".encode()),
    "gzip": gzip.compress(WORD.encode()),
    "zip": zipped(WORD.encode()),
    "zip in a zip": zipped(zipped(WORD.encode())),
    "inventory": b"# Sphinx inventory version 2\na\nb\nc\n"
    + zlib.compress(WORD.encode()),
    **{f"pdf {place}": pdf(place) for place in
       ("string", "utf-16", "name", "stream", "attachment")},
}  # fmt: skip


@pytest.mark.parametrize("form", HIDDEN)
def test_a_word_is_found(tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_bytes(HIDDEN[form])
    assert leaks(tmp_path, [WORD, "other"]) == [f"file: {WORD}"]


def test_a_word_in_the_name_of_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / WORD).mkdir()
    (tmp_path / WORD / "a").write_bytes(b"")
    assert leaks(tmp_path, [WORD]) == [f"a: {WORD}", f"{WORD}: {WORD}"]


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    files = {"a.pdf": pdf(""), "b": zipped(b"text"), "c": json.dumps({"a": 1}).encode()}
    files["d"] = urllib.parse.quote("50 % zana horia").encode()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert leaks(tmp_path, [WORD]) == []
