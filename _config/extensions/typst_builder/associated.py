"""The MathML of each formula, put into the PDF as an associated file.

A reader that knows it can speak or explore the formula itself; any other speaks the
alternative text.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream


def attach(pdf: bytes, mathml: dict[str, str]) -> bytes:
    """The same PDF, in which each formula has its MathML.

    Args:
        pdf: a tagged PDF, whose formulas have alternative texts.
        mathml: the MathML of each alternative text.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        files: dict[str, pikepdf.Object] = {}
        for formula in _formulas(document):
            said = str(formula.get("/Alt", ""))
            if said not in mathml:
                continue
            if said not in files:
                files[said] = _file(document, mathml[said])
            formula.AF = Array([files[said]])
        result = io.BytesIO()
        # The identifier is that of the content, so the same book is the same bytes.
        document.save(result, static_id=False, deterministic_id=True)
    return result.getvalue()


def _formulas(document: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """The structure elements of the formulas."""
    waiting = [document.Root.StructTreeRoot]
    while waiting:
        element = waiting.pop()
        if isinstance(element, pikepdf.Array):
            waiting += list(element)
        elif isinstance(element, pikepdf.Dictionary):
            if element.get("/S") == Name.Formula:
                yield element
            elif "/K" in element:
                waiting.append(element.K)


def _file(document: pikepdf.Pdf, mathml: str) -> pikepdf.Object:
    xml = mathml.replace("<math", '<math xmlns="http://www.w3.org/1998/Math/MathML"', 1)
    name = f"formula-{hashlib.sha256(xml.encode()).hexdigest()[:12]}.xml"
    stream = Stream(document, xml.encode())
    stream.Type = Name.EmbeddedFile
    stream.Subtype = Name("/application/mathml+xml")
    embedded = document.make_indirect(stream)
    specification = Dictionary(
        Type=Name.Filespec,
        F=name,
        UF=name,
        AFRelationship=Name.Supplement,
        EF=Dictionary(F=embedded, UF=embedded),
        Desc="The formula as MathML",
    )
    return document.make_indirect(specification)
