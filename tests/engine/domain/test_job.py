from __future__ import annotations

import itertools

import pytest

from reelremix.engine.domain.job import TRANSITIONS, JobState, advance
from reelremix.errors import JobError

PAIRS = list(itertools.product(JobState, JobState))


def test_every_state_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(JobState)


@pytest.mark.parametrize(("current", "wanted"), PAIRS)
def test_only_moves_in_the_table_are_allowed(current: JobState, wanted: JobState) -> None:
    if wanted in TRANSITIONS[current]:
        assert advance(current, wanted) is wanted
    else:
        with pytest.raises(JobError, match=f"a {current} job cannot become {wanted}"):
            advance(current, wanted)


def test_success_is_final_and_other_ends_can_be_tried_again() -> None:
    assert not TRANSITIONS[JobState.SUCCEEDED]
    for end in (JobState.FAILED, JobState.DEAD, JobState.CANCELLED):
        assert TRANSITIONS[end] == {JobState.QUEUED}


def test_no_state_moves_to_itself() -> None:
    assert not any(state in moves for state, moves in TRANSITIONS.items())
