"""The MathML of each formula, put into the PDF as an associated file.

A reader that knows it can speak or explore the formula itself; any other speaks the
alternative text.

Nothing but the alternative text leads from a formula in the PDF back to its MathML. Two
formulas may be spoken alike; then invisible marks tell their texts apart until
``attach`` takes them out.

>>> formulas = Formulas()
>>> formulas.alternative("x", "<math><mi>x</mi></math>")
'x'
>>> formulas.alternative("x", '<math display="block"><mi>x</mi></math>')
'x\u2063'
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

MARK = "\N{INVISIBLE SEPARATOR}"


class Formulas:
    """The formulas of a book, by their alternative texts."""

    def __init__(self) -> None:
        self.mathml: dict[str, str] = {}

    def alternative(self, said: str, mathml: str) -> str:
        """The alternative text of a formula, another one for each MathML."""
        while self.mathml.setdefault(said, mathml) != mathml:
            said += MARK
        return said


def attach(pdf: bytes, formulas: Formulas) -> bytes:
    """The same PDF, in which each formula has its MathML.

    Args:
        pdf: a tagged PDF, whose formulas have the alternative texts of ``formulas``.
        formulas: the MathML of each alternative text.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        files: dict[str, pikepdf.Object] = {}
        for formula in _formulas(document):
            said = str(formula.get("/Alt", ""))
            if said not in formulas.mathml:
                continue
            if said not in files:
                files[said] = _file(document, formulas.mathml[said])
            formula.AF = Array([files[said]])
            if said.endswith(MARK):
                formula.Alt = said.rstrip(MARK)
        result = io.BytesIO()
        document.save(
            result,
            # Packed together, the tags take a third of their size.
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            # The identifier is that of the content, so the same book is the same bytes.
            deterministic_id=True,
        )
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
