"""Every byte of a built book, in each form in which text can be hidden in it.

``leaks(folder, ["secret"])`` names the files that hold a word: as it stands, in UTF-16,
escaped (HTML, JSON, URL), in base64, compressed (gzip, zlib, ZIP, the streams and
strings of a PDF, the glyphs of its text), or in a file's name. Case does not matter.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import re
import urllib.parse
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

import ahocorasick
import pikepdf

from tests import pdf

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")


def leaks(folder: Path, words: Collection[str]) -> list[str]:
    """``file: word`` for each file below a folder, or one file, that holds a word."""
    search = ahocorasick.Automaton()
    for word in words:
        search.add_word(word.lower(), word)
    search.make_automaton()
    paths = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    found = set()
    for path in paths:
        parts = [str(path.relative_to(folder)).encode()]
        if path.is_file():
            parts += contents(path.read_bytes())
            if path.suffix == ".pdf":
                parts.append(pdf.text(path).encode())
        text = "\n".join(form for part in parts for form in forms(part)).lower()
        found |= {f"{path.name}: {word}" for _, word in search.iter(text)}
    return sorted(found)


def contents(data: bytes) -> Iterator[bytes]:
    """Bytes, and all that is packed inside."""
    yield data
    if data.startswith(b"\x1f\x8b"):
        yield from contents(gzip.decompress(data))
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from contents(packed.read(name))
    if data.startswith(b"%PDF"):
        yield from in_pdf(data)
    if data.startswith(b"# Sphinx inventory"):
        yield zlib.decompress(data.split(b"\n", 4)[4])
    for match in BASE64.finditer(data):
        letters = match[0].replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
        padded = letters + b"=" * (-len(letters) % 4)
        try:
            decoded = base64.b64decode(padded)
        except binascii.Error:
            continue
        yield decoded
        # What is packed is recognised by how it begins.
        if decoded.startswith((b"\x1f\x8b", b"PK\x03\x04", b"%PDF")):
            yield from contents(decoded)


def in_pdf(data: bytes) -> Iterator[bytes]:
    """The strings, names and unpacked streams of a PDF."""
    with pikepdf.open(io.BytesIO(data)) as document:
        for thing in document.objects:
            yield from in_object(thing)


def in_object(thing: object) -> Iterator[bytes]:
    """What a direct object of a PDF holds; others are listed by themselves."""
    if isinstance(thing, pikepdf.Stream):
        filters = str(thing.stream_dict.get("/Filter", ""))
        yield thing.read_raw_bytes() if "DCT" in filters else thing.read_bytes()
        yield from in_object(thing.stream_dict)
    elif isinstance(thing, pikepdf.Dictionary):
        for key, value in thing.items():
            yield key.encode()
            if not getattr(value, "is_indirect", False):
                yield from in_object(value)
    elif isinstance(thing, pikepdf.Array):
        for value in thing:
            if not getattr(value, "is_indirect", False):
                yield from in_object(value)
    elif isinstance(thing, pikepdf.String):
        yield bytes(thing)
        yield str(thing).encode()
    elif isinstance(thing, pikepdf.Name):
        yield str(thing).encode()


def forms(data: bytes) -> Iterator[str]:
    """The texts that bytes can be read as."""
    text = data.decode("utf-8", "replace")
    yield text
    if b"\0" in data:
        for start in (0, 1):
            yield data[start:].decode("utf-16-le", "replace")
    if "&" in text:
        yield html.unescape(text)
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "\\" in text:
        yield ESCAPED.sub(lambda m: chr(int(m[1] or m[2], 16)), text)
    if "\u00ad" in text or "\u200b" in text:
        yield re.sub("[\u00ad\u200b]", "", text)
    if "<" in text:
        yield html.unescape(re.sub(r"<[^<>]*>", "", text))
