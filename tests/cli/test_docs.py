"""The documentation says what the command tree says."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from reelremix.cli.app import app
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"


def commands(tree: Any, name: str = "reelremix") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its whole name."""
    inside = getattr(tree, "commands", None)
    if inside is None:
        yield name, tree
        return
    for part, command in inside.items():
        yield from commands(command, f"{name} {part}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_reference_is_the_command_tree_written_down() -> None:
    reference = runpy.run_path(str(DOCS / "make_reference.py"))["reference"]()
    assert reference == (DOCS / "cli.md").read_text(encoding="utf-8"), "run `make docs`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_its_place_in_the_reference(name: str) -> None:
    headings = (DOCS / "cli.md").read_text(encoding="utf-8").splitlines()
    assert f"## `{name}`" in headings or f"### `{name}`" in headings
    assert COMMANDS[name].help


INTERACTIVE = {"reelremix review"}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - INTERACTIVE))
def test_every_command_has_an_answer_for_programs(name: str) -> None:
    assert any("--json" in option.opts for option in COMMANDS[name].params)
