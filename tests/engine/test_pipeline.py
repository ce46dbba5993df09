from __future__ import annotations

import os
import threading
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.events import Waiting
from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.pipeline import alone_on, prepared, reopened
from reelremix.engine.planning import clip_id, words_within
from reelremix.engine.stages.selfcheck import speaker_in_frame
from reelremix.engine.store.sources import identify_file
from reelremix.errors import Cancelled, UnreadableMedia
from tests.fakes import Recorder, run_context, spoken
from tests.media_factory import plain_film

SPAN = TimeRange.from_seconds(0, 10)


def test_words_belong_to_the_range_that_holds_most_of_them() -> None:
    words = tuple(Word(str(n), TimeRange.from_seconds(n, n + 1)) for n in range(4))
    transcript = Transcript("en", None, (Segment(SPAN, "", words),))
    inside = words_within(transcript, TimeRange.from_seconds(0.6, 2.6))
    assert [word.text for word in inside] == ["1", "2"]


@given(st.floats(0, 15), st.floats(0, 15))
def test_no_word_belongs_to_two_neighbouring_ranges(start: float, length: float) -> None:
    transcript = spoken("one two three four.", "five six seven eight.", "nine ten.")
    middle = TimeRange.from_seconds(start, start + length)
    after = TimeRange.from_seconds(start + length, start + length + 20)
    texts = [w.text for span in (middle, after) for w in words_within(transcript, span)]
    assert len(texts) == len(set(texts))


def test_ids_are_twelve_digits_that_depend_on_source_and_ranges() -> None:
    spans = (SPAN, TimeRange.from_seconds(20, 30))
    ids = {clip_id("a", spans), clip_id("b", spans), clip_id("a", spans[:1]),
           clip_id("a", spans[::-1])}  # fmt: skip
    assert len(ids) == 4 and all(len(name) == 12 for name in ids)
    same = TimeRange(Timestamp(0, Fraction(1, 25)), Timestamp(250, Fraction(1, 25)))
    assert clip_id("a", (same,)) == clip_id("a", (SPAN,))


def seen_at(*xs: float) -> Track:
    """A face at these places, one a second."""
    return Track(0, 0, tuple(Sighting(Timestamp.from_seconds(n + 0.5), Box(x, 0, 100, 100), 0.9)
                             for n, x in enumerate(xs)))  # fmt: skip


def test_a_speaker_counts_as_shown_where_most_of_the_face_is_in_a_region() -> None:
    region = Region((0, 0, 180, 320), (Keyframe(SPAN.start, Box(0, 0, 400, 720)),), 0)
    piece = LayoutPiece(SPAN, LayoutKind.SINGLE, (region,))
    layout = Layout((piece,), (Speaking(SPAN, 0, None, 1.0),))
    assert speaker_in_frame(layout, [seen_at(0, 100, 310, 350, 900)]) == 0.6
    assert speaker_in_frame(layout, [seen_at(0)]) == 1.0


def test_only_the_time_somebody_speaks_counts() -> None:
    region = Region((0, 0, 180, 320), (Keyframe(SPAN.start, Box(0, 0, 400, 720)),), 0)
    piece = LayoutPiece(SPAN, LayoutKind.SINGLE, (region,))
    early = Speaking(TimeRange.from_seconds(0, 2), 0, None, 1.0)
    late = Speaking(TimeRange.from_seconds(2, 10), None, None, 0.0)
    assert speaker_in_frame(Layout((piece,), (early, late)), [seen_at(0, 0, 900, 900)]) == 1.0


def test_nobody_speaking_is_unknown_and_not_zero() -> None:
    region = Region((0, 0, 180, 320), (Keyframe(SPAN.start, Box(0, 0, 400, 720)),))
    piece = LayoutPiece(SPAN, LayoutKind.FIT, (region,))
    layout = Layout((piece,), (Speaking(SPAN, None, None, 0.0),))
    assert speaker_in_frame(layout, []) is None


def test_a_recording_that_was_only_touched_is_recognised(tmp_path: Path) -> None:
    ctx = run_context()
    film = plain_film(tmp_path / "talk.mp4", size=(64, 36))
    with prepared(str(film), None, ctx) as subject:
        known = subject.source
    os.utime(film, (1, 1))
    with reopened(known.id, None, ctx) as subject:
        assert subject.path == film
    assert ctx.catalogue.recall_file(identify_file(film)) == known.id


def test_another_recording_in_its_place_is_told_apart(tmp_path: Path) -> None:
    ctx = run_context()
    film = plain_film(tmp_path / "talk.mp4", size=(64, 36))
    with prepared(str(film), None, ctx) as subject:
        known = subject.source
    content = bytearray(film.read_bytes())
    content[-1] ^= 1
    film.write_bytes(content)
    with pytest.raises(UnreadableMedia, match="is another file now"):
        reopened(known.id, None, ctx).__enter__()


def test_a_second_run_waits_for_the_first_and_says_so_once(tmp_path: Path) -> None:
    first, second = (run_context(lock_dir=tmp_path / "locks") for _ in range(2))
    entered = threading.Event()

    def wait() -> None:
        with alone_on("source", second):
            entered.set()

    with alone_on("source", first):
        thread = threading.Thread(target=wait)
        thread.start()
        assert not entered.wait(0.4)
    thread.join(5)
    assert entered.is_set() and isinstance(second.reporter, Recorder)
    assert second.reporter.events == [Waiting("another run is working on this source")]


def test_other_sources_and_owners_do_not_wait(tmp_path: Path) -> None:
    locks = tmp_path / "locks"
    ada, bob = run_context(lock_dir=locks, owner="ada"), run_context(lock_dir=locks, owner="bob")
    with alone_on("a", ada), alone_on("b", ada), alone_on("a", bob):
        assert isinstance(bob.reporter, Recorder) and bob.reporter.events == []


def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    first, second = (run_context(lock_dir=tmp_path) for _ in range(2))
    second.cancel.set()
    with alone_on("source", first), pytest.raises(Cancelled), alone_on("source", second):
        pass
