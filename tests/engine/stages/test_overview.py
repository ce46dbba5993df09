from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.candidate import Axis, Candidate, Score
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.stages.overview import STEPS, overview


def candidate(start_s: float, end_s: float, total: float | None, value: float = 0.0) -> Candidate:
    score = Score(total, dict.fromkeys(Axis), (), value)
    return Candidate(TimeRange.from_seconds(start_s, end_s), "words", 0, 0, score)


def test_each_step_shows_the_best_candidate_there() -> None:
    listed = [candidate(0, 30, 20), candidate(10, 20, 70), candidate(40, 50, 30)]
    found = overview(listed, (), (), 60)
    assert found.step_s == 1.0
    assert [found.score[s] for s in (5, 15, 25, 35, 45, 55)] == [20, 70, 20, None, 30, None]


def test_without_chances_ranks_in_the_source_are_shown() -> None:
    listed = [candidate(0, 10, None, -1), candidate(20, 30, None, 1)]
    found = overview(listed, (), (), 30)
    assert found.score[5] == pytest.approx(25) and found.score[25] == pytest.approx(75)


def test_silence_is_left_out_and_laughter_kept() -> None:
    events = [SoundEvent(kind, TimeRange.from_seconds(1, 2)) for kind in ("silence", "laughter")]
    assert [e.kind for e in overview([], (), events, 10).events] == ["laughter"]


def test_what_is_said_to_be_heard_behind_the_end_is_not() -> None:
    events = [SoundEvent("applause", TimeRange.from_seconds(*span)) for span in ((5, 99), (50, 60))]
    [heard] = overview([], (), events, 10).events
    assert heard.range.end_s == 10


def test_a_source_without_candidates_has_no_curve() -> None:
    assert overview([], (), (), 100).score == ()


@given(st.floats(0.5, 60_000), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_a_curve_is_never_longer_than_can_be_seen(
    end_s: float, parts: list[tuple[float, float]]
) -> None:
    listed = [candidate(min(a, b) * end_s, max(a, b) * end_s + 1e-3, 50.0) for a, b in parts]
    found = overview(listed, (), (), end_s)
    assert len(found.score) <= STEPS + 1
    assert all(value is None or value == 50.0 for value in found.score)
