"""What every `SourceAccess` promises; a new one joins by a line in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reelremix.engine.domain.context import SourceAccess
from reelremix.engine.store.memory import MemoryCatalogue, MemorySourceAccess
from reelremix.engine.store.sources import LocalSourceAccess, identify_file
from reelremix.errors import UnreadableMedia

CONTENT = b"a film"


def on_disk(folder: Path) -> SourceAccess:
    path, catalogue = folder / "a.mp4", MemoryCatalogue()
    path.write_bytes(CONTENT)
    catalogue.remember_file(identify_file(path), "known")
    return LocalSourceAccess(catalogue)


def in_memory(_: Path) -> SourceAccess:
    access = MemorySourceAccess()
    access.hold("known", CONTENT)
    return access


KINDS: list[Callable[[Path], SourceAccess]] = [on_disk, in_memory]


@pytest.fixture(params=KINDS)
def access(request: pytest.FixtureRequest, tmp_path: Path) -> SourceAccess:
    """One that holds a source named `known`."""
    opened: SourceAccess = request.param(tmp_path)
    return opened


def test_a_known_source_can_be_read_while_it_is_open(access: SourceAccess) -> None:
    with access.open("known") as path:
        assert path.read_bytes() == CONTENT


def test_it_can_be_opened_again_and_twice_at_once(access: SourceAccess) -> None:
    with access.open("known") as first, access.open("known") as second:
        assert first.read_bytes() == second.read_bytes() == CONTENT
    with access.open("known") as again:
        assert again.read_bytes() == CONTENT


def test_an_unknown_source_is_an_error(access: SourceAccess) -> None:
    with pytest.raises(UnreadableMedia), access.open("unknown"):
        pass


def test_an_error_inside_comes_out_as_it_is(access: SourceAccess) -> None:
    with pytest.raises(KeyError), access.open("known"):
        raise KeyError


def test_bytes_in_memory_are_a_file_only_while_they_are_open() -> None:
    with in_memory(Path()).open("known") as path:
        assert path.is_file()
    assert not path.exists()
