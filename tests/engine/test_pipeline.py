from __future__ import annotations

import threading
from dataclasses import replace
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
from reelremix.engine.domain.request import Aspect, ClipRequest, EncodeOptions, FrameOptions
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.pipeline import (
    alone_on,
    clip_id,
    encode_options,
    options_of,
    output_format,
    speaker_in_frame,
    words_within,
)
from reelremix.errors import Cancelled, ConfigError
from tests.fakes import LANDSCAPE_720, Recorder, run_context, spoken

SPAN = TimeRange.from_seconds(0, 10)


def rate(wanted: str, source: str = "25", *, variable: bool = False) -> Fraction:
    picture = replace(LANDSCAPE_720, frame_rate=Fraction(source), is_variable_rate=variable)
    return output_format(FrameOptions(), EncodeOptions(fps=wanted), picture).frame_rate


@pytest.mark.parametrize("source", ["24000/1001", "25", "30000/1001", "60", "12"])
def test_a_constant_rate_is_kept(source: str) -> None:
    assert rate("source", source) == Fraction(source)


def test_a_very_high_rate_is_lowered() -> None:
    assert rate("source", "240") == 60


@pytest.mark.parametrize(("mean", "common"), [("2997/100", "30000/1001"), ("241/10", "24"),
                                              ("48", "50")])  # fmt: skip
def test_a_variable_rate_becomes_the_nearest_common_one(mean: str, common: str) -> None:
    assert rate("source", mean, variable=True) == Fraction(common)


def test_a_rate_may_be_asked_for() -> None:
    assert rate("23.976") == Fraction(2997, 125)
    assert rate("30000/1001") == Fraction(30000, 1001)


@pytest.mark.parametrize("wanted", ["", "fast", "0", "-5", "1/0", "121", "nan"])
def test_a_rate_that_is_none_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigError, match="--fps must be"):
        rate(wanted)


@pytest.mark.parametrize("aspect", Aspect)
def test_every_shape_has_even_sides_of_its_ratio(aspect: Aspect) -> None:
    output = output_format(FrameOptions(aspect), EncodeOptions(), LANDSCAPE_720)
    across, down = map(int, aspect.value.split(":"))
    assert output.width_px * down == output.height_px * across
    assert output.width_px % 2 == output.height_px % 2 == 0


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


def test_nobody_speaking_is_unknown_and_not_zero() -> None:
    region = Region((0, 0, 180, 320), (Keyframe(SPAN.start, Box(0, 0, 400, 720)),))
    piece = LayoutPiece(SPAN, LayoutKind.FIT, (region,))
    layout = Layout((piece,), (Speaking(SPAN, None, None, 0.0),))
    assert speaker_in_frame(layout, []) is None


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


def test_a_transcript_counts_by_its_content(tmp_path: Path) -> None:
    def listed(content: str) -> dict[str, object]:
        (tmp_path / "words.json").write_text(content)
        options = ClipRequest("a.mp4").transcribe
        given = replace(options, transcript=str(tmp_path / "words.json"))
        return options_of(ClipRequest("a.mp4", transcribe=given))

    first, second = listed("{}"), listed("[]")
    assert first["transcript"] == second["transcript"] == "words.json"
    assert first["transcript_sha256"] != second["transcript_sha256"]


def test_encoding_options_survive_the_manifest() -> None:
    encode = EncodeOptions("libx264", "slow", 18, "25", 3)
    assert encode_options(options_of(ClipRequest("a.mp4", encode=encode))) == encode
    assert encode_options({}) == EncodeOptions()
