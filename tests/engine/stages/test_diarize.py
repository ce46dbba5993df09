from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.speech_turn import Diarization, SpeechTurn
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.models.speaker_embedding import CAMPPLUS, CamPlusPlus
from reelremix.engine.models.speech import Span, Speech
from reelremix.engine.stages import diarize as stage
from reelremix.engine.stages import sound_pass
from reelremix.engine.stages.artifact import load, save
from reelremix.engine.stages.diarize import VoiceListener, diarization_key, diarize
from reelremix.errors import Cancelled
from tests.conftest import Models
from tests.fakes import Recorder, presented, run_context
from tests.media_factory import Sound, tone, write_media
from tests.talkers import RATE, HumEmbedder, hum, read_speech

SILENCE = np.zeros(RATE, np.float32)
CONVERSATION = [(0, 6.0), (1, 4.0), (0, 3.0), (2, 8.0), (1, 5.0)]
"""(voice, seconds), a second of silence after each."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of sound."""
    pieces = ((Fraction(0), tone(3, channels=1, rate_hz=RATE)),)
    sound = Sound(pieces, rate_hz=RATE, layout="mono", codec="pcm_s16le")
    return write_media(tmp_path_factory.mktemp("media") / "a.mkv", None, sound)


def conversation() -> Speech:
    return np.concatenate([np.append(hum(*part), SILENCE) for part in CONVERSATION])


def loud_spans(sound: Speech) -> list[Span]:
    """Where it is not silent for a tenth of a second."""
    loud = np.abs(sound[: len(sound) // 800 * 800]).reshape(-1, 800).max(axis=1) > 0.01
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud, [0]])))
    return [{"start": int(a) * 800, "end": int(b) * 800} for a, b in edges.reshape(-1, 2)]


@pytest.fixture
def hums_are_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_spoken", loud_spans)
    monkeypatch.setattr(stage, "BLOCK_S", 10)


def heard(sound: Speech, *cuts: int, speakers: int | None = None) -> Diarization:
    listener = VoiceListener(HumEmbedder())
    at = 0
    for piece in np.split(sound, cuts):
        listener.hear(piece, Timestamp.from_seconds(Fraction(at, RATE)))
        at += len(piece)
    return listener.diarization(speakers)


def rough(diarization: Diarization) -> list[tuple[str, float, float]]:
    return [(t.speaker, round(t.range.start_s), round(t.range.end_s)) for t in diarization.turns]


@pytest.mark.usefixtures("hums_are_speech")
def test_turns_are_where_somebody_speaks_named_in_order_of_appearance() -> None:
    found = heard(conversation())
    assert rough(found) == [
        ("S1", 0, 6), ("S2", 7, 11), ("S1", 12, 15), ("S3", 16, 24), ("S2", 25, 30),
    ]  # fmt: skip
    assert found.speakers == ("S1", "S2", "S3")
    assert found.model == "hum"


@pytest.mark.usefixtures("hums_are_speech")
@pytest.mark.parametrize("length", [1_601, 7_999, 33_333, 160_000, 300_001])
def test_it_makes_no_difference_where_the_sound_is_cut(length: int) -> None:
    sound = conversation()
    assert heard(sound, *range(length, len(sound), length)) == heard(sound)


@pytest.mark.usefixtures("hums_are_speech")
def test_speech_longer_than_a_block_is_one_turn() -> None:
    assert rough(heard(hum(0, 35))) == [("S1", 0, 35)]


@pytest.mark.usefixtures("hums_are_speech")
def test_a_change_without_a_pause_is_found_to_the_next_window() -> None:
    sound = np.concatenate([hum(0, 12), hum(1, 12)])
    first, second = heard(sound).turns
    assert (first.speaker, second.speaker) == ("S1", "S2")
    assert first.range.end == second.range.start
    assert first.range.end_s == pytest.approx(12, abs=stage.HOP_S)


