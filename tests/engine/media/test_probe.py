from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from reelremix.engine.domain.source import Source, StreamKind
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.errors import ConfigError, UnreadableMedia
from tests.media_factory import (
    Film,
    cut_short,
    hdr_film,
    plain_film,
    quarters,
    sound_of,
    tone,
    without_frames,
    write_media,
)


def in_three_languages(path: Path) -> Source:
    sounds = (
        sound_of(tone(1), language="eng", is_default=False),
        sound_of(tone(1), language="deu", title="Deutsch", is_default=True),
        sound_of(tone(1), is_default=False),
    )
    return probe(write_media(path, Film(), *sounds), "id")


@pytest.mark.parametrize("rate", ["24", "25", "30000/1001", "60"])
def test_a_constant_rate_is_exact(tmp_path: Path, rate: str) -> None:
    path = write_media(tmp_path / "a.mp4", Film(40, rate=Fraction(rate)))
    picture = choose_streams(probe(path, "id")).picture
    assert (picture.frame_rate, picture.is_variable_rate) == (Fraction(rate), False)


def test_irregular_times_are_a_variable_rate(tmp_path: Path) -> None:
    times = tuple(Fraction(n * 40 + n % 3 * 11, 1000) for n in range(40))
    picture = choose_streams(probe(write_media(tmp_path / "a.mp4", Film(times=times)), "")).picture
    assert picture.is_variable_rate
    assert picture.frame_rate == pytest.approx(40 / 1.6, rel=0.05)


@pytest.mark.parametrize(("lost", "rate"), [(10, 30), (2, 15)])
def test_a_recording_that_lost_few_frames_keeps_its_rate(
    tmp_path: Path, lost: int, rate: int
) -> None:
    times = tuple(Fraction(n, 30) for n in range(120) if n % lost)
    path = write_media(tmp_path / "a.mp4", Film(times=times, rate=Fraction(30)))
    assert round(choose_streams(probe(path, "id")).picture.frame_rate) == rate


def test_a_rate_that_changes_halfway_is_variable(tmp_path: Path) -> None:
    fast = [Fraction(n, 50) for n in range(245)]
    slow = [Fraction(49, 10) + Fraction(n, 10) for n in range(30)]
    path = write_media(tmp_path / "a.mp4", Film(times=(*fast, *slow), size=(64, 36)))
    assert choose_streams(probe(path, "id")).picture.is_variable_rate


@pytest.mark.parametrize(("turn", "size"), [(0, (320, 180)), (90, (180, 320)), (180, (320, 180)),
                                            (270, (180, 320))])  # fmt: skip
def test_the_size_is_that_of_the_upright_picture(
    tmp_path: Path, turn: int, size: tuple[int, int]
) -> None:
    path = write_media(tmp_path / "a.mp4", Film(5, quarters, clockwise_deg=turn))
    picture = choose_streams(probe(path, "id")).picture
    assert (picture.width_px, picture.height_px) == size
    assert (picture.rotation_deg, picture.coded_width_px) == (turn, 320)


def test_wide_pixels_widen_the_picture(tmp_path: Path) -> None:
    film = Film(5, size=(180, 180), pixel_aspect=Fraction(16, 9))
    picture = choose_streams(probe(write_media(tmp_path / "a.mp4", film), "id")).picture
    assert (picture.width_px, picture.height_px, picture.coded_width_px) == (320, 180, 180)


def test_ten_bit_pq_is_hdr_and_sdr_is_not(tmp_path: Path) -> None:
    hdr = write_media(tmp_path / "a.mkv", hdr_film())
    assert choose_streams(probe(hdr, "id")).picture.is_hdr
    sdr = write_media(tmp_path / "b.mp4", Film(3))
    assert not choose_streams(probe(sdr, "id")).picture.is_hdr


@pytest.mark.parametrize(("rate_hz", "layout", "channels"), [(8_000, "mono", 1),
                                                             (48_000, "5.1", 6)])  # fmt: skip
def test_the_sound_is_described(tmp_path: Path, rate_hz: int, layout: str, channels: int) -> None:
    wave = tone(1, channels=channels, rate_hz=rate_hz)
    sound = sound_of(wave, rate_hz=rate_hz, layout=layout)
    found = choose_streams(probe(write_media(tmp_path / "a.mp4", Film(), sound), "id")).audio
    assert found is not None and found.audio is not None
    assert (found.audio.rate_hz, found.audio.channels) == (rate_hz, channels)


def test_languages_titles_and_defaults_are_kept(tmp_path: Path) -> None:
    streams = in_three_languages(tmp_path / "a.mkv").of_kind(StreamKind.AUDIO)
    assert [s.language for s in streams] == ["eng", "deu", None]
    assert [s.title for s in streams] == [None, "Deutsch", None]
    assert [s.is_default for s in streams] == [False, True, False]


@pytest.mark.parametrize(("wanted", "index"), [(None, 2), ("1", 1), ("3", 3), ("deu", 2),
                                               ("ENG", 1)])  # fmt: skip
def test_the_audio_stream_is_the_default_or_the_one_asked_for(
    tmp_path: Path, wanted: str | None, index: int
) -> None:
    chosen = choose_streams(in_three_languages(tmp_path / "a.mkv"), wanted).audio
    assert chosen is not None and chosen.index == index


def test_without_a_default_the_first_audio_stream_is_taken(tmp_path: Path) -> None:
    sounds = [sound_of(tone(1), is_default=False) for _ in range(2)]
    source = probe(write_media(tmp_path / "a.mkv", Film(), *sounds), "id")
    chosen = choose_streams(source).audio
    assert chosen is not None and chosen.index == 1


