from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from reelremix.engine import codec
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.sound import SILENT_LUFS, SoundTrack
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.stages import listen as stage
from reelremix.engine.stages.acoustics import BEAT_CELL
from reelremix.engine.stages.artifact import load, save
from reelremix.engine.stages.listen import (
    BLOCK_CELLS,
    Evidence,
    Listener,
    chances,
    listen,
    track_key,
    track_of,
)
from reelremix.errors import Cancelled
from tests.fakes import LoudSounds, Recorder, presented, run_context
from tests.media_factory import Sound, tone, write_media
from tests.sound_factory import RATE_HZ, Wave, babble, laugh, noise, quiet, sine, voice


def heard(
    sound: Wave, classifier: LoudSounds | None = None, piece: int = 520 * RATE_HZ
) -> SoundTrack:
    """The track of a sound that comes in equal pieces."""
    listener = Listener(classifier or LoudSounds(limit=math.inf))
    for at in range(0, len(sound), piece):
        listener.feed(at_sample(at), sound[at : at + piece])
    return listener.finish()


def at_sample(number: int) -> Timestamp:
    return Timestamp.from_seconds(Fraction(number, RATE_HZ))


def spans(track: SoundTrack, kind: str) -> list[tuple[float, float]]:
    return [(e.range.start_s, e.range.end_s) for e in track.events_of(kind)]


def heard_chance(sound: Wave, classifier: LoudSounds) -> float:
    """The highest chance of laughter at any time."""
    listener = Listener(classifier)
    listener.feed(Timestamp(0), sound)
    evidence = listener.evidence()
    everywhere = np.ones(len(evidence.level), np.bool_)
    return float(chances(evidence, everywhere, everywhere)["laughter"].max())


def talk_with_silence() -> Wave:
    """Babble up to 4 s and from 6.5 s to 20 s, in a quiet room."""
    sound = np.concatenate([babble(4), quiet(2.5), babble(13.5, seed=1)])
    return sound + noise(20, 0.0003)


def test_silence_is_found_where_it_is() -> None:
    [(start_s, end_s)] = spans(heard(talk_with_silence()), "silence")
    assert (start_s, end_s) == pytest.approx((4.0, 6.5), abs=0.25)


def test_curves_say_what_is_heard_at_each_time() -> None:
    sound = np.concatenate([voice(3, 120, 0.4), quiet(2), voice(3, 240, 0.2), noise(2, 0.1)])
    track = heard(sound)
    assert track.steps == 20
    assert track.pitch_hz[1:5] == pytest.approx([120] * 4, rel=0.01)
    assert track.pitch_hz[11:15] == pytest.approx([240] * 4, rel=0.01)
    assert track.pitch_hz[7:9] == track.pitch_hz[17:19] == (None, None)
    assert track.pause[7:9] == (1, 1)
    assert track.pause[1:5] == (0,) * 4
    assert track.voiced[2] == 1 > track.voiced[17] == 0
    assert track.loudness_lufs[2] > track.loudness_lufs[12] + 2
    assert track.loudness_lufs[8] == SILENT_LUFS


def test_the_track_does_not_depend_on_the_pieces() -> None:
    sound = np.concatenate([talk_with_silence(), laugh(3), noise(4, 0.3), talk_with_silence()])
    classifier = LoudSounds(limit=0.25)
    whole = heard(sound, classifier)
    assert {event.kind for event in whole.events} == {"silence", "applause", "laughter"}
    for piece in (997, 7 * RATE_HZ, 31 * RATE_HZ):
        assert heard(sound, classifier, piece) == whole


def test_windows_that_are_read_again_are_heard_once() -> None:
    sound = talk_with_silence()
    listener = Listener(LoudSounds(limit=math.inf))
    for first, last in ((0, 120_000), (64_000, 184_000), (168_000, 172_000), (172_000, 320_000)):
        listener.feed(at_sample(first), sound[first:last])
    assert listener.finish() == heard(sound)


