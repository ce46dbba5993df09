from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from reelremix.engine.domain.context import Catalogue
from reelremix.engine.domain.edit import Begin, Decide, Edit, Status
from reelremix.engine.edit_log import EditLog
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.errors import EditConflict

KEEP = Decide("one", Status.KEPT)


def kept_in(catalogue: Catalogue) -> Callable[[Sequence[Edit]], None]:
    """Writes edits to a library."""
    return lambda edits: catalogue.append_edits("m", edits)


def test_a_batch_is_written_at_its_end() -> None:
    catalogue = MemoryCatalogue()
    log = EditLog("m", catalogue)
    with log.batch(kept_in(catalogue)):
        log.append(Begin(), {}, above=0)
        log.append(KEEP, {}, above=6)
        assert (log.number, log.is_empty, log.is_open) == (7, False, True)
        assert list(catalogue.edits("m")) == []
    assert [edit.number for edit in catalogue.edits("m")] == [1, 7]
    assert EditLog("m", catalogue).standing == log.standing


def test_nothing_of_a_batch_is_left_where_something_goes_wrong() -> None:
    catalogue = MemoryCatalogue()
    log = EditLog("m", catalogue)
    with pytest.raises(ZeroDivisionError), log.batch(kept_in(catalogue)):
        log.append(Begin(), {}, above=0)
        raise ZeroDivisionError
    assert log.is_empty and not log.is_open and list(catalogue.edits("m")) == []


def test_who_comes_second_takes_over_what_the_first_did() -> None:
    catalogue = MemoryCatalogue()
    log = EditLog("m", catalogue)
    theirs = [Edit(1, 1.0, Begin(), {}), Edit(2, 2.0, KEEP, {})]
    with pytest.raises(EditConflict), log.batch(kept_in(catalogue)):
        log.append(Begin(), {}, above=0)
        catalogue.append_edits("m", theirs)
    assert log.is_empty
    assert log.take_news() and log.edits == theirs
    assert not log.take_news()
    assert all(log.is_theirs(step) for step in log.standing.done)
