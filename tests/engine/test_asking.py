from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.asking import perform
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import Decide, Retitle, Status
from reelremix.engine.domain.request import EditRequest
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.reviewing import Review
from reelremix.errors import ConfigError, EditConflict
from tests.engine.reviewed import reviewed
from tests.fakes import run_context


@pytest.fixture
def ctx() -> RunContext:
    """A run in memory."""
    return run_context()


@pytest.fixture
def review(tmp_path: Path, ctx: RunContext) -> Review:
    """Three clips of a talk."""
    return Review(reviewed(tmp_path, ctx), ctx)


def ask(review: Review, clip: str | None = "1", **wishes: Any) -> list[str]:
    """Ask, and say which operations were done."""
    request = EditRequest(str(review.path), clip, **wishes)
    return [happened.operation.op for happened in perform(request, review)]


def test_wishes_are_done_in_order(review: Review) -> None:
    before = review.clips[0]
    done = ask(
        review, correct=(("appendix", "annex"),), start="+1w", end="-1s", cut=("four parts",),
        title="Another", layout=LayoutChoice.FIT, captions="clean", status="kept",
    )  # fmt: skip
    assert done == ["correct", "trim", "cut", "retitle", "layout", "captions", "decide"]
    clip = review.clips[0]
    assert clip.words[0] == before.words[1] and "four" not in clip.text
    assert (clip.title, clip.status, clip.framing.wanted) == ("Another", "kept", "fit")


def test_all_or_nothing(review: Review) -> None:
    before = review.clips
    with pytest.raises(ConfigError, match="not said"):
        ask(review, title="Another", status="kept", cut=("nobody says this",))
    assert review.clips == before


def test_what_fails_takes_nothing_back_that_somebody_else_did(review: Review) -> None:
    ask(review, "2", status="kept")
    ask(review, title="Another", status="kept")
    done = review.standing
    for wishes in ({"undo": 1}, {"undo": 2, "redo": 3}, {"undo": 1, "title": "Once more"}):
        with pytest.raises(ConfigError):
            ask(review, **wishes, cut=("nobody says this",))
        assert review.standing == done
    assert [c.status for c in review.clips] == ["kept", "kept", None]


def test_all_that_is_asked_goes_behind_what_somebody_else_does_meanwhile(
    review: Review, ctx: RunContext
) -> None:
    other = Review(review.path, ctx)
    other.do(Decide(other.clips[1].id, Status.KEPT))
    assert ask(review, title="Ours", status="dropped") == ["retitle", "decide"]
    assert [c.status for c in review.clips] == ["dropped", "kept", None]
    other.refresh()
    other.do(Retitle(other.clips[0].id, "Theirs"))
    with pytest.raises(EditConflict, match="was changed meanwhile by somebody else"):
        ask(review, title="Ours again", layout=LayoutChoice.FIT)
    assert (review.clips[0].title, review.clips[0].framing.wanted) == ("Theirs", "auto")


def test_what_somebody_else_did_meanwhile_is_not_undone(review: Review, ctx: RunContext) -> None:
    ask(review, status="kept")
    other = Review(review.path, ctx)
    other.do(Decide(other.clips[1].id, Status.KEPT))
    with pytest.raises(EditConflict, match="somebody else did something meanwhile"):
        ask(review, None, undo=1)
    assert [c.status for c in review.clips] == ["kept", "kept", None]


def test_a_clip_may_be_moved_to_quite_another_place(review: Review) -> None:
    ask(review, start="130", end="145")
    [span] = review.clips[0].ranges
    assert (span.start_s, span.end_s) == pytest.approx((130, 145), abs=0.6)
    assert review.clips[0].words and review.clips[0].layout.pieces[0].range == span


def test_a_clip_is_named_by_rank_or_id(review: Review) -> None:
    ask(review, review.clips[1].id, status="kept")
    ask(review, "3", status="dropped")
    assert [c.status for c in review.clips] == [None, "kept", "dropped"]
    with pytest.raises(ConfigError, match="has no clip '9'; it has: 1"):
        ask(review, "9", status="kept")


def test_undo_and_redo_need_no_clip(review: Review) -> None:
    ask(review, status="kept", title="Another")
    assert ask(review, None, undo=2) == ["decide", "retitle"]
    assert ask(review, None, redo=1) == ["retitle"]
    assert (review.clips[0].title, review.clips[0].status) == ("Another", None)


def test_more_than_was_done_cannot_be_undone(review: Review) -> None:
    ask(review, status="kept", title="Another")
    with pytest.raises(ConfigError, match="only 2 operations can be undone"):
        ask(review, None, undo=3)
    assert review.clips[0].title == "Another"


def test_hashtags_can_be_taken_away(review: Review) -> None:
    assert ask(review, hashtags=()) == ["retitle"]
    assert review.clips[0].hashtags == ()


def test_a_new_clip_a_split_and_a_merge(review: Review) -> None:
    ask(review, None, new=(TimeRange.from_seconds(130, 145),))
    ask(review, "1", split="The 13th table")
    before = review.clips
    ask(review, "1", merge=before[-1].id)
    [(rank, ranges), *others] = [(clip.rank, len(clip.ranges)) for clip in review.clips]
    assert (len(before), len(others)) == (5, 3)
    assert (rank, ranges) == (1, 1)


def test_somebody_is_shown_by_the_number_of_a_track(review: Review) -> None:
    ask(review, show=((TimeRange.from_seconds(12, 20), "1"),))
    assert [p.x for p in review.clips[0].framing.pins] == [945.0]
    with pytest.raises(ConfigError, match=r"'S9' is not seen .*; there is: 0 \(unknown\)"):
        ask(review, show=((TimeRange.from_seconds(12, 20), "S9"),))


@pytest.mark.parametrize(
    "wishes, told",
    [
        ({}, "nothing is asked for"),
        ({"start": "soon"}, "--start must look like"),
        ({"end": "500"}, "the recording ends at 200.00 s"),
        ({"new": (TimeRange.from_seconds(190, 210),)}, "the recording ends at 200.00 s"),
        ({"start": "40"}, "would begin at 40.00 s and end at 29.20 s"),
        ({"clip": None, "title": "x"}, "which clip is meant"),
        ({"split": "not there at all"}, "not said"),
    ],
)
def test_what_is_not_clear_is_asked_back(review: Review, wishes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        ask(review, **{"clip": "1", **wishes})
