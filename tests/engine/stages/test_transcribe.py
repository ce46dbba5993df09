from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.stages import transcribe as stage
from reelremix.engine.stages.sound_pass import SoundPass
from reelremix.engine.stages.transcribe import transcribe, transcript_key
from reelremix.errors import Cancelled
from tests.fakes import FakeTranscriber, Recorder, presented, run_context
from tests.media_factory import Sound, tone, write_media

RATE = 16_000


@pytest.fixture(autouse=True)
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of ten seconds."""
    monkeypatch.setattr(stage, "WINDOW_S", 10)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-five seconds of sound with silence from 8 to 9 and from 16 to 17."""
    spans = ((0, 8), (9, 16), (17, 25))
    pieces = tuple((Fraction(a), tone(b - a, channels=1, rate_hz=RATE)) for a, b in spans)
    sound = Sound(pieces, rate_hz=RATE, layout="mono", codec="pcm_s16le")
    return write_media(tmp_path_factory.mktemp("media") / "a.mkv", None, sound)


def heard(recording: Path, transcriber: FakeTranscriber, **more: Any) -> Transcript:
    ctx = more.pop("ctx", None) or run_context()
    options = TranscribeOptions(**more)
    presentation = presented(recording)
    with SoundPass(recording, presentation, (), ctx) as sound:
        return transcribe(sound, presentation, options, transcriber, ctx)


def test_windows_end_in_silence_and_words_keep_their_places(recording: Path) -> None:
    transcriber = FakeTranscriber()
    words = heard(recording, transcriber).words
    assert [seconds for seconds, _ in transcriber.asked] == pytest.approx([8.5, 8, 8.5], abs=0.5)
    assert all(w.range.start < w.range.end for w in words)
    assert all(a.range.start <= b.range.start for a, b in itertools.pairwise(words))
    assert words[-1].range.end_s > 24


def test_no_sound_is_lost_or_heard_twice_between_windows(recording: Path) -> None:
    transcriber = FakeTranscriber()
    heard(recording, transcriber)
    assert sum(seconds for seconds, _ in transcriber.asked) == pytest.approx(25, abs=0.001)


def test_a_stopped_run_goes_on_and_ends_with_the_same_transcript(recording: Path) -> None:
    ctx = run_context()

    class Stops(FakeTranscriber):
        def transcribe(self, *arguments: Any, **more: Any) -> Any:
            if self.asked:
                ctx.cancel.set()
            return super().transcribe(*arguments, **more)

    with pytest.raises(Cancelled):
        heard(recording, Stops(), ctx=ctx)
    resumed = FakeTranscriber()
    again = run_context(artifacts=ctx.artifacts)
    assert heard(recording, resumed, ctx=again) == heard(recording, FakeTranscriber())
    assert len(resumed.asked) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"language": "de"},
        {"initial_prompt": "Hm."},
        {"vocabulary": ("Ada",)},
        {"beam_size": 1},
        {"batch_size": 1},
    ],
)
def test_windows_made_with_other_options_are_not_used(
    recording: Path, changed: dict[str, Any]
) -> None:
    ctx, transcriber = run_context(), FakeTranscriber()
    heard(recording, transcriber, ctx=ctx)
    heard(recording, transcriber, ctx=ctx, **changed)
    assert len(transcriber.asked) == 6


def test_another_model_has_another_key(recording: Path) -> None:
    ctx, presentation = run_context(), presented(recording)
    keys = {transcript_key(ctx, presentation, TranscribeOptions(), name) for name in ("a", "b")}
    assert len(keys) == 2


def test_the_device_wanted_does_not_change_the_key(recording: Path) -> None:
    ctx, presentation = run_context(), presented(recording)
    options = (TranscribeOptions(), TranscribeOptions(device="cpu"))
    assert len({transcript_key(ctx, presentation, o, "a") for o in options}) == 1


def test_an_uncertain_language_is_told_with_what_to_type(recording: Path) -> None:
    ctx = run_context()
    transcript = heard(recording, FakeTranscriber("nn", 0.3), ctx=ctx)
    assert isinstance(ctx.reporter, Recorder)
    [warned] = [e for e in ctx.reporter.events if e.type == "warning"]
    assert "nn with probability 0.30" in warned.message  # type: ignore[union-attr]
    assert transcript.language_probability == pytest.approx(0.3)


def test_a_given_language_is_certain_and_asked_for(recording: Path) -> None:
    transcriber = FakeTranscriber("en", 0.1)
    transcript = heard(recording, transcriber, language="de")
    assert {language for _, language in transcriber.asked} == {"de"}
    assert (transcript.language, transcript.language_probability) == ("de", 1.0)


def test_a_doubtful_window_is_heard_again_in_the_language_of_those_before(recording: Path) -> None:
    class Wavers(FakeTranscriber):
        def transcribe(self, *arguments: Any, **more: Any) -> Any:
            if len(self.asked) == 1:
                self.language, self.probability = "cy", 0.2
            return super().transcribe(*arguments, **more)

    transcriber = Wavers()
    transcript = heard(recording, transcriber)
    assert [language for _, language in transcriber.asked][:3] == [None, None, "en"]
    assert transcript.language == "en"


def test_silence_gives_no_segments_and_no_language(tmp_path: Path) -> None:
    wave = tone(3, level=0.0, channels=1, rate_hz=RATE)
    sound = Sound(((Fraction(0), wave),), rate_hz=RATE, layout="mono", codec="pcm_s16le")
    transcript = heard(write_media(tmp_path / "a.mkv", None, sound), FakeTranscriber())
    assert transcript.segments == ()
    assert (transcript.language, transcript.language_probability) == (None, None)


def test_progress_rises_to_the_length_of_the_recording(recording: Path) -> None:
    ctx = run_context()
    heard(recording, FakeTranscriber(), ctx=ctx)
    assert isinstance(ctx.reporter, Recorder)
    told = [e for e in ctx.reporter.events if isinstance(e, StageProgress)]
    assert [e.done for e in told] == sorted(e.done for e in told)
    assert told[-1].done == told[-1].total == pytest.approx(25)


def test_words_lie_inside_their_segments(recording: Path) -> None:
    for segment in heard(recording, FakeTranscriber()).segments:
        assert all(inside(word.range, segment.range) for word in segment.words)


def inside(inner: TimeRange, outer: TimeRange) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
