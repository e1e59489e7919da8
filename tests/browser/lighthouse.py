"""Lighthouse's verdict on a page, as on a phone with a slow connection."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from mathml.install import node_executable
from tests.browser.pages import ROOT

CLI = ROOT / "build/browser/node_modules/lighthouse/cli/index.js"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-component-update"


def report(url: str, chromium: str, folder: Path) -> dict[str, Any]:
    """The JSON report on a page.

    Raises:
        CalledProcessError: Lighthouse is not installed, or came to no verdict.
    """
    output = folder / "lighthouse.json"
    subprocess.run(
        [
            *(str(node_executable()), str(CLI), url, "--quiet"),
            *("--output=json", f"--output-path={output}"),
            *(f"--chrome-flags={FLAGS}", "--no-enable-error-reporting"),
        ],
        env=os.environ | {"CHROME_PATH": chromium},
        check=True,
        timeout=120,
    )
    result: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return result


def lost(result: dict[str, Any], category: str) -> list[str]:
    """What cost points in a category."""
    audits = result["audits"]
    return [
        f"{reference['id']}: {audits[reference['id']].get('displayValue', '')}"
        for reference in result["categories"][category]["auditRefs"]
        if reference["weight"] and audits[reference["id"]]["score"] not in (None, 1)
    ]