def test_a_sound_across_the_border_of_blocks_is_one_event() -> None:
    border_s = BLOCK_CELLS * BEAT_CELL / RATE_HZ
    sound = noise(2 * border_s, 0.01)
    middle = noise(6, 0.3)
    begin = round((border_s - 3) * RATE_HZ)
    sound[begin : begin + len(middle)] += middle
    track = heard(sound, LoudSounds())
    assert spans(track, "applause") == [pytest.approx((border_s - 3, border_s + 3), abs=0.25)]


def test_missing_sound_is_an_error() -> None:
    listener = Listener(LoudSounds())
    listener.feed(Timestamp(0), noise(1))
    with pytest.raises(ValueError, match=r"0\.500 s before 1\.500 s"):
        listener.feed(Timestamp.from_seconds(1.5), noise(1))


def test_a_finished_listener_takes_nothing_more() -> None:
    listener = Listener(LoudSounds())
    listener.finish()
    with pytest.raises(ValueError, match="finished"):
        listener.feed(Timestamp(0), noise(1))
    with pytest.raises(ValueError, match="once"):
        listener.finish()


def test_a_classifier_on_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="7680"):
        Listener(LoudSounds(hop=8000))


def test_nothing_heard_gives_an_empty_track() -> None:
    assert Listener(LoudSounds()).finish() == SoundTrack(Timestamp(0))


@pytest.mark.parametrize("samples", [1, 100, 400, 5000, 16_000])
def test_very_short_sounds_have_curves_and_no_events(samples: int) -> None:
    track = heard(noise(1)[:samples])
    assert track.steps == math.ceil(samples / 8000)
    assert track.duration.seconds == pytest.approx(samples / RATE_HZ, abs=1e-6)
    assert track.events == ()


def test_nothing_but_silence_is_one_event_from_end_to_end() -> None:
    track = heard(quiet(40))
    assert track.events == (SoundEvent("silence", track.events[0].range, 1.0),)
    assert spans(track, "silence") == [(0, 40)]
    assert set(track.pitch_hz) == {None}
    assert set(track.loudness_lufs) == {SILENT_LUFS}


@pytest.mark.parametrize(
    "sound",
    [
        np.full(80_000, 0.7, np.float32),
        np.ones(80_000, np.float32),
        np.sign(sine(5, 200)),
        (40 * babble(5)).clip(-1, 1),
        babble(5) + np.float32(0.5),
        np.eye(1, 80_000, 40_000, dtype=np.float32)[0],
    ],
    ids=["offset", "full scale", "square", "clipped", "speech with offset", "one click"],
)
def test_every_number_is_one(sound: Wave) -> None:
    track = heard(sound, LoudSounds())
    numbers = [*track.loudness_lufs, *track.voiced, *track.pause]
    numbers += [hz for hz in track.pitch_hz if hz is not None]
    numbers += [e.probability for e in track.events if e.probability is not None]
    assert np.isfinite(numbers).all()
    assert codec.from_bytes(codec.to_bytes(track), SoundTrack) == track


def test_an_event_begins_and_ends_with_its_sound() -> None:
    sound = np.concatenate([quiet(5.3), noise(4.1, 0.3), quiet(5)])
    assert spans(heard(sound, LoudSounds()), "applause") == [pytest.approx((5.3, 9.4), abs=0.05)]


def test_bursts_close_together_are_one_event_and_far_apart_are_two() -> None:
    burst = noise(2.5, 0.3)
    for gap_s, count in ((1.2, 1), (4.0, 2)):
        sound = np.concatenate([quiet(3), burst, quiet(gap_s), burst, quiet(3)])
        assert len(heard(sound, LoudSounds()).events_of("applause")) == count


def test_music_needs_three_seconds() -> None:
    for seconds, count in ((1.5, 0), (5.0, 1)):
        sound = np.concatenate([babble(5, level=0.1), noise(seconds, 0.3), babble(5, level=0.1)])
        assert len(heard(sound, LoudSounds("music")).events_of("music")) == count


