"""``python -m preview``: serve the book and show each edit in the browser."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import webbrowser
from pathlib import Path

import uvicorn

from preview.server import application
from preview.session import Session
from preview.watching import Places

ROOT = Path(__file__).resolve().parents[2]
# This machine alone: a preview is not for a network.
HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="preview", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--open", action="store_true", help="open a browser")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the project")
    parser.add_argument("--config", type=Path, help="folder of conf.py")
    options = parser.parse_args(arguments)
    if not hasattr(os, "fork"):
        parser.error("the preview needs a system that can fork: Linux, macOS or WSL")
    root = options.root.resolve()
    config = (options.config or root / "_config").resolve()
    places = Places(root, root / "book", config)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, options.port))
        except OSError as error:
            parser.error(f"port {options.port}: {error.strerror}; choose another")
        listener.listen()  # who reads the address may use it
        address = f"http://{HOST}:{listener.getsockname()[1]}/"
        say(f"preview at {address} (Ctrl-C ends it)")
        if options.open:
            webbrowser.open(address)
        server = uvicorn.Server(
            uvicorn.Config(
                application(Session(places, root / "build", say)),
                log_level="warning",
                timeout_graceful_shutdown=2,
                lifespan="on",
            )
        )
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            say("preview ended")
    return 0


def say(line: str) -> None:
    """Tell whoever has started the preview."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