@pytest.mark.parametrize("wanted", ["0", "9", "fra", ""])
def test_an_audio_stream_that_is_not_there_is_named_with_those_that_are(
    tmp_path: Path, wanted: str
) -> None:
    with pytest.raises(ConfigError, match=r"it has: 1 \(eng\), 2 \(deu\), 3 \(no language\)"):
        choose_streams(in_three_languages(tmp_path / "a.mkv"), wanted)


def test_zero_is_the_earliest_time_of_the_chosen_streams(tmp_path: Path) -> None:
    film, late = Film(25, start_s=Fraction(1)), sound_of(tone(1), Fraction(3, 2))
    source = probe(write_media(tmp_path / "a.ts", film, late), "id")
    chosen = choose_streams(source)
    starts = [s.start.seconds for s in source.streams if s.start]
    assert chosen.origin.seconds == min(starts) >= 1.0
    assert chosen.duration.seconds == pytest.approx(1.5, abs=0.06)


def test_the_length_reaches_to_the_end_of_the_last_stream(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(25), sound_of(tone(1), Fraction(1, 2)))
    source = probe(path, "id")
    assert choose_streams(source).duration.seconds == pytest.approx(1.5, abs=0.03)
    assert source.duration.seconds == pytest.approx(1.5, abs=0.03)


def test_chapters_are_kept(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mkv", Film(75), chapters=((0, 1, "Opening"), (1, 3, "Answer")))
    chapters = probe(path, "id").chapters
    assert [(c.range.start_s, c.range.end_s, c.title) for c in chapters] == [
        (0.0, 1.0, "Opening"),
        (1.0, 3.0, "Answer"),
    ]


def test_a_recording_may_lack_sound_or_picture(tmp_path: Path) -> None:
    silent = choose_streams(probe(write_media(tmp_path / "a.mp4", Film()), "id"))
    blind = choose_streams(probe(write_media(tmp_path / "b.m4a", None, sound_of(tone(1))), "id"))
    assert silent.audio is None and silent.video is not None
    assert blind.video is None and blind.audio is not None


def test_odd_sizes_are_told_as_they_are(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(5, size=(321, 181), pixels="yuv444p"))
    picture = choose_streams(probe(path, "id")).picture
    assert (picture.width_px, picture.height_px) == (321, 181)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_missing_file_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match=r"a.mp4: no such file") as caught:
        probe(tmp_path / "a.mp4", "id")
    assert str(tmp_path) in (caught.value.hint or "")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="is empty"):
        probe(written(tmp_path / "a.mp4", b""), "id")


@pytest.mark.parametrize("content", [b"Hello, this is a note.\n" * 40, bytes(range(256)) * 40,
                                     b"1\n00:00:01,000 --> 00:00:02,000\nHi\n\n"])  # fmt: skip
def test_what_is_not_media_is_called_so(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableMedia, match=r"not media|neither video nor audio"):
        probe(written(tmp_path / "a.mp4", content), "id")


def test_a_file_without_its_index_is_unreadable(tmp_path: Path) -> None:
    whole = plain_film(tmp_path / "whole.mp4")
    with pytest.raises(UnreadableMedia, match="not media ReelRemix can read"):
        probe(cut_short(whole, tmp_path / "a.mp4", 0.5), "id")


def test_a_file_cut_off_behind_its_index_still_opens(tmp_path: Path) -> None:
    whole = write_media(tmp_path / "b.mp4", Film(50), sound_of(tone(2)), index_first=True)
    assert probe(cut_short(whole, tmp_path / "a.mp4", 0.5), "id").of_kind(StreamKind.VIDEO)


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [("png", "png", "rgb24"), ("jpg", "mjpeg", "yuvj420p"), ("webp", "libwebp", "yuv420p"),
     ("bmp", "bmp", "bgr24")],
)  # fmt: skip
def test_a_picture_is_called_one(tmp_path: Path, suffix: str, codec: str, pixels: str) -> None:
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 64, 64, pixels
    context.time_base = Fraction(1, 25)
    packets = [*context.encode(av.VideoFrame(64, 64, pixels)), *context.encode(None)]
    (tmp_path / f"a.{suffix}").write_bytes(b"".join(bytes(packet) for packet in packets))
    with pytest.raises(UnreadableMedia, match=f"a.{suffix} is a picture, not a recording"):
        probe(tmp_path / f"a.{suffix}", "id")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_a_file_without_a_single_frame_is_unreadable(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UnreadableMedia, match=r"no length|neither video nor audio|not media"):
        probe(without_frames(tmp_path / f"a.{suffix}"), "id")


def test_a_folder_is_not_a_recording(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMedia, match="is a folder"):
        probe(tmp_path, "id")


def test_a_playlist_is_refused_at_once(tmp_path: Path) -> None:
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n"
    with pytest.raises(UnreadableMedia, match="is a playlist"):
        probe(written(tmp_path / "a.m3u8", playlist.encode()), "id")


def test_a_matroska_file_that_starts_late_has_its_own_length(tmp_path: Path) -> None:
    late = sound_of(tone(4), Fraction(100))
    pictures = Film(times=tuple(100 + Fraction(n, 25) for n in range(100)))
    path = write_media(tmp_path / "a.mkv", pictures, late)
    found = choose_streams(probe(path, "id"))
    assert found.duration.seconds == pytest.approx(4.0, abs=0.1)
    assert found.picture_end.seconds == pytest.approx(4.0, abs=0.05)


def test_a_picture_may_end_before_the_sound(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(5)))
    found = choose_streams(probe(path, "id"))
    assert found.duration.seconds == pytest.approx(5.0, abs=0.1)
    assert found.picture_end.seconds == pytest.approx(2.0, abs=0.01)
