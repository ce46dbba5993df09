from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.media import encode
from reelremix.engine.media.decode import planes
from reelremix.engine.media.encode import (
    ClipWriter,
    EncoderSettings,
    EncoderUnavailable,
    replace_sound,
    write_jpeg,
)
from reelremix.engine.media.hardware import HARDWARE, works
from reelremix.errors import RenderError
from tests.media_factory import onset_s, tone

OUTPUT = OutputFormat(180, 320, Fraction(30000, 1001))
FAST = EncoderSettings(preset="ultrafast")


def grey(number: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame(180, 320, "yuv420p")
    for plane, value in zip(planes(frame), (100 + number, 128, 128), strict=True):
        plane[:] = value
    return frame


def film(path: Path, *, frames: int = 30, seconds: float | None = 1.001) -> Path:
    writer = ClipWriter(path, OUTPUT, FAST, has_audio=seconds is not None)
    for number in range(frames):
        writer.write_picture(grey(number))
    if seconds is not None:
        writer.write_sound(tone(seconds, 1000))
    writer.close()
    return path


def boxes(path: Path) -> list[str]:
    """Names of the top-level boxes of an MP4 file."""
    content, offset, names = path.read_bytes(), 0, []
    while offset < len(content):
        names.append(content[offset + 4 : offset + 8].decode())
        offset += int.from_bytes(content[offset : offset + 4], "big")
    return names


def test_the_index_comes_before_the_media(tmp_path: Path) -> None:
    names = boxes(film(tmp_path / "a.part"))
    assert names.index("moov") < names.index("mdat")


def test_streams_rate_and_size_are_as_asked(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4"))) as written:
        video, audio = written.streams.video[0], written.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height) == (180, 320)
        assert video.average_rate == Fraction(30000, 1001)
        assert (video.frames, audio.sample_rate, audio.channels) == (30, 48_000, 2)


def test_pictures_are_tagged_bt709_limited_range(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4"))) as written:
        frame = next(written.decode(video=0))
    tags = (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range)
    assert (frame.format.name, *(int(tag) for tag in tags)) == ("yuv420p", 1, 1, 1, 1)


def test_picture_and_sound_begin_together_and_last_alike(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4"))) as written:
        video, audio = written.streams.video[0], written.streams.audio[0]
        assert video.start_time == audio.start_time == 0
        lengths = [float((s.duration or 0) * (s.time_base or 0)) for s in (video, audio)]
    assert lengths == pytest.approx([1.001, 1.001], abs=0.025)


def test_a_film_may_be_silent(tmp_path: Path) -> None:
    with av.open(str(film(tmp_path / "a.mp4", seconds=None))) as written:
        assert not written.streams.audio


def test_replacing_the_sound_leaves_every_picture_as_it_was(tmp_path: Path) -> None:
    path = film(tmp_path / "a.part")
    with av.open(str(path)) as before:
        pictures = [(p.pts, bytes(p)) for p in before.demux(video=0) if p.pts is not None]
    late = np.concatenate([np.zeros((2, 24_000), np.float32), tone(0.5, 1000)], axis=1)
    replace_sound(path, iter([late]))
    with av.open(str(path)) as after:
        assert [(p.pts, bytes(p)) for p in after.demux(video=0) if p.pts is not None] == pictures
        after.seek(0)
        heard = np.concatenate([f.to_ndarray() for f in after.decode(audio=0)], axis=1)
    assert onset_s(heard.astype(np.float32), 48_000) == pytest.approx(0.5, abs=0.025)
    assert [p.name for p in tmp_path.iterdir()] == ["a.part"]
    assert boxes(path).index("moov") < boxes(path).index("mdat")


def test_a_replaced_sound_that_fails_leaves_no_file_behind(tmp_path: Path) -> None:
    path = film(tmp_path / "a.part")
    with pytest.raises(av.error.FFmpegError):
        replace_sound(tmp_path / "nothing.part", iter([tone(1)]))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_an_encoder_that_refuses_its_settings_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="refuses preset 'warp'") as caught:
        ClipWriter(tmp_path / "a.mp4", OUTPUT, EncoderSettings(preset="warp"), has_audio=False)
    assert "--encoder-preset veryfast" in (caught.value.hint or "")


@pytest.mark.parametrize("encoder", [name for name in HARDWARE if not works(name)])
def test_hardware_that_does_not_open_says_so_and_leaves_no_file(
    tmp_path: Path, encoder: str
) -> None:
    with pytest.raises(EncoderUnavailable, match=f"'{encoder}' does not open now") as caught:
        ClipWriter(tmp_path / "a.mp4", OUTPUT, EncoderSettings(encoder), has_audio=True)
    assert "--encoder libx264" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_gone_is_no_fault_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_device(_: str) -> str:
        raise av.error.FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr(encode, "pixel_format", no_device)
    with pytest.raises(EncoderUnavailable, match="No such file or directory"):
        ClipWriter(tmp_path / "a.mp4", OUTPUT, EncoderSettings("h264_nvenc"), has_audio=False)


def test_a_folder_that_is_gone_is_no_fault_of_the_encoder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ClipWriter(tmp_path / "gone" / "a.mp4", OUTPUT, FAST, has_audio=False)


def test_encoders_that_want_another_arrangement_of_the_pixels_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, "pixel_format", lambda _: "yuv444p")
    writer = ClipWriter(tmp_path / "a.mp4", OUTPUT, FAST, has_audio=False)
    picture = av.VideoFrame(180, 320, "yuv420p")
    for plane, value in zip(planes(picture), (120, 90, 160), strict=True):
        plane[:] = value
    writer.write_picture(picture)
    writer.close()
    with av.open(str(tmp_path / "a.mp4")) as written:
        shown = next(written.decode(video=0))
    assert shown.format.name == "yuv444p"
    assert [p.mean() for p in planes(shown)] == pytest.approx([120, 90, 160], abs=2)


def test_abandoning_a_file_closes_it(tmp_path: Path) -> None:
    writer = ClipWriter(tmp_path / "a.mp4", OUTPUT, FAST, has_audio=True)
    writer.write_picture(grey())
    writer.abandon()
    (tmp_path / "a.mp4").unlink()


def test_a_still_is_a_jpeg_of_the_same_picture(tmp_path: Path) -> None:
    write_jpeg(tmp_path / "a.jpg", grey(20))
    with av.open(str(tmp_path / "a.jpg")) as still:
        frame = next(still.decode(video=0))
        image = frame.to_ndarray(format="rgb24").astype(int)
    assert image.shape == (320, 180, 3)
    assert image.mean() == pytest.approx((120 - 16) * 255 / 219, abs=3)


@pytest.mark.parametrize(
    ("encoder", "option"),
    [
        ("libx264", ("crf", "23")),
        ("h264_nvenc", ("cq", "23")),
        ("h264_qsv", ("global_quality", "23")),
        ("h264_videotoolbox", ("q", "54")),
    ],
)
def test_quality_reaches_every_encoder_in_its_own_terms(
    encoder: str, option: tuple[str, str]
) -> None:
    assert option in EncoderSettings(encoder, crf=23).options().items()
