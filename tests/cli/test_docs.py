"""The documentation says what the command tree says."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from reelremix.cli.app import COMMANDS as COMMAND_PLACES
from reelremix.cli.app import command_tree
from reelremix.config import describe_settings
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


COMMANDS = dict(commands(typer.main.get_command(command_tree())))


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


def test_the_list_of_commands_says_of_each_what_it_does() -> None:
    trees: list[Any] = [
        typer.main.get_command(command_tree(is_list=is_list)) for is_list in (False, True)
    ]
    whole, listed = ({name: own.help for name, own in t.commands.items()} for t in trees)
    assert listed == whole


def test_a_command_is_the_same_alone_and_in_the_tree() -> None:
    for name in COMMAND_PLACES:
        alone = dict(commands(typer.main.get_command(command_tree([name]))))
        assert alone and {path: COMMANDS[path].help for path in alone} == {
            path: own.help for path, own in alone.items()
        }


DAEMON = ("daemon_", "jobs_", "worker_", "crash_", "artifact_", "executor", "stores")


@pytest.mark.parametrize("name", [s for s in describe_settings() if s.startswith(DAEMON)])
def test_every_setting_of_the_daemon_is_described(name: str) -> None:
    rows = (DOCS / "daemon.md").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith(f"| `{name}` |") for row in rows)


def test_every_schema_of_the_daemon_is_named_where_it_is_described() -> None:
    text = (DOCS / "daemon.md").read_text(encoding="utf-8")
    for name in ("jobs", "stats", "daemon", "watches", "webhook"):
        assert f"docs/schemas/{name}.v1.schema.json" in text
