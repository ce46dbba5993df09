from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reelremix.engine import hearing
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, Warned
from reelremix.engine.domain.request import TranscribeOptions, check_speakers
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import SoundEvent, Transcript
from reelremix.engine.export.transcript import format_transcript
from reelremix.engine.hearing import UNHEARD, UNNAMED, Heard, hear
from reelremix.engine.models.speech import Span, Speech
from reelremix.engine.models.whisper import ModelChoice
from reelremix.engine.stages import diarize, transcribe
from reelremix.errors import ConfigError, ModelError, ModelNotInstalled, SourceError
from tests.fakes import (
    FakeTranscriber,
    LoudSounds,
    Recorder,
    Unkept,
    presented,
    run_context,
    spoken,
)
from tests.media_factory import Sound, tone, write_media
from tests.talkers import RATE, HumEmbedder


class AllModels(Unkept):
    """`ModelProvider` of a machine where everything is installed."""

    def folder(self, name: str) -> Path:
        """Nothing is read from it."""
        return Path(name)


class Hums(HumEmbedder):
    """`HumEmbedder` that needs no weights."""

    asked_of_all: ClassVar[list[int]] = []

    def __init__(self, _: Path) -> None:
        super().__init__(asked=self.asked_of_all)


class Claps(LoudSounds):
    """`SoundClassifier` that takes every tone for applause."""

    def __init__(self, _: Path) -> None:
        super().__init__(limit=0.01)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A low voice, silence, a high voice."""
    pieces = ((Fraction(0), tone(8, 200, channels=1, rate_hz=RATE)),
              (Fraction(9), tone(6, 400, channels=1, rate_hz=RATE)))  # fmt: skip
    sound = Sound(pieces, rate_hz=RATE, layout="mono", codec="pcm_s16le")
    return write_media(tmp_path_factory.mktemp("media") / "a.mkv", None, sound)


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> FakeTranscriber:
    """A recogniser, a classifier and an embedder without weights; windows of ten seconds."""
    transcriber = FakeTranscriber()
    choice = ModelChoice(transcriber, "fake", None)
    monkeypatch.setattr(hearing, "choose_whisper", lambda *_: choice)
    monkeypatch.setattr(hearing, "Yamnet", Claps)
    monkeypatch.setattr(hearing, "CamPlusPlus", Hums)
    monkeypatch.setattr(transcribe, "WINDOW_S", 10)
    monkeypatch.setattr(diarize, "_spoken", loud_spans)
    return transcriber


def loud_spans(sound: Speech) -> list[Span]:
    """Everything but the silence between the voices."""
    spans: list[Span] = []
    for second in range(len(sound) // RATE):
        if abs(sound[second * RATE : (second + 1) * RATE]).max() > 0.01:
            spans.append({"start": second * RATE, "end": (second + 1) * RATE})
    return spans


def heard(recording: Path, ctx: RunContext | None = None, **more: Any) -> Heard:
    presentation = presented(recording)
    subject = Subject(recording, presentation)
    with_sounds, ranges = more.pop("with_sounds", True), more.pop("ranges", ())
    ctx = ctx or run_context(models=AllModels())
    return hear(subject, TranscribeOptions(**more), ctx, with_sounds=with_sounds, ranges=ranges)


def speakers(transcript: Transcript) -> list[str | None]:
    return list(dict.fromkeys(word.speaker for word in transcript.words))


def given(path: Path, transcript: Transcript) -> str:
    path.write_text(format_transcript(transcript, "json"), encoding="utf-8")
    return str(path)


def test_words_have_speakers_and_the_transcript_what_else_was_heard(recording: Path) -> None:
    found = heard(recording)
    assert speakers(found.transcript) == ["S1", "S2"]
    assert found.track is not None
    assert {event.kind for event in found.transcript.events} == {"applause"}
    assert found.transcript.events == found.track.events


def test_nothing_is_heard_twice(recording: Path, fakes: FakeTranscriber) -> None:
    ctx = run_context(models=AllModels())
    first = heard(recording, ctx)
    asked = len(fakes.asked)
    assert heard(recording, ctx) == first
    assert len(fakes.asked) == asked
    finished = [e for e in ctx.reporter.events if isinstance(e, StageFinished)]  # type: ignore[attr-defined]
    assert [(e.stage, e.cached) for e in finished] == [
        (stage, cached) for cached in (False, True) for stage in ("transcribe", "listen", "diarize")
    ]


def test_another_number_of_speakers_needs_no_new_hearing(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = run_context(models=AllModels())
    Hums.asked_of_all.clear()
    heard(recording, ctx)
    Hums.asked_of_all.clear()
    assert speakers(heard(recording, ctx, speakers="1").transcript) == ["S1"]
    assert sum(Hums.asked_of_all) <= 16  # what the last, unfinished block holds


def test_speakers_can_be_switched_off(recording: Path) -> None:
    assert speakers(heard(recording, speakers="off").transcript) == [None]


def test_sounds_can_be_left_out(recording: Path) -> None:
    found = heard(recording, with_sounds=False)
    assert found.track is None and not found.transcript.events


def test_a_given_transcript_gets_speakers_and_sounds_too(recording: Path, tmp_path: Path) -> None:
    words = given(tmp_path / "a.json", spoken("one two three four.", "five six seven eight."))
    found = heard(recording, transcript=words)
    assert [word.text for word in found.transcript.words][:2] == ["one", "two"]
    assert None not in speakers(found.transcript)
    assert found.transcript.events


def test_what_a_given_transcript_says_itself_is_believed(recording: Path, tmp_path: Path) -> None:
    told = spoken("one two three four.")
    segments = tuple(type(s)(s.range, s.text, s.words, "Ada", s.extra) for s in told.segments)
    event = SoundEvent("laughter", told.segments[0].range, 0.9)
    words = given(tmp_path / "a.json", Transcript("en", None, segments, (event,)))
    found = heard(recording, transcript=words)
    assert {segment.speaker for segment in found.transcript.segments} == {"Ada"}
    assert [e.kind for e in found.transcript.events] == ["laughter"]


def test_missing_models_are_told_and_done_without(recording: Path) -> None:
    recorder = Recorder()
    found = heard(recording, run_context(reporter=recorder))
    assert found.track is None and speakers(found.transcript) == [None]
    assert [e.message for e in recorder.events if isinstance(e, Warned)] == [UNHEARD, UNNAMED]


def test_missing_models_that_nobody_asks_for_are_not_missed(recording: Path) -> None:
    recorder = Recorder()
    heard(recording, run_context(reporter=recorder), speakers="off", with_sounds=False)
    assert not [e for e in recorder.events if isinstance(e, Warned)]


@pytest.mark.parametrize("wrong", ["", "0", "-1", "two", "101", "1.5", "²"])
def test_a_number_of_speakers_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="--speakers must be auto, off or a number"):
        check_speakers(wrong)


@pytest.mark.parametrize("right", ["auto", "off", "1", "19"])
def test_a_number_of_speakers_can_be_given(right: str) -> None:
    check_speakers(right)


def test_voices_that_are_known_need_no_model(recording: Path) -> None:
    ctx = run_context(models=AllModels())
    heard(recording, ctx)
    recorder = Recorder()
    again = run_context(artifacts=ctx.artifacts, reporter=recorder)
    found = heard(recording, again, with_sounds=False)
    assert speakers(found.transcript) == ["S1", "S2"]
    assert found.track is not None
    assert not [e for e in recorder.events if isinstance(e, Warned)]


def test_a_number_of_speakers_for_a_transcript_that_names_them_is_told(
    recording: Path, tmp_path: Path
) -> None:
    told = spoken("one two three four.")
    segments = tuple(type(s)(s.range, s.text, s.words, "Ada", s.extra) for s in told.segments)
    words = given(tmp_path / "a.json", Transcript("en", None, segments))
    recorder = Recorder()
    ctx = run_context(models=AllModels(), reporter=recorder)
    heard(recording, ctx, transcript=words, speakers="2")
    [warned] = [e for e in recorder.events if isinstance(e, Warned)]
    assert "--speakers 2" in warned.message


def test_an_ear_that_fails_is_not_taken_for_the_recogniser(
    recording: Path, monkeypatch: pytest.MonkeyPatch, fakes: FakeTranscriber
) -> None:
    def broken(*_: object) -> object:
        raise ModelError("the weights are damaged")

    monkeypatch.setattr(Hums, "embed", broken)
    fakes.device = "cuda"
    recorder = Recorder()
    with pytest.raises(ModelError, match="the weights are damaged"):
        heard(recording, run_context(models=AllModels(), reporter=recorder))
    assert not [e for e in recorder.events if isinstance(e, Warned)]


def test_a_transcript_of_another_recording_is_told_and_ends_with_this_one(
    recording: Path, tmp_path: Path
) -> None:
    words = given(tmp_path / "a.json", spoken(*["one two three four."] * 20))
    recorder = Recorder()
    ctx = run_context(models=AllModels(), reporter=recorder)
    found = heard(recording, ctx, transcript=words, speakers="off")
    assert max(s.range.start_s for s in found.transcript.segments) < 15
    [warned] = [e for e in recorder.events if isinstance(e, Warned)]
    assert "behind the end of a.mkv" in warned.message


def test_a_transcript_that_has_nothing_of_the_recording_is_refused(
    recording: Path, tmp_path: Path
) -> None:
    ctx = run_context(models=AllModels())
    words = given(tmp_path / "a.json", spoken("far beyond.", start_s=5000))
    with pytest.raises(SourceError, match="nothing of the transcript lies within"):
        heard(recording, ctx, transcript=words, speakers="off")


def test_with_ranges_voices_are_told_apart_there_and_around_them_only(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "AROUND_S", 1)
    found = heard(recording, ranges=(TimeRange.from_seconds(11, 13),))
    named = [s.range.start_s for s in found.transcript.segments if s.speaker is not None]
    assert named and min(named) >= 8 and max(named) < 15


def test_ranges_that_nearly_meet_are_heard_as_one(recording: Path) -> None:
    ranges = tuple(TimeRange.from_seconds(a, a + 1) for a in (12, 2))
    found = heard(recording, ranges=ranges)
    assert {s.speaker for s in found.transcript.segments} == {"S1", "S2"}


def test_what_was_heard_in_ranges_is_not_heard_again(recording: Path) -> None:
    ctx, ranges = run_context(models=AllModels()), (TimeRange.from_seconds(2, 3),)
    heard(recording, ctx, ranges=ranges)
    Hums.asked_of_all.clear()
    heard(recording, ctx, ranges=ranges)
    assert Hums.asked_of_all == []


LINES = """1
00:00:04,000 --> 00:00:06,000
Word 0, word 1, word 2

