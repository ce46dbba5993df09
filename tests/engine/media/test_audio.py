from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.media.audio import (
    PROGRAMME,
    SPEECH,
    Levelled,
    LoudnessMeter,
    PcmFormat,
    read_pcm,
)
from reelremix.engine.media.decode import FrameReader, planes
from tests.fakes import gathered, presented
from tests.media_factory import (
    Film,
    Sound,
    beeps,
    click_and_flash,
    cut_short,
    onset_s,
    sound_of,
    tone,
    write_media,
)

Heard = npt.NDArray[np.float64]


def heard(path: Path, start_s: float, end_s: float, pcm: PcmFormat = PROGRAMME) -> Heard:
    wanted = TimeRange.from_seconds(start_s, end_s)
    sound = gathered(read_pcm(path, presented(path), wanted, pcm)).astype(np.float64)
    return sound / 32768 if pcm.sample == "s16p" else sound


def loudness(sound: Heard) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(sound).mean()))


@pytest.mark.parametrize("pcm", [SPEECH, PROGRAMME])
@pytest.mark.parametrize(("start_s", "end_s"), [(0, 2), (0.5, 1.75), (0.123456, 1.234567),
                                                (1.5, 4), (3, 4)])  # fmt: skip
def test_the_length_is_exact_whatever_the_stream_holds(
    tmp_path: Path, pcm: PcmFormat, start_s: float, end_s: float
) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(2)))
    expected = (pcm.channels, round((Fraction(end_s) - Fraction(start_s)) * pcm.rate_hz))
    assert heard(path, start_s, end_s, pcm).shape == expected


def test_speech_and_programme_sound_alike(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(2, level=0.4)))
    for pcm in (SPEECH, PROGRAMME):
        assert loudness(heard(path, 0.5, 1.5, pcm)) == pytest.approx(0.4 / 2**0.5, rel=0.03)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp4", "aac"), ("mkv", "pcm_s16le"), ("mkv", "libopus"), ("mov", "pcm_s16le")],
)
def test_beeps_are_where_they_were_put(tmp_path: Path, suffix: str, codec: str) -> None:
    sound = sound_of(beeps(4, 1.0, 2.5), codec=codec)
    path = write_media(tmp_path / f"a.{suffix}", Film(100), sound)
    assert onset_s(heard(path, 0, 2), 48_000) == pytest.approx(1.0, abs=0.005)
    assert onset_s(heard(path, 2.2, 3), 48_000) == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("mkv", "pcm_s16le")])