@pytest.mark.usefixtures("hums_are_speech")
def test_a_short_pause_does_not_end_a_turn_and_a_long_one_does() -> None:
    pause = np.zeros(int(0.6 * RATE), np.float32)
    sound = np.concatenate([hum(0, 3), pause, hum(0, 3), SILENCE, SILENCE, hum(0, 3)])
    assert len(heard(sound).turns) == 2


@pytest.mark.usefixtures("hums_are_speech")
def test_a_very_short_sound_belongs_to_whoever_speaks_next_to_it() -> None:
    blip = hum(5, 0.15)
    gap = np.zeros(int(0.3 * RATE), np.float32)
    sound = np.concatenate([hum(0, 4), gap, blip, SILENCE, SILENCE, hum(1, 4)])
    assert rough(heard(sound)) == [("S1", 0, 4), ("S2", 6, 10)]


@pytest.mark.usefixtures("hums_are_speech")
@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_hardly_any_speech_gives_no_turns(seconds: float) -> None:
    assert heard(np.append(hum(0, seconds), SILENCE)).turns == ()


@pytest.mark.usefixtures("hums_are_speech")
def test_half_a_second_of_speech_is_a_turn() -> None:
    assert rough(heard(np.append(SILENCE, hum(0, 0.6)))) == [("S1", 1, 2)]


@pytest.mark.usefixtures("hums_are_speech")
def test_a_given_number_of_speakers_is_kept_to() -> None:
    assert len(heard(conversation(), speakers=2).speakers) == 2


def test_nothing_heard_has_no_turns() -> None:
    assert VoiceListener(HumEmbedder()).diarization() == Diarization((), "hum")


def test_spans_that_are_known_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_spoken", lambda _: pytest.fail("speech was looked for"))
    listener = VoiceListener(HumEmbedder())
    sound = conversation()
    half = 7 * RATE
    listener.hear(sound[:half], Timestamp(0), loud_spans(sound[:half]))
    listener.hear(sound[half:], Timestamp.from_seconds(7), loud_spans(sound[half:]))
    assert [turn.speaker for turn in listener.diarization().turns] == ["S1", "S2", "S1", "S3", "S2"]


@pytest.mark.usefixtures("hums_are_speech")
def test_sound_may_leave_gaps_and_keeps_its_time() -> None:
    listener = VoiceListener(HumEmbedder())
    listener.hear(hum(0, 3), Timestamp(0))
    listener.hear(hum(1, 3), Timestamp.from_seconds(100))
    assert rough(listener.diarization()) == [("S1", 0, 3), ("S2", 100, 103)]


def test_sound_out_of_order_is_refused() -> None:
    listener = VoiceListener(HumEmbedder())
    listener.hear(hum(0, 3), Timestamp.from_seconds(10))
    with pytest.raises(ValueError, match="after one that ended"):
        listener.hear(hum(0, 3), Timestamp.from_seconds(12))


@pytest.mark.usefixtures("hums_are_speech")
def test_memory_holds_vectors_not_sound() -> None:
    listener = VoiceListener(HumEmbedder())
    for minute in range(5):
        listener.hear(np.append(hum(0, 59), SILENCE), Timestamp.from_seconds(60 * minute))
        assert listener._held == sum(map(len, listener._waiting)) < stage.BLOCK_S * RATE
    assert all(batch.dtype == np.float16 for batch in listener._voices)


def test_windows_are_embedded_in_batches_of_bounded_size(hums_are_speech: None) -> None:
    embedder = HumEmbedder()
    VoiceListener(embedder).hear(hum(0, 100), Timestamp(0), [{"start": 0, "end": 100 * RATE}])
    assert max(embedder.asked) == stage.AT_ONCE
    assert sum(embedder.asked) == 133


def test_turns_survive_being_stored(recording: Path) -> None:
    ctx = run_context()
    turns = (SpeechTurn(TimeRange.from_seconds(1, 2), "S1"),)
    key = diarization_key(ctx, presented(recording), "hum/1", None)
    save(ctx, key, Diarization(turns, "hum"))
    assert load(ctx, key, Diarization) == Diarization(turns, "hum")


