"""Writes docs/cli.md from the command tree, and docs/api/openapi.json from the daemon's API; tests
hold them together.

python docs/make_reference.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from reelremix.cli.app import command_tree

TARGET = Path(__file__).with_name("cli.md")
API = Path(__file__).parent / "api" / "openapi.json"


def reference() -> str:
    """The whole reference as Markdown."""
    command = typer.main.get_command(command_tree())
    with typer.Context(command) as ctx:
        text = get_docs_for_click(obj=command, ctx=ctx, name="reelremix")
    return text.replace("\u00a0", " ").strip() + "\n"


def description() -> dict[str, Any]:
    """What the daemon can be asked, as OpenAPI."""
    from reelremix.config import Settings
    from reelremix.daemon.app import create_app
    from reelremix.daemon.gpu import NoGpus
    from reelremix.daemon.service import Daemon

    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(Settings(data_dir=folder), NoGpus())
        try:
            return create_app(daemon, "", lambda: None).openapi()
        finally:
            daemon.close()


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    API.parent.mkdir(exist_ok=True)
    API.write_text(json.dumps(description(), indent=1) + "\n", encoding="utf-8")