2
00:00:06,000 --> 00:00:09,000
word 3 word 4 word 5
"""
"""What the recogniser hears in the first six seconds, four seconds late."""


def subtitles(path: Path, text: str = LINES) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def told(ctx: RunContext) -> list[str]:
    return [e.message for e in ctx.reporter.events if isinstance(e, Warned)]  # type: ignore[attr-defined]


def test_given_lines_get_times_of_their_words(recording: Path, tmp_path: Path) -> None:
    ctx = run_context(models=AllModels())
    found = heard(recording, ctx, transcript=subtitles(tmp_path / "a.srt"), speakers="off")
    words = found.transcript.words
    assert [w.text for w in words[:2]] == ["Word", "0,"]
    assert [round(w.range.start_s, 1) for w in words[::2]] == [0.1, 1.1, 2.1, 3.1, 4.1, 5.1]
    assert found.transcript.language == "en" and not told(ctx)
    assert ctx.catalogue.transcript(presented(recording).source.id) == found.transcript


def test_given_lines_are_aligned_once(
    recording: Path, tmp_path: Path, fakes: FakeTranscriber
) -> None:
    ctx, lines = run_context(models=AllModels()), subtitles(tmp_path / "a.srt")
    first = heard(recording, ctx, transcript=lines)
    asked = len(fakes.asked)
    assert asked and heard(recording, ctx, transcript=lines) == first
    assert len(fakes.asked) == asked
    finished = [e for e in ctx.reporter.events if isinstance(e, StageFinished)]  # type: ignore[attr-defined]
    assert [e.cached for e in finished if e.stage == "align"] == [False, True]


def test_lines_are_aligned_anew_where_they_changed(recording: Path, tmp_path: Path) -> None:
    ctx = run_context(models=AllModels())
    heard(recording, ctx, transcript=subtitles(tmp_path / "a.srt"))
    found = heard(
        recording, ctx, transcript=subtitles(tmp_path / "a.srt", LINES[: LINES.find("2\n00")])
    )
    assert len(found.transcript.words) == 6


def test_lines_keep_their_times_where_nobody_wants_others(
    recording: Path, tmp_path: Path, fakes: FakeTranscriber
) -> None:
    lines = subtitles(tmp_path / "a.srt")
    found = heard(recording, transcript=lines, align=False, with_sounds=False, speakers="off")
    assert [s.range.start_s for s in found.transcript.segments] == [4, 6]
    assert not found.transcript.words and not fakes.asked


def test_without_a_recogniser_lines_keep_their_times_which_is_told(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> ModelChoice:
        raise ModelNotInstalled("model 'base' is not installed", hint="install it", name="base")

    monkeypatch.setattr(hearing, "choose_whisper", missing)
    ctx = run_context(models=AllModels())
    found = heard(recording, ctx, transcript=subtitles(tmp_path / "a.srt"), speakers="off")
    assert [s.range.start_s for s in found.transcript.segments] == [4, 6]
    [message] = told(ctx)
    assert "a.srt" in message and "model 'base' is not installed" in message


def test_lines_of_another_recording_keep_their_times_which_is_told(
    recording: Path, tmp_path: Path
) -> None:
    other = subtitles(tmp_path / "a.srt", LINES.replace("ord", "eather in the north"))
    ctx = run_context(models=AllModels())
    found = heard(recording, ctx, transcript=other, speakers="off")
    assert [s.range.start_s for s in found.transcript.segments] == [4, 6]
    [message] = told(ctx)
    assert "only 0 % of the words of a.srt are heard in a.mkv" in message


def test_lines_that_are_late_lose_nothing_at_the_end(recording: Path, tmp_path: Path) -> None:
    late = subtitles(tmp_path / "a.srt", LINES.replace("00:00:0", "00:02:0"))
    ctx = run_context(models=AllModels())
    found = heard(recording, ctx, transcript=late, speakers="off")
    assert len(found.transcript.words) == 12 and not told(ctx)


def test_lines_that_are_partly_heard_are_told(recording: Path, tmp_path: Path) -> None:
    partly = LINES.replace("word 4 word 5", "nobody says that here at")
    ctx = run_context(models=AllModels())
    heard(recording, ctx, transcript=subtitles(tmp_path / "a.srt", partly), speakers="off")
    [message] = told(ctx)
    assert "only 62 % of the words" in message
