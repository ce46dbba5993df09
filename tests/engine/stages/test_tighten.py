"""Cuts inside a stretch whose every sound and word is known."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import SoundEvent, Word
from reelremix.engine.stages.quiet import Loudness, measure
from reelremix.engine.stages.tighten import (
    MOST_REMOVED,
    SHORTEST_KEPT_S,
    Stretch,
    Tight,
    tighten,
)

FRAME = Fraction(1, 25)
RATE = 16_000
Timed = tuple[str, float, float]


def on_frame(moment: Timestamp) -> Timestamp:
    return Timestamp(round(moment.exact / FRAME), FRAME)


def heard(words: list[Timed], length_s: float, noise: float = 1e-4) -> Loudness:
    """A hum in the place of every word, and a little noise throughout."""
    t = np.arange(round(length_s * RATE)) / RATE
    sound = np.random.default_rng(0).normal(size=len(t)) * noise
    for _, start, end in words:
        sound += ((t >= start) & (t < end)) * 0.1 * np.sin(2 * np.pi * 200 * t)
    return measure(sound.astype(np.float32), 0.0)


def stretch(
    *words: Timed, length_s: float, loud: list[Timed] | None = None, **more: Any
) -> Stretch:
    span = TimeRange.from_seconds(0, length_s)
    spoken = tuple(Word(text, TimeRange.from_seconds(a, b)) for text, a, b in words)
    sound = heard([*words] if loud is None else loud, length_s)
    known: dict[str, Any] = {"events": (), "language": "en"} | more
    return Stretch(span, spoken, sound, **known)


def spans(tight: Tight) -> list[tuple[float, float]]:
    return [(r.start_s, r.end_s) for r in tight.ranges]


def texts(tight: Tight) -> list[str]:
    return [word.text for word in tight.words]


SENTENCE = [("We", 0.1, 0.5), ("um", 0.8, 1.1), ("went", 1.4, 1.8), ("home.", 1.9, 2.4)]


def test_a_filler_goes_with_the_pauses_around_it() -> None:
    tight = tighten(stretch(*SENTENCE, length_s=2.5), Tighten.LIGHT, on_frame)
    assert texts(tight) == ["We", "went", "home."]
    (first, second) = spans(tight)
    assert 0.5 < first[1] < 0.8 and 1.1 < second[0] < 1.4
    assert tight.tightened is not None
    [cut] = tight.tightened.removed
    assert (cut.reason, cut.text) == ("filler", "um")
    assert tight.tightened.removed_s == pytest.approx(second[0] - first[1])


def test_word_times_stay_those_of_the_source() -> None:
    tight = tighten(stretch(*SENTENCE, length_s=2.5), Tighten.LIGHT, on_frame)
    assert [w.range.start_s for w in tight.words] == [0.1, 1.4, 1.9]


def test_cuts_lie_on_frames() -> None:
    tight = tighten(stretch(*SENTENCE, length_s=2.5), Tighten.STRONG, on_frame)
    inner = [m for r in tight.ranges for m in (r.start, r.end)][1:-1]
    assert all((moment.exact / FRAME).denominator == 1 for moment in inner)


def test_a_long_silence_is_shortened_to_a_breath() -> None:
    words = [("Done.", 0.1, 1.0), ("Next.", 3.0, 5.9)]
    light = tighten(stretch(*words, length_s=6), Tighten.LIGHT, on_frame)
    strong = tighten(stretch(*words, length_s=6), Tighten.STRONG, on_frame)
    for tight, left_s in ((light, 0.35), (strong, 0.2)):
        assert tight.tightened is not None
        assert tight.tightened.removed_s == pytest.approx(2.0 - left_s, abs=0.06)
        assert [cut.reason for cut in tight.tightened.removed] == ["silence"]


@pytest.mark.parametrize(("pause_s", "cuts"), [(0.4, 0), (0.8, 0), (1.0, 1)])
def test_light_leaves_ordinary_pauses(pause_s: float, cuts: int) -> None:
    words = [("One", 0.1, 1.0), ("two", 1.0 + pause_s, 2.0 + pause_s)]
    tight = tighten(stretch(*words, length_s=2.1 + pause_s), Tighten.LIGHT, on_frame)
    assert len(tight.ranges) == cuts + 1


@pytest.mark.parametrize("kind", ["laughter", "applause", "music", "cheering"])
def test_laughter_applause_and_music_are_not_silence(kind: str) -> None:
    words = [("Done.", 0.1, 1.0), ("Next.", 3.0, 4.0)]
    event = SoundEvent(kind, TimeRange.from_seconds(1.5, 2.5))
    known = stretch(*words, length_s=4.1, events=(event,))
    assert tighten(known, Tighten.STRONG, on_frame).ranges == (known.span,)


def test_what_is_loud_between_words_is_not_silence() -> None:
    words = [("Done.", 0.1, 1.0), ("Next.", 3.0, 4.0)]
    known = stretch(*words, length_s=4.1, loud=[*words, ("", 1.2, 2.9)])
    assert tighten(known, Tighten.STRONG, on_frame).ranges == (known.span,)


def test_a_word_in_a_silence_is_kept_however_quiet_it_is() -> None:
    words = [("Done.", 0.1, 1.0), ("psst", 2.0, 2.2), ("Next.", 3.2, 4.0)]
    known = stretch(*words, length_s=4.1, loud=[words[0], words[2]])
    tight = tighten(known, Tighten.STRONG, on_frame)
    assert len(tight.ranges) == 3
    assert any(a <= 2.0 and b >= 2.2 for a, b in spans(tight))


def test_a_filler_that_runs_into_its_neighbours_stays() -> None:
    words = [("We", 0.1, 0.5), ("um", 0.5, 0.8), ("went", 0.8, 1.4)]
    known = stretch(*words, length_s=1.5)
    tight = tighten(known, Tighten.LIGHT, on_frame)
    assert tight.ranges == (known.span,) and "um" in texts(tight)


def test_no_two_cuts_lie_closer_than_a_word_needs() -> None:
    words = [("So", 0.1, 0.5), ("um", 0.7, 1.0), ("I", 1.1, 1.2), ("uh", 1.3, 1.6),
             ("went", 1.8, 2.4)]  # fmt: skip
    tight = tighten(stretch(*words, length_s=2.5), Tighten.LIGHT, on_frame)
    assert "I" in texts(tight)
    assert all(b - a >= SHORTEST_KEPT_S - 0.05 for a, b in spans(tight))


def test_never_more_than_the_allowed_share_goes() -> None:
    words = [(f"w{n}", 5.0 * n, 5.0 * n + 0.4) for n in range(6)]
    known = stretch(*words, length_s=30)
    tight = tighten(known, Tighten.STRONG, on_frame)
    assert tight.tightened is not None
    assert 0 < tight.tightened.removed_s <= MOST_REMOVED * 30 + 0.1


def test_a_clip_that_opens_with_a_filler_begins_after_it() -> None:
    words = [("Um,", 0.2, 0.5), ("we", 0.8, 1.2), ("won.", 1.3, 1.8)]
    tight = tighten(stretch(*words, length_s=1.9), Tighten.LIGHT, on_frame)
    assert len(tight.ranges) == 1 and 0.5 < tight.ranges[0].start_s < 0.8
    assert texts(tight) == ["We", "won."]


def test_what_is_left_reads_like_a_sentence() -> None:
    words = [("And,", 0.1, 0.5), ("um,", 0.8, 1.1), ("in", 1.4, 1.6), ("Rome,", 1.7, 2.1),
             ("uh,", 2.4, 2.7), ("we", 3.0, 3.2), ("won.", 3.3, 3.7)]  # fmt: skip
    tight = tighten(stretch(*words, length_s=3.8), Tighten.LIGHT, on_frame)
    assert " ".join(texts(tight)) == "And in Rome, we won."


@pytest.mark.parametrize(
    "words",
    [[], [("um", 0.5, 0.8)], [("um", 0.2, 0.5), ("uh", 0.8, 1.1)],
     [("a", 0.2, 0.9), ("um", 0.5, 0.6), ("b", 0.4, 1.2)],
     [("out", -2.0, -1.0), ("um", 0.5, 0.7), ("of", 9.0, 9.5)]],
)  # fmt: skip
def test_odd_words_leave_something_to_see(words: list[Timed]) -> None:
    for level in (Tighten.LIGHT, Tighten.STRONG):
        tight = tighten(stretch(*words, length_s=2.0), level, on_frame)
        assert sum(r.duration_s for r in tight.ranges) >= (1 - MOST_REMOVED) * 2.0 - 0.1
        assert all(r.start < r.end for r in tight.ranges)


def test_silence_alone_keeps_most_of_itself() -> None:
    known = Stretch(TimeRange.from_seconds(0, 5), (), heard([], 5.0, noise=0.0))
    kept = sum(r.duration_s for r in tighten(known, Tighten.STRONG, on_frame).ranges)
    assert kept >= 3.0


@given(
    st.lists(st.tuples(st.floats(0, 8), st.floats(0.05, 0.6), st.sampled_from(
        ["um", "I", "not", "you", "know,", "went,", "uh", "like,", "seven"])), max_size=12),
    st.sampled_from([Tighten.LIGHT, Tighten.STRONG]),
)  # fmt: skip
def test_ranges_words_and_cuts_always_agree(
    rough: list[tuple[float, float, str]], level: Tighten
) -> None:
    words = sorted((text, at, at + length) for at, length, text in rough)
    known = stretch(*sorted(words, key=lambda w: w[1]), length_s=9.0)
    tight = tighten(known, level, on_frame)
    assert tight.tightened is not None
    whole = sum(r.duration_s for r in tight.ranges) + tight.tightened.removed_s
    assert whole == pytest.approx(9.0, abs=1e-4)
    assert all(a.end < b.start for a, b in zip(tight.ranges, tight.ranges[1:], strict=False))
    kept, all_words = texts(tight), [w.text for w in known.words]
    for precious in ("not", "seven"):
        said = [t.lower() for t in kept].count(precious)
        assert said == [t.lower() for t in all_words].count(precious)
