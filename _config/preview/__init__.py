"""See the book while it is written: ``nox -s preview``.

Saving a file shows the changed page in the browser. The steps, each with a module of
its own:

- ``watching``: which files count, and what a change of each asks for
- ``quick_build``: Sphinx kept in memory builds only what an edit touches
- ``worker``: the process that holds it, and that goes back when a build fails
- ``worker_process``: starting, asking and ending that process
- ``session``: from changes to builds to what the browsers are told
- ``server``: the pages, a script that reloads them, and the news over a WebSocket
"""
