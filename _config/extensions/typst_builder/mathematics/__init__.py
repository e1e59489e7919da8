"""Formulas: from the MathML of the pages to Typst's mathematics and to English.

- ``markup``: MathML as code of Typst
- ``speech``: MathML as a sentence, which a screen reader speaks

Both read the one tree that ``mathml.convert`` makes for the web pages, so that page,
PDF and speech agree. Nothing in this package knows of Sphinx.
"""