def test_before_a_delayed_start_there_is_silence(tmp_path: Path, suffix: str, codec: str) -> None:
    late = sound_of(tone(1, 1000), Fraction(1, 2), codec=codec)
    sound = heard(write_media(tmp_path / f"a.{suffix}", Film(50), late), 0, 2)
    assert loudness(sound[:, : 48_000 // 2 - 480]) < 0.01
    assert onset_s(sound, 48_000) == pytest.approx(0.5, abs=0.005)
    assert loudness(sound[:, -48_000 // 3 :]) < 0.01


def test_gaps_are_silence_of_the_same_length(tmp_path: Path) -> None:
    pieces = ((Fraction(0), tone(1, 1000)), (Fraction(2), tone(1, 1000)))
    path = write_media(tmp_path / "a.mkv", Film(75), Sound(pieces, codec="pcm_s16le"))
    sound = heard(path, 0, 3)
    assert [round(loudness(sound[:, n * 24_000 + 960 : (n + 1) * 24_000 - 960]), 1)
            for n in range(6)] == [0.2, 0.2, 0.0, 0.0, 0.2, 0.2]  # fmt: skip
    assert onset_s(sound[:, 60_000:], 48_000) == pytest.approx(0.75, abs=0.002)


def test_a_range_that_begins_in_a_gap_begins_silent(tmp_path: Path) -> None:
    pieces = ((Fraction(0), tone(1, 1000)), (Fraction(2), tone(1, 1000)))
    path = write_media(tmp_path / "a.mkv", Film(75), Sound(pieces, codec="pcm_s16le"))
    assert onset_s(heard(path, 1.5, 3), 48_000) == pytest.approx(0.5, abs=0.002)


def test_a_late_picture_does_not_shift_the_sound(tmp_path: Path) -> None:
    film = Film(25, start_s=Fraction(1, 2))
    path = write_media(tmp_path / "a.mp4", film, sound_of(beeps(2, 1.0)))
    assert onset_s(heard(path, 0, 2), 48_000) == pytest.approx(1.0, abs=0.005)


@pytest.mark.parametrize("speaker", range(6))
def test_every_channel_of_surround_sound_is_heard_but_the_bass(
    tmp_path: Path, speaker: int
) -> None:
    wave = np.zeros((6, 48_000), np.float32)
    wave[speaker] = tone(1)[0]
    path = write_media(tmp_path / "a.mkv", Film(), sound_of(wave, layout="5.1", codec="ac3"))
    level = loudness(heard(path, 0.2, 0.8))
    assert (level < 0.001) if speaker == 3 else (level > 0.02)


def broadcast(path: Path, *programmes: Sound) -> Path:
    """One audio stream in which each programme follows the one before without a gap."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ac3", rate=48_000)
        stream.codec_context.layout = programmes[0].layout
        begin = Fraction(0)
        for sound in programmes:
            encoder: Any = av.CodecContext.create(sound.codec, "w")
            encoder.sample_rate, encoder.layout = sound.rate_hz, sound.layout
            encoder.format, encoder.time_base = "fltp", Fraction(1, sound.rate_hz)
            [(_, wave)] = sound.pieces
            for offset in range(0, wave.shape[1], 1536):
                piece = np.ascontiguousarray(wave[:, offset : offset + 1536])
                frame = av.AudioFrame.from_ndarray(piece, "fltp", sound.layout)
                frame.sample_rate, frame.time_base = sound.rate_hz, Fraction(1, sound.rate_hz)
                frame.pts = offset
                mux_later(container, stream, encoder.encode(frame), begin)
            mux_later(container, stream, encoder.encode(None), begin)
            begin += Fraction(wave.shape[1], sound.rate_hz)
    return path


def mux_later(container: Any, stream: Any, packets: list[Any], by_s: Fraction) -> None:
    for packet in packets:
        shift = round(by_s / packet.time_base)
        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
        container.mux(packet)


@pytest.mark.parametrize("pcm", [SPEECH, PROGRAMME])
@pytest.mark.parametrize(("layout", "rate_hz"), [("5.1", 48_000), ("stereo", 32_000)])
def test_sound_that_changes_its_kind_midway_goes_on_without_a_gap(
    tmp_path: Path, pcm: PcmFormat, layout: str, rate_hz: int
) -> None:
    first = sound_of(tone(1.024, 1000), codec="ac3")
    wave = tone(1.056, 1000, channels=6 if layout == "5.1" else 2, rate_hz=rate_hz)
    second = sound_of(wave, codec="ac3", layout=layout, rate_hz=rate_hz)
    path = broadcast(tmp_path / "a.ts", first, second)
    sound = heard(path, 0.1, 1.9, pcm)
    assert sound.shape == (pcm.channels, round(1.8 * pcm.rate_hz))
    hundredths = sound.reshape(pcm.channels, -1, pcm.rate_hz // 100)
    assert np.square(hundredths).mean(axis=(0, 2)).min() ** 0.5 > 0.1


def test_surround_sound_does_not_clip(tmp_path: Path) -> None:
    path = write_media(
        tmp_path / "a.mp4", Film(), sound_of(tone(1, level=0.9, channels=6), layout="5.1")
    )
    assert np.abs(heard(path, 0.2, 0.8, SPEECH)).max() < 1.0


def test_telephone_sound_is_raised_to_the_common_rate(tmp_path: Path) -> None:
    wave = tone(1, 1000, channels=1, rate_hz=8_000)
    path = write_media(tmp_path / "a.mp4", Film(), sound_of(wave, rate_hz=8_000, layout="mono"))
    spectrum = np.abs(np.fft.rfft(heard(path, 0.1, 0.9)[0]))
    assert int(spectrum.argmax()) / 0.8 == pytest.approx(1000, abs=3)


def test_the_stream_asked_for_is_the_one_heard(tmp_path: Path) -> None:
    sounds = [sound_of(tone(1, hz), language=code) for hz, code in ((500, "eng"), (2000, "deu"))]
    path = write_media(tmp_path / "a.mkv", Film(), *sounds)
    wanted = TimeRange.from_seconds(0.1, 0.9)
    sound = gathered(read_pcm(path, presented(path, "deu"), wanted, PROGRAMME))
    assert int(np.abs(np.fft.rfft(sound[0])).argmax()) / 0.8 == pytest.approx(2000, abs=3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
def test_flash_and_beep_are_together_within_ten_milliseconds(tmp_path: Path, suffix: str) -> None:
    path = click_and_flash(tmp_path / f"a.{suffix}")
    with FrameReader(path, presented(path)) as reader:
        whole = reader.frames(TimeRange.from_seconds(0, 3))
        flashes = [p.at.seconds for p in whole if planes(p.frame)[0].mean() > 128]
    assert len(flashes) == 3
    for flash in flashes:
        near = heard(path, flash - 0.2, flash + 0.2)
        assert onset_s(near, 48_000) == pytest.approx(0.2, abs=0.01)


def test_what_is_left_of_a_truncated_file_is_heard_and_the_rest_is_silence(tmp_path: Path) -> None:
    whole = write_media(tmp_path / "b.mp4", Film(100), sound_of(tone(4)), index_first=True)
    sound = heard(cut_short(whole, tmp_path / "a.mp4", 0.6), 0, 4)
    assert sound.shape[1] == 4 * 48_000
    assert loudness(sound[:, 9_600:24_000]) > 0.1
    assert loudness(sound[:, -24_000:]) < 0.01


@pytest.mark.parametrize("level_db", [-30.0, -20.0, -6.0])
def test_a_sine_is_as_loud_as_the_standard_says(level_db: float) -> None:
    meter = LoudnessMeter(true_peak=True)
    amplitude = 10 ** (level_db / 20)
    meter.add(tone(5, 997, amplitude))
    found = meter.result()
    assert found.integrated_lufs == pytest.approx(level_db, abs=0.2)
    assert found.true_peak_dbtp == pytest.approx(level_db, abs=0.2)


def test_silence_has_no_loudness() -> None:
    meter = LoudnessMeter(true_peak=True)
    meter.add(np.zeros((2, 96_000), np.float32))
    assert meter.result().integrated_lufs is None
    assert meter.result().true_peak_dbtp is None


def test_a_gain_is_a_gain_and_keeps_the_length() -> None:
    chain = Levelled(6.0, None)
    wave = tone(1, level=0.1)
    out = gathered([*chain.push(wave), *chain.flush()])
    assert out.shape == wave.shape
    assert np.abs(out).max() == pytest.approx(0.1 * 10 ** (6 / 20), rel=0.01)


def test_the_limiter_holds_peaks_and_neither_shifts_nor_shortens_the_sound() -> None:
    wave = beeps(2, 0.5, 1.5)
    chain = Levelled(12.0, -2.0)
    out = gathered([*(s for n in range(0, 96_000, 4800) for s in chain.push(wave[:, n : n + 4800])),
                    *chain.flush()])  # fmt: skip
    assert np.abs(out).max() <= 10 ** (-2 / 20) * 1.02
    assert out.shape[1] == pytest.approx(96_000, abs=48)
    assert onset_s(out, 48_000) == pytest.approx(0.5, abs=0.002)