@pytest.mark.parametrize(("hz", "calls_per_s"), [(110, 4.0), (150, 5.0), (320, 6.0)])
def test_a_laugh_the_classifier_does_not_know_is_heard_by_its_rhythm(
    hz: float, calls_per_s: float
) -> None:
    sound = np.concatenate(
        [babble(6), quiet(0.4), laugh(2.5, hz, calls_per_s), quiet(0.4), babble(6)]
    )
    [(start_s, end_s)] = spans(heard(sound + noise(15.3, 0.001)), "laughter")
    shared_s = min(end_s, 8.9) - max(start_s, 6.4)
    assert shared_s > 1.5
    assert end_s - start_s - shared_s < 0.8


def test_an_uneven_laugh_counts_where_the_classifier_doubts_that_it_is_speech() -> None:
    uneven = laugh(4, 150, 5.0) + 0.4 * babble(4, 190, seed=3)
    sound = np.concatenate([quiet(0.5), uneven, quiet(0.5)])
    sure, doubtful = LoudSounds(limit=math.inf), LoudSounds("cheering", limit=0.0)
    chance = [heard_chance(sound, classifier) for classifier in (sure, doubtful)]
    assert chance[0] < 0.5 < chance[1]


def test_the_same_rhythm_in_music_is_no_laugh() -> None:
    sound = np.concatenate([quiet(0.5), laugh(8, level=0.8), quiet(0.5)])
    track = heard(sound, LoudSounds("music", limit=0.05))
    assert [event.kind for event in track.events] == ["music"]


def test_a_pulse_without_a_voice_is_no_laugh() -> None:
    pulses = noise(4, 0.3) * np.sign(laugh(4, 160) ** 2)
    assert heard(np.concatenate([quiet(1), pulses, quiet(1)])).events_of("laughter") == ()


def test_pauses_are_measured_against_the_speech_of_the_source() -> None:
    for gain in (1.0, 0.05):
        sound = np.concatenate([babble(4, level=0.4), noise(2, 0.004), babble(4, level=0.4)])
        track = heard(np.asarray(gain * sound, np.float32))
        assert min(track.pause[9:11]) > 0.9
        assert max(track.pause[2:6]) < 0.7


@pytest.mark.parametrize(("chance", "count"), [(0.05, 0), (0.1, 1), (0.5, 1)])
def test_a_cautious_classifier_is_believed_but_not_every_whisper(chance: float, count: int) -> None:
    sound = np.concatenate([quiet(2), noise(3, 0.3), quiet(2)])
    applause = heard(sound, LoudSounds(chance=chance)).events_of("applause")
    assert len(applause) == count
    assert all(e.probability is not None and e.probability >= chance for e in applause)


def test_one_cell_neither_makes_nor_breaks_music() -> None:
    music = np.array([0, 0, 0.9, 0, 0, 0, 0.9, 0.9, 0, 0.9, 0.9], np.float32)
    found = chances(evidence_of(11, music=music), EVERYWHERE[:264], EVERYWHERE[:264])["music"]
    assert found.tolist() == pytest.approx([0, 0, 0, 0, 0, 0, 0.9, 0.9, 0.9, 0.9, 0.9])


def test_stray_pitches_are_left_out() -> None:
    evidence = evidence_of(4)
    evidence.pitch[10:60] = 100
    evidence.pitch[[20, 30, 40]] = 400
    evidence.pitch[80:82] = 250
    track = track_of(evidence, 4 * BEAT_CELL)
    assert track.pitch_hz[:2] == (100, 100)
    assert track.voiced == pytest.approx([0.6, 1, 0.4, 0], abs=0.01)


EVERYWHERE = np.ones(1000, np.bool_)


