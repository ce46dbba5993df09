"""A copy at a constant rate shows each moment what the recording shows then, and sounds so too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.media.conform import with_handles, write_constant
from reelremix.engine.media.decode import FrameReader, on_screen
from reelremix.engine.media.timecode import start_timecode
from reelremix.errors import Cancelled, UnreadableMedia
from tests.fakes import presented
from tests.media_factory import (
    Film,
    beeps,
    count_of,
    counted,
    cut_short,
    flashing,
    onset_s,
    plain_film,
    sound_of,
    write_media,
)

UNEVEN = tuple(Fraction(n * 40 + (n % 3) * 11, 1000) for n in range(100))
"""About 25 frames a second, none where it should be."""
NTSC = Fraction(30000, 1001)
WANTED = TimeRange.from_seconds(1, 3)


def copied(path: Path, target: Path, wanted: TimeRange, rate: Fraction) -> int:
    shown = presented(path)
    return write_constant(path, shown, wanted, rate, target, CancelToken(), lambda *_: None)


def counts(path: Path, moments: list[Fraction], rate: Fraction) -> list[int]:
    """The numbers on screen at moments."""
    with FrameReader(path, presented(path)) as reader:
        span = TimeRange.from_seconds(moments[0], moments[-1] + 1 / rate)
        shown = list(on_screen(reader.frames(span), moments, rate))
        return [count_of(p.frame.to_ndarray()[:90]) for p in shown if p is not None]


@pytest.mark.parametrize("rate", [Fraction(25), NTSC])
def test_each_frame_is_what_the_recording_shows_then(rate: Fraction, tmp_path: Path) -> None:
    source = write_media(tmp_path / "uneven.mp4", Film(paint=counted, times=UNEVEN, size=(160, 90)))
    assert presented(source).picture.is_variable_rate
    total = copied(source, tmp_path / "even.mov", WANTED, rate)
    moments = [n / rate for n in range(total)]
    seen = counts(tmp_path / "even.mov", moments, rate)
    assert seen == counts(source, [1 + at for at in moments], rate)
    with av.open(str(tmp_path / "even.mov")) as even:
        stream = even.streams.video[0]
        assert (stream.average_rate, stream.frames, stream.start_time) == (rate, total, 0)
    assert not presented(tmp_path / "even.mov").picture.is_variable_rate


def test_sound_stays_with_the_picture(tmp_path: Path) -> None:
    times = tuple(at + Fraction(1, 3) for at in UNEVEN)
    film = Film(paint=flashing(50), times=times, size=(160, 90))
    flash = float(times[50])
    source = write_media(tmp_path / "late.mp4", film, sound_of(beeps(4.5, flash)))
    copied(source, tmp_path / "copy.mov", TimeRange.from_seconds(1, 4), Fraction(25))
    with av.open(str(tmp_path / "copy.mov")) as copy:
        pieces = [frame.to_ndarray().reshape(-1, 2).T for frame in copy.decode(audio=0)]
    heard = onset_s(np.concatenate(pieces, axis=1).astype(float), 48_000)
    with av.open(str(tmp_path / "copy.mov")) as copy:
        light = [frame.to_ndarray()[:90].mean() for frame in copy.decode(video=0)]
    assert abs(heard - (flash - 1)) < 0.01
    assert abs(light.index(max(light)) / 25 - heard) < 0.04


def test_a_cancelled_copy_stops_at_once(tmp_path: Path) -> None:
    source = plain_film(tmp_path / "talk.mp4", 2)
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        write_constant(source, presented(source), WANTED, NTSC, tmp_path / "x", cancel,
                       lambda *_: None)  # fmt: skip


def test_handles_end_where_the_picture_does(tmp_path: Path) -> None:
    shown = presented(plain_film(tmp_path / "talk.mp4", 4))
    inside = with_handles(TimeRange.from_seconds(1.5, 2), shown, 1)
    assert (inside.start_s, inside.end_s) == (0.5, 3)
    whole = with_handles(TimeRange.from_seconds(0.5, 3.5), shown, 1)
    assert (whole.start_s, whole.end_s) == (0, 4)


def test_a_damaged_recording_is_told(tmp_path: Path) -> None:
    whole = plain_film(tmp_path / "talk.mp4", 2)
    shown = presented(whole)
    broken = cut_short(whole, tmp_path / "broken.mp4", 0.1)
    with pytest.raises(UnreadableMedia):
        write_constant(broken, shown, WANTED, NTSC, tmp_path / "x.mov", CancelToken(),
                       lambda *_: None)  # fmt: skip


@pytest.mark.parametrize("told", ["01:00:00:00", "10:59:58;12"])
def test_the_timecode_of_a_camera_is_found(told: str, tmp_path: Path) -> None:
    path = tmp_path / "camera.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=NTSC)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.metadata["timecode"] = told
        for _ in range(3):
            frame = av.VideoFrame(64, 64, "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert start_timecode(path, 0) == told


def test_most_recordings_have_no_timecode(tmp_path: Path) -> None:
    assert start_timecode(plain_film(tmp_path / "talk.mp4", 1), 0) is None