def test_another_model_or_number_of_speakers_has_another_key(recording: Path) -> None:
    ctx, source = run_context(), presented(recording)
    asked = [("hum/1", None), ("hum/1", 2), ("hum/1", 3), ("hum/2", None)]
    assert len({diarization_key(ctx, source, *more) for more in asked}) == len(asked)


def test_a_file_is_diarized_and_tells_how_far_it_is(
    recording: Path, hums_are_speech: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_pass, "SLICE_S", 1)
    recorder = Recorder()
    ctx = run_context(reporter=recorder)
    found = diarize(recording, presented(recording), HumEmbedder(), ctx)
    assert rough(found) == [("S1", 0, 3)]
    progress = [event for event in recorder.events if isinstance(event, StageProgress)]
    assert [round(event.done) for event in progress] == [1, 2, 3]
    assert progress[-1].total == pytest.approx(3, abs=0.05)


def test_diarizing_a_file_can_be_stopped(recording: Path) -> None:
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        diarize(recording, presented(recording), HumEmbedder(), run_context(cancel=cancel))


def test_a_long_piece_can_be_stopped_half_way() -> None:
    cancel = CancelToken()
    embedder = HumEmbedder(after=cancel.set)
    listener = VoiceListener(embedder, cancel)
    with pytest.raises(Cancelled):
        listener.hear(hum(0, 100), Timestamp(0), [{"start": 0, "end": 100 * RATE}])
    assert embedder.asked == [stage.AT_ONCE]


def test_two_people_are_told_apart(installed_models: Models, shared: Path) -> None:
    embedder = CamPlusPlus(installed_models(CAMPPLUS) / CAMPPLUS)
    reader = read_speech(shared / "speech/ljspeech/LJ001-0001.flac")[: 6 * RATE]
    president = read_speech(shared / "speech/jfk.flac")[: 5 * RATE]
    listener = VoiceListener(embedder)
    listener.hear(np.concatenate([reader, president, reader]), Timestamp(0))
    found = listener.diarization()
    assert list(dict.fromkeys((t.speaker, t.range.start_s > 10) for t in found.turns)) == [
        ("S1", False), ("S2", False), ("S1", True),
    ]  # fmt: skip
    change = next(turn.range.start_s for turn in found.turns if turn.speaker == "S2")
    assert change == pytest.approx(6, abs=1)


def test_what_was_heard_before_a_stop_is_heard_once(hums_are_speech: None) -> None:
    sound = conversation()
    whole, stopped = VoiceListener(HumEmbedder()), VoiceListener(HumEmbedder())
    whole.feed(Timestamp(0), sound)
    stopped.feed(Timestamp(0), sound[: 25 * RATE])
    part = stopped.take_part()
    assert part is not None and 0 < part.end <= 25 * RATE
    assert stopped.take_part() is None
    resumed = VoiceListener(HumEmbedder())
    resumed.add_part(part)
    resumed.feed(Timestamp.from_seconds(Fraction(part.end, RATE)), sound[part.end :])
    later = resumed.take_part()
    assert later is not None and later.start == part.end
    assert resumed.diarization() == whole.diarization()


def test_sound_that_was_heard_is_passed_over(hums_are_speech: None) -> None:
    sound = conversation()
    once, twice = VoiceListener(HumEmbedder()), VoiceListener(HumEmbedder())
    once.feed(Timestamp(0), sound)
    twice.feed(Timestamp(0), sound[: 9 * RATE])
    twice.feed(Timestamp.from_seconds(4), sound[4 * RATE :])
    assert twice.diarization() == once.diarization()


def test_missing_sound_is_an_error_of_the_caller(hums_are_speech: None) -> None:
    with pytest.raises(ValueError, match="after one that ended"):
        VoiceListener(HumEmbedder()).feed(Timestamp.from_seconds(1), np.zeros(10, np.float32))
