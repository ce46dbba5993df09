from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.daemon.settling import Settling, Signature, is_being_written

FILE = Path("/drop/talk.mp4")
SETTLE_S = 5.0


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def names(settling: Settling) -> list[str]:
    return [path.name for path, _ in settling.settled(SETTLE_S)]


def test_a_file_waits_until_it_stayed_the_same_for_long_enough() -> None:
    clock = Clock()
    settling = Settling(clock)
    for size in (1, 2, 2):
        settling.saw({FILE: Signature(size, 7)})
        clock.now += 3
    assert names(settling) == ["talk.mp4"]
    settling.saw({FILE: Signature(3, 7)})
    assert names(settling) == []


def test_times_written_on_files_are_compared_with_no_clock() -> None:
    clock = Clock()
    settling = Settling(clock)
    for mtime_ns in (2**62, -(2**62)):  # in the year 2116, then long before there were files
        settling.saw({FILE: Signature(1, mtime_ns)})
        clock.now += SETTLE_S - 1
        assert names(settling) == []
    clock.now += 1
    assert names(settling) == ["talk.mp4"]


def test_the_oldest_comes_first_and_then_the_name_decides() -> None:
    clock = Clock()
    settling = Settling(clock)
    for name, mtime_ns in (("b", 2), ("c", 1), ("a", 2), ("\udcff", 2)):
        settling.saw({Path(name): Signature(9, mtime_ns)})
    clock.now += SETTLE_S
    assert names(settling) == ["c", "a", "b", "\udcff"]


def test_files_that_are_not_there_any_more_are_not_waited_for() -> None:
    settling = Settling(Clock())
    for name in "abc":
        settling.saw({Path(name): Signature(1, 1)})
    settling.keep({Path("a"), Path("b")})
    settling.forget(Path("b"))
    settling.forget(Path("never seen"))
    assert list(settling) == [Path("a")] and len(settling) == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.floats(0, 4)), min_size=1))
def test_nothing_settles_that_was_seen_to_change_lately(
    looks: list[tuple[int, int, float]],
) -> None:
    clock = Clock()
    settling = Settling(clock)
    changed_at, last = clock.now, None
    for size, mtime_ns, passes_s in looks:
        if (size, mtime_ns) != last:
            changed_at, last = clock.now, (size, mtime_ns)
        settling.saw({FILE: Signature(size, mtime_ns)})
        clock.now += passes_s
        assert bool(names(settling)) == (clock.now - changed_at >= SETTLE_S)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_a_file_that_somebody_has_open_for_writing_is_still_being_written(tmp_path: Path) -> None:
    file = tmp_path / "talk.mp4"
    file.write_bytes(b"whole")
    assert not is_being_written(file)
    with file.open("ab"):
        assert is_being_written(file)
    with file.open("rb"):
        assert not is_being_written(file)
