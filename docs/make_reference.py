"""Writes docs/cli.md from the command tree; a test holds the two together.

python docs/make_reference.py
"""

from __future__ import annotations

from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from reelremix.cli.app import command_tree

TARGET = Path(__file__).with_name("cli.md")


def reference() -> str:
    """The whole reference as Markdown."""
    command = typer.main.get_command(command_tree())
    with typer.Context(command) as ctx:
        text = get_docs_for_click(obj=command, ctx=ctx, name="reelremix")
    return text.replace("\u00a0", " ").strip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