def evidence_of(cells: int, **probability: Wave) -> Evidence:
    """Sound at one level without a pitch, and what a classifier says of it."""
    kinds = LoudSounds().kinds
    columns = [probability.get(kind, np.zeros(cells, np.float32)) for kind in kinds]
    level, pitch = np.full(cells * 24, -20, np.float32), np.zeros(cells * 24, np.float32)
    return Evidence(level, pitch, kinds, np.stack(columns, axis=1), np.zeros(cells, np.float32))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds, a tone from 3 to 38."""
    piece = (Fraction(3), tone(35, hz=220, channels=1, rate_hz=RATE_HZ))
    sound = Sound(
        ((Fraction(0), tone(1, level=0.0, channels=1, rate_hz=RATE_HZ)), piece),
        rate_hz=RATE_HZ, layout="mono", codec="pcm_s16le",
    )  # fmt: skip
    return write_media(tmp_path_factory.mktemp("media") / "a.mkv", None, sound)


def test_a_file_is_listened_to_as_a_whole(recording: Path) -> None:
    ctx = run_context()
    track = listen(recording, presented(recording), LoudSounds(), ctx)
    assert track.duration.seconds == pytest.approx(38, abs=0.1)
    assert spans(track, "silence") == [pytest.approx((0, 3), abs=0.03)]
    assert spans(track, "applause") == [pytest.approx((3, 38), abs=0.4)]
    assert track.pitch_hz[10:70] == pytest.approx([220] * 60, rel=0.005)
    assert isinstance(ctx.reporter, Recorder)
    progress = [e.done for e in ctx.reporter.events if isinstance(e, StageProgress)]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(38, abs=0.1)


def test_listening_stops_when_asked_to(recording: Path) -> None:
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        listen(recording, presented(recording), LoudSounds(), ctx)


def test_a_track_is_kept_under_a_key_of_its_source_and_classifier(recording: Path) -> None:
    ctx, presentation = run_context(), presented(recording)
    key = track_key(ctx, presentation, "one")
    track = heard(talk_with_silence())
    save(ctx, key, track)
    assert load(ctx, key, SoundTrack) == track
    assert load(ctx, track_key(ctx, presentation, "another"), SoundTrack) is None


@pytest.mark.slow
def test_twelve_hours_are_kept_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def cheap_levels(sound: Wave, lead: int, cells: int) -> tuple[Wave, Wave]:
        cell_level = 20 * np.log10(np.abs(sound[lead : lead + cells * 320 : 320]) + 1e-4)
        return cell_level, np.full(cells, 150, np.float32)

    monkeypatch.setattr(stage, "levels_and_pitch", cheap_levels)
    monkeypatch.setattr(stage, "repetition", lambda _, __, cells: np.zeros(cells, np.float32))
    window = np.full(500 * RATE_HZ, 0.1, np.float32)
    listener = Listener(LoudSounds())
    hours = 12 * 3600
    for at_s in range(0, hours, 500):
        wanted = window[: (hours - at_s) * RATE_HZ].copy()
        if at_s == 40_000:
            wanted[100 * RATE_HZ : 110 * RATE_HZ] = 0.3
        listener.feed(Timestamp.from_seconds(at_s), wanted)
        assert listener.held_s < 40
    track = listener.finish()
    assert spans(track, "applause") == [pytest.approx((40_100, 40_110), abs=0.3)]
    assert track.steps == 2 * hours
    assert len(codec.to_bytes(track)) < 2.5e6


def test_what_was_measured_before_a_stop_is_measured_once() -> None:
    sound = np.concatenate([noise(40), quiet(20), sine(75, 220)])
    whole = Listener(LoudSounds())
    whole.feed(Timestamp(0), sound)
    stopped = Listener(LoudSounds())
    stopped.feed(Timestamp(0), sound[: 70 * RATE_HZ])
    part = stopped.take_part()
    assert part is not None and 0 < part.end < 70 * RATE_HZ
    assert stopped.take_part() is None
    resumed = Listener(LoudSounds())
    resumed.add_part(part)
    assert resumed.heard == part.end
    resumed.feed(at_sample(part.end), sound[part.end :])
    later = resumed.take_part()
    assert later is not None and later.start == part.end
    assert resumed.finish() == whole.finish()
