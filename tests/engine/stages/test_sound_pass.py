from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelremix.engine.domain.context import CancelToken, RunContext
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import read_speech
from reelremix.engine.models.speech import Speech
from reelremix.engine.stages import sound_pass
from reelremix.engine.stages.sound_pass import EarFailed, SoundPass, moment
from reelremix.errors import Cancelled, ModelError
from tests.fakes import presented, run_context
from tests.media_factory import Sound, tone, write_media

RATE = 16_000
LENGTH_S = 12


@dataclass(frozen=True, slots=True)
class Learned:
    """How many samples lie between two places."""

    start: int
    end: int
    samples: int


class Counter:
    """`Ear` that keeps every sample and leaves the last second for the next part."""

    stage = "count"
    identity = "count/1"
    part_type = Learned

    def __init__(self, fails_at: int | None = None) -> None:
        self.sound: list[Speech] = []
        self.heard = 0
        self.learned: list[Learned] = []
        self._told = 0
        self._fails_at = fails_at

    def feed(self, start: Timestamp, sound: Speech) -> None:
        begin = round(start.exact * RATE)
        assert begin <= self.heard, "sound is missing"
        if self._fails_at is not None and begin >= self._fails_at:
            raise ModelError("the model broke")
        new = sound[self.heard - begin :]
        self.sound.append(new)
        self.heard += len(new)

    def take_part(self) -> Learned | None:
        end = self.heard - RATE
        if end <= self._told:
            return None
        part = Learned(self._told, end, end - self._told)
        self._told = end
        return part

    def add_part(self, part: Learned) -> None:
        self.learned.append(part)
        self.heard = self._told = part.end


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of a tone that rises."""
    pieces = tuple(
        (Fraction(n), tone(1, 200 + 50 * n, channels=1, rate_hz=RATE)) for n in range(12)
    )
    sound = Sound(pieces, rate_hz=RATE, layout="mono", codec="pcm_s16le")
    return write_media(tmp_path_factory.mktemp("media") / "a.mkv", None, sound)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sound is decoded four seconds at a time and handed on second by second."""
    monkeypatch.setattr(sound_pass, "PART_S", 4)
    monkeypatch.setattr(sound_pass, "SLICE_S", 1)


def over(recording: Path, *ears: Any, ctx: RunContext | None = None) -> SoundPass:
    return SoundPass(recording, presented(recording), ears, ctx or run_context())


def whole(recording: Path) -> Speech:
    ear = Counter()
    with over(recording, ear) as sound:
        sound.finish()
    return np.concatenate(ear.sound)


def seconds(start: float, end: float) -> TimeRange:
    return TimeRange.from_seconds(start, end)


def test_an_ear_hears_every_sample_once_and_in_order(recording: Path) -> None:
    heard = whole(recording)
    assert len(heard) == LENGTH_S * RATE
    assert np.abs(heard).reshape(LENGTH_S, -1).max(axis=1).min() > 0.05


@pytest.mark.parametrize(
    "windows",
    [
        pytest.param([(0, 6), (6, 12)], id="side by side"),
        pytest.param([(0, 6), (5, 12)], id="overlapping, as where a window's end is left"),
        pytest.param([(3, 6), (8, 10)], id="with gaps, as where windows are known already"),
        pytest.param([(0, 3)], id="only the beginning"),
    ],
)
def test_windows_and_what_they_leave_out_are_heard_alike(
    recording: Path, windows: list[tuple[int, int]]
) -> None:
    ear = Counter()
    with over(recording, ear) as sound:
        for span in windows:
            speech = sound.window(seconds(*span))
            assert len(speech) == (span[1] - span[0]) * RATE
        sound.finish()
    assert np.allclose(np.concatenate(ear.sound), whole(recording), atol=2 / 32768)
    assert sound.seconds["count"] > 0


def test_a_stopped_pass_goes_on_behind_what_was_learned(recording: Path) -> None:
    ctx = run_context()
    with over(recording, Counter(), ctx=ctx) as sound:
        sound.window(seconds(0, 5))
        sound.window(seconds(5, 6))
    again = Counter()
    with over(recording, again, ctx=ctx) as sound:
        assert again.learned[0] == Learned(0, 4 * RATE, 4 * RATE)
        known = again.learned[-1].end
        sound.finish()
    assert sum(map(len, again.sound)) == LENGTH_S * RATE - known


def test_what_another_kind_of_ear_learned_is_not_used(recording: Path) -> None:
    ctx = run_context()
    with over(recording, Counter(), ctx=ctx) as sound:
        sound.finish()
    other = Counter()
    other.identity = "count/2"
    with over(recording, other, ctx=ctx):
        assert other.heard == 0


def test_without_ears_windows_are_read_and_nothing_else(recording: Path) -> None:
    with over(recording) as sound:
        assert len(sound.window(seconds(2, 3))) == RATE
        sound.finish()
    assert sound.seconds == {}


def test_what_breaks_while_hearing_beside_is_told_at_the_next_look(recording: Path) -> None:
    sound = over(recording, Counter(fails_at=RATE))
    with sound, pytest.raises(EarFailed, match="the model broke"):
        sound.window(seconds(0, 3))
        sound.finish()


def test_a_pass_can_be_stopped(recording: Path) -> None:
    cancel = CancelToken()
    cancel.set()
    sound = over(recording, Counter(), ctx=run_context(cancel=cancel))
    with sound, pytest.raises(Cancelled):
        sound.finish()


def test_places_are_exact_to_the_sample() -> None:
    assert round(moment(1).exact * RATE * 1_000_000) == 1_000_000
    assert moment(16_000).seconds == 1.0


def test_what_was_missed_is_decoded_in_parts_and_once_for_all_ears(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def counted(path: Path, presentation: Any, span: TimeRange, cancel: Any) -> Any:
        asked.append(span.duration_s)
        return read_speech(path, presentation, span, cancel)

    monkeypatch.setattr(sound_pass, "read_speech", counted)
    one, other = Counter(), Counter()
    other.stage = "other"
    with over(recording, one, other) as sound:
        sound.window(seconds(11, 12))
        sound.finish()
    assert one.heard == other.heard == LENGTH_S * RATE
    assert max(asked) <= sound_pass.PART_S
    assert sum(asked) == pytest.approx(LENGTH_S)


def test_a_pass_that_fails_keeps_what_was_learned(recording: Path) -> None:
    ctx = run_context()
    with pytest.raises(RuntimeError), over(recording, Counter(), ctx=ctx) as sound:
        sound.window(seconds(0, 5))
        sound.window(seconds(5, 6))
        raise RuntimeError
    again = Counter()
    with over(recording, again, ctx=ctx):
        assert again.heard >= 4 * RATE
