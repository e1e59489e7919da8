"""How long the book takes to build, beside plain peers: ``nox -s bench``.

A measurement is a module with a function ``measure(work, pairs)`` that returns a
``timing.Series`` for each thing it compares; ``__main__`` names the modules. What is
compared are runs that follow each other, so that what else the machine does falls on
both.
"""
