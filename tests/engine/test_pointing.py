from __future__ import annotations

import pytest

from reelremix.engine.domain.edit import Trim
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.pointing import Edge, Unit, faces_during, moved, phrase_in, show
from reelremix.engine.stages.cuts import Spoken
from reelremix.errors import ConfigError
from tests.engine.reviewed import SPOKEN, TRACKS, clip_of

CLIP = clip_of(1, 10, 30, captions=False)
FIRST = SPOKEN.first_from(hull_of(CLIP.ranges).start)
LAST = SPOKEN.first_from(hull_of(CLIP.ranges).end) - 1


@pytest.mark.parametrize("by", [-3, -1, 1, 2])
def test_an_end_moves_by_words(by: int) -> None:
    start = moved(CLIP, Edge.START, Unit.WORD, by, SPOKEN)
    assert start == Trim(CLIP.id, SPOKEN.before(FIRST + by).seconds, hull_of(CLIP.ranges).end_s)
    end = moved(CLIP, Edge.END, Unit.WORD, by, SPOKEN)
    assert end == Trim(CLIP.id, hull_of(CLIP.ranges).start_s, SPOKEN.after(LAST + by).seconds)


def test_an_end_moves_by_sentences_to_where_one_begins_or_ends() -> None:
    back = moved(CLIP, Edge.START, Unit.SENTENCE, -1, SPOKEN)
    assert SPOKEN.words[SPOKEN.first_from(TimeRange.from_seconds(back.start_s, 99).start)].text == (
        "The"
    )
    on = moved(CLIP, Edge.END, Unit.SENTENCE, 1, SPOKEN)
    last = SPOKEN.first_from(TimeRange.from_seconds(on.end_s, 999).start) - 1
    assert SPOKEN.words[last].text.endswith(".") and last > LAST


def test_the_first_and_the_last_word_are_as_far_as_it_goes() -> None:
    assert moved(CLIP, Edge.START, Unit.WORD, -999, SPOKEN).start_s == SPOKEN.before(0).seconds
    far = moved(CLIP, Edge.END, Unit.SENTENCE, 999, SPOKEN).end_s
    assert far == SPOKEN.after(len(SPOKEN.words) - 1).seconds


def test_where_nothing_is_said_no_end_moves_by_words() -> None:
    silent = Spoken((), SPOKEN.snap, SPOKEN.end)
    with pytest.raises(ConfigError, match="nothing is known to be said"):
        moved(CLIP, Edge.START, Unit.WORD, 1, silent)


def test_a_phrase_is_found_whatever_its_case_and_punctuation() -> None:
    first, last = phrase_in(CLIP.words, "four PARTS, and")
    assert [w.text for w in CLIP.words[first : last + 1]] == ["four", "parts", "and"]


@pytest.mark.parametrize(
    "phrase, told",
    [("the", "is said"), ("unheard of", "not said in this clip"), ("...", "has no words")],
)
def test_a_phrase_that_means_no_one_place_is_refused(phrase: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        phrase_in(CLIP.words, phrase)


def test_faces_are_told_from_left_to_right_and_followed_where_they_are() -> None:
    span = TimeRange.from_seconds(12, 20)
    seen = faces_during(span, TRACKS[::-1])
    assert [track.id for track in seen] == [0, 1]
    follow = show(CLIP, seen[1], span)
    assert (follow.x, follow.y, follow.start_s, follow.end_s) == (945.0, 260.0, 12.0, 20.0)
    assert faces_during(TimeRange.from_seconds(60, 70), TRACKS) == []
