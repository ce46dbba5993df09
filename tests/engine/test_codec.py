from __future__ import annotations

import json
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.codec import (
    from_bytes,
    from_plain,
    from_plain_exactly,
    to_bytes,
    to_plain,
)
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.request import ClipRequest, RenderRequest, SelectOptions
from reelremix.engine.domain.source import Presentation, Source
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from tests.engine.examples import CLIP, PRESENTATION, SOURCE, TRACK, TRANSCRIPT

WHOLES = [
    (SOURCE, Source),
    (PRESENTATION, Presentation),
    (TRANSCRIPT, Transcript),
    (CLIP, Clip),
    (TRACK, Track),
    (ClipRequest("talk.mp4", select=SelectOptions(ranges=(TimeRange.from_seconds(1, 2),))),
     ClipRequest),
    (RenderRequest("clips.json", ("c1",), crf=18, fps="30000/1001"), RenderRequest),
]  # fmt: skip
WORDS = st.builds(
    Word,
    st.text(),
    st.builds(
        TimeRange,
        st.builds(Timestamp, st.integers(), st.just(Fraction(1, 90_000))),
        st.builds(Timestamp, st.integers()),
    ),
    st.none() | st.floats(0, 1),
    st.none() | st.text(),
)


@pytest.mark.parametrize(("value", "kind"), WHOLES, ids=lambda v: getattr(v, "__name__", ""))
def test_what_is_stored_comes_back_equal(value: object, kind: type[object]) -> None:
    assert from_bytes(to_bytes(value), kind) == value


@given(st.lists(WORDS, max_size=4))
def test_any_text_and_time_comes_back_equal(words: list[Word]) -> None:
    span = TimeRange.from_seconds(0, 1)
    transcript = Transcript(None, None, (Segment(span, "", tuple(words)),))
    assert from_bytes(to_bytes(transcript), Transcript) == transcript


def test_times_keep_their_time_base() -> None:
    stamp = Timestamp(1001, Fraction(1, 30_000))
    assert from_plain(to_plain(stamp), Timestamp).time_base == Fraction(1, 30_000)


def test_the_same_value_always_gives_the_same_bytes() -> None:
    assert to_bytes({"b": 1, "a": (2, Fraction(1, 3))}) == b'{"a":[2,"1/3"],"b":1}'


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"id": 3}', b"\xff\xfe"])
def test_what_is_damaged_or_foreign_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(content, Source)


def test_a_rate_of_nothing_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a OutputFormat"):
        from_plain({"width_px": 1, "height_px": 1, "frame_rate": "1/0"}, OutputFormat)


@pytest.mark.parametrize(("whole", "kind"), WHOLES[-2:])
def test_a_request_that_is_written_is_exactly_what_is_read(
    whole: object, kind: type[object]
) -> None:
    assert from_plain_exactly(json.loads(to_bytes(whole)), kind, "it") == whole


@pytest.mark.parametrize(("change", "said"), [
    ({"source": None}, "it.source must be text"),
    ({"select": {"min_s": "1"}}, "it.select.min_s must be a number"),
    ({"select": {"counts": 1}}, "it.select has no 'counts'; did you mean 'count'?"),
    ({"select": {"ranges": [{"start": [1.0, "1/9"], "end": [2, "1/9"]}]}}, "ranges[0].start must"),
    ({"select": {"ranges": [{"start": [1, "1e9"], "end": [2, "1/9"]}]}}, "ranges[0].start must be"),
    ({"tighten": "strongly"}, "it.tighten must be one of off, light, strong"),
])  # fmt: skip
def test_what_is_not_exactly_of_its_kind_is_refused_with_its_place(
    change: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        from_plain_exactly({"source": "/talk.mp4"} | change, ClipRequest, "it")
