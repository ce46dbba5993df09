"""Rendered files against what was decided: nothing is chosen here, so everything must agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.layout import Keyframe, Layout, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.media.audio import PROGRAMME, LoudnessMeter, read_pcm
from reelremix.engine.media.decode import FrameReader, planes
from reelremix.engine.media.encode import EncoderSettings
from reelremix.engine.media.hardware import HARDWARE, works
from reelremix.engine.stages.frame import center_layout
from reelremix.engine.stages.level import Level
from reelremix.engine.stages.render import (
    Pieces,
    RenderTask,
    remove_unfinished,
    render_clip,
)
from reelremix.errors import Cancelled, ConfigError, RenderError
from tests.fakes import clip_of, gathered, presented
from tests.media_factory import (
    Film,
    Rgb,
    beeps,
    click_and_flash,
    count_of,
    counted,
    onset_s,
    plain_film,
    sound_of,
    tone,
    write_media,
)

SMALL = OutputFormat(180, 320, Fraction(25))
WIDE = OutputFormat(320, 180, Fraction(25))
Luma = npt.NDArray[np.float64]


def rendered(path: Path, clip: Clip, **more: Any) -> tuple[Path, Level, Any]:
    """The film of a clip of `path`, how its sound was set, and the verdict on it."""
    settings = EncoderSettings(preset="ultrafast", crf=16)
    target = path.with_name(".reelremix-film.part")
    still = path.with_name(".reelremix-still.part")
    task = RenderTask(str(path), presented(path), clip, settings, str(target), str(still))
    written = render_clip(
        task, more.get("cancel", CancelToken()), more.get("progress", lambda *_: None)
    )
    return target, written.level, written.verdict


def cut(path: Path, start_s: float, end_s: float, output: OutputFormat = WIDE, **more: Any) -> Path:
    """The film of a stretch of `path`."""
    return rendered(path, clip_of(presented(path), start_s, end_s, output, **more))[0]


def lumas(film: Path) -> list[Luma]:
    presentation = presented(film)
    with FrameReader(film, presentation) as reader:
        whole = TimeRange.from_seconds(0, presentation.duration.seconds + 1)
        return [planes(p.frame)[0].astype(np.float64) for p in reader.frames(whole)]


def sound(film: Path) -> npt.NDArray[Any]:
    presentation = presented(film)
    whole = TimeRange.from_seconds(0, presentation.duration.seconds)
    return gathered(read_pcm(film, presentation, whole, PROGRAMME))


def test_frames_size_rate_and_length_are_exact(tmp_path: Path) -> None:
    film = cut(plain_film(tmp_path / "a.mp4", 4), 1, 3, SMALL)
    with av.open(str(film)) as written:
        video = written.streams.video[0]
        assert (video.width, video.height, video.frames) == (180, 320, 50)
        assert video.average_rate == 25
        assert video.duration is not None and video.time_base is not None
        assert float(video.duration * video.time_base) == pytest.approx(2.0)


def test_each_frame_is_the_one_the_source_shows_then(tmp_path: Path) -> None:
    film = cut(plain_film(tmp_path / "a.mp4", 4), 1, 3)
    assert [count_of(luma) for luma in lumas(film)] == list(range(25, 75))


@pytest.mark.parametrize(
    ("source", "output", "expected"),
    [
        ("50", "25", list(range(50, 100, 2))),
        ("25", "50", [n // 2 for n in range(50, 100)]),
        ("30000/1001", "30000/1001", list(range(30, 60))),
    ],
)
def test_another_rate_keeps_the_time(
    tmp_path: Path, source: str, output: str, expected: list[int]
) -> None:
    path = plain_film(tmp_path / "a.mp4", 3, rate=Fraction(source))
    start = Fraction(30 * 1001, 30000) if "/" in source else Fraction(1)
    film = cut(path, float(start), float(start + 1), replace(WIDE, frame_rate=Fraction(output)))
    counts = [count_of(luma) for luma in lumas(film)]
    assert counts[: len(expected)] == expected[: len(counts)]
    assert abs(len(counts) - len(expected)) <= 1


def test_a_variable_rate_becomes_a_constant_one_that_keeps_the_time(tmp_path: Path) -> None:
    times = tuple(Fraction(t, 1000) for t in (0, 40, 80, 400, 440, 480, 800))
    path = write_media(tmp_path / "a.mkv", Film(times=times, paint=counted))
    counts = [count_of(luma) for luma in lumas(cut(path, 0, 0.84))]
    assert counts == [0, 1, *[2] * 8, 3, 4, *[5] * 8, 6]


def test_kept_ranges_follow_each_other(tmp_path: Path) -> None:
    path = plain_film(tmp_path / "a.mp4", 4)
    ranges = (TimeRange.from_seconds(3, 3.2), TimeRange.from_seconds(1, 1.2))
    layout = Layout(tuple(center_layout(r, presented(path).picture, WIDE).pieces[0]
                          for r in ranges))  # fmt: skip
    clip = clip_of(presented(path), 0, 1, WIDE, ranges=ranges, layout=layout)
    assert clip.film.total == 10
    film = rendered(path, clip)[0]
    assert [count_of(luma) for luma in lumas(film)] == [*range(75, 80), *range(25, 30)]


def piece_at(start_s: float, end_s: float, left: float) -> LayoutPiece:
    """A still camera at `left`."""
    keyframe = Keyframe(Timestamp.from_seconds(start_s), Box(left, 0, 202, 360))
    region = Region((0, 0, 180, 320), (keyframe,))
    return LayoutPiece(TimeRange.from_seconds(start_s, end_s), LayoutKind.SINGLE, (region,))


def test_ranges_out_of_order_keep_their_own_layout(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, slope, (640, 360)))
    ranges = (TimeRange.from_seconds(3, 3.2), TimeRange.from_seconds(1, 1.2))
    layout = Layout((piece_at(3, 3.2, 400), piece_at(1, 1.2, 0)))
    clip = clip_of(presented(path), 0, 1, SMALL, ranges=ranges, layout=layout)
    means = [frame.mean() for frame in lumas(rendered(path, clip)[0])]
    assert min(means[:5]) > max(means[5:]) + 20


def test_a_piece_begins_on_the_frame_whose_time_a_manifest_rounds_up() -> None:
    rate = Fraction(30000, 1001)
    later = piece_at(float(50 / rate), 3, 100)  # 1.668333 s, the frame is at 1.6683333... s
    assert Pieces([piece_at(0, 1, 0), later]).at(Timestamp(50, 1 / rate)) is later
    rounded_up = piece_at(1.668667, 3, 100)
    exact = Timestamp(1668666667, Fraction(1, 10**9))
    assert Pieces([piece_at(0, 1, 0), rounded_up]).at(exact) is rounded_up


def test_many_short_ranges_keep_picture_and_sound_together(tmp_path: Path) -> None:
    path = click_and_flash(tmp_path / "a.mp4", 16)
    ranges = tuple(TimeRange.from_seconds(n + 0.2, n + 0.76) for n in range(15))
    pieces = tuple(center_layout(r, presented(path).picture, WIDE).pieces[0] for r in ranges)
    output = replace(WIDE, frame_rate=Fraction(24))
    clip = clip_of(presented(path), 0, 1, output, ranges=ranges, layout=Layout(pieces))
    assert clip.film.total == round(15 * 0.56 * 24)
    film, _, verdict = rendered(path, clip)
    assert not [note for note in verdict.notes if "ends at" in note]
    length = presented(film)
    assert length.video is not None and length.video.duration is not None
    assert length.video.duration.seconds == pytest.approx(15 * 0.56, abs=1 / 24)


def test_flash_and_beep_are_together_in_the_output(tmp_path: Path) -> None:
    film = cut(click_and_flash(tmp_path / "a.mp4", 4), 1.2, 3.2)
    flashes = [n / 25 for n, luma in enumerate(lumas(film)) if luma.mean() > 126]
    heard = sound(film)
    assert len(flashes) == 2
    for flash in flashes:
        begin = round((flash - 0.1) * 48_000)
        assert onset_s(heard[:, begin : begin + 9_600], 48_000) == pytest.approx(0.1, abs=0.02)


def test_sound_that_starts_late_stays_late(tmp_path: Path) -> None:
    late = sound_of(tone(2, 1000), Fraction(1))
    film = cut(write_media(tmp_path / "a.mp4", Film(75), late), 0, 3)
    assert onset_s(sound(film), 48_000) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    "wave",
    [tone(4, 997, 0.02), tone(4, 997, 0.9), beeps(4, *(n / 5 for n in range(20)))],
    ids=["quiet", "loud", "peaky"],
)
def test_every_film_is_equally_loud_and_no_peak_too_high(tmp_path: Path, wave: Any) -> None:
    path = write_media(tmp_path / "a.mp4", Film(100, size=(64, 36)), sound_of(wave))
    film, _, verdict = rendered(path, clip_of(presented(path), 0, 4, WIDE))
    meter = LoudnessMeter(true_peak=True)
    meter.add(sound(film))
    heard = meter.result()
    assert heard.integrated_lufs == pytest.approx(-14.0, abs=1.0)
    assert heard.true_peak_dbtp is not None and heard.true_peak_dbtp <= -0.95
    assert verdict.loudness_lufs == pytest.approx(heard.integrated_lufs, abs=0.2)


def test_silence_is_not_made_loud(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50), sound_of(tone(2, level=0.0)))
    film, level, verdict = rendered(path, clip_of(presented(path), 0, 2, WIDE))
    assert (level.gain_db, np.abs(sound(film)).max()) == (0.0, 0.0)
    assert "is silent" in verdict.notes


def slope(_: int, size: tuple[int, int]) -> Rgb:
    """Brighter to the right."""
    row = np.linspace(20, 235, size[0]).astype(np.uint8)
    return np.repeat(np.tile(row, (size[1], 1))[:, :, None], 3, axis=2)


def source_luma(x: float, width: int) -> float:
    """Stored luma of `slope` at x."""
    return 16 + (20 + 215 * x / (width - 1)) * 219 / 255


@pytest.mark.parametrize("moving", [False, True])
def test_rendered_pixels_are_those_the_plan_points_at(tmp_path: Path, moving: bool) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, slope, (640, 360)))
    clip = clip_of(presented(path), 0, 2, SMALL)
    lefts = (100.0, 300.0) if moving else (220.0, 220.0)
    keyframes = tuple(
        Keyframe(Timestamp.from_seconds(at), Box(left, 0, 202.5, 360))
        for at, left in zip((0.0, 2.0), lefts, strict=True)
    )
    piece = LayoutPiece(clip.ranges[0], LayoutKind.SINGLE, (Region((0, 0, 180, 320), keyframes),))
    frames = lumas(rendered(path, replace(clip, layout=Layout((piece,))))[0])
    for number in (0, 12, 25, 49):
        left = lefts[0] + (lefts[1] - lefts[0]) * number / 50
        for x in (10, 90, 170):
            expected = source_luma(left + (x + 0.5) / 180 * 202.5, 640)
            assert frames[number][100:200, x].mean() == pytest.approx(expected, abs=3.0)


def test_the_layout_changes_with_its_pieces_to_the_frame(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(50, slope, (640, 360)))
    clip = clip_of(presented(path), 0, 2, SMALL)
    bounds, lefts = (0, 0.52, 1.2, 2), (0.0, 400.0, 100.0)
    pieces = tuple(
        LayoutPiece(
            TimeRange.from_seconds(start, end),
            LayoutKind.SINGLE,
            (Region((0, 0, 180, 320),
                    (Keyframe(Timestamp.from_seconds(start), Box(left, 0, 202, 360)),)),),
        )
        for start, end, left in zip(bounds, bounds[1:], lefts, strict=False)
    )  # fmt: skip
    means = [f.mean() for f in lumas(rendered(path, replace(clip, layout=Layout(pieces)))[0])]
    jumps = [n for n in range(1, 50) if abs(means[n] - means[n - 1]) > 20]
    assert jumps == [13, 30]


def test_a_still_of_the_film_is_written_beside_it(tmp_path: Path) -> None:
    film = cut(plain_film(tmp_path / "a.mp4", 2), 0, 1, SMALL)
    with av.open(str(film.with_name(".reelremix-still.part")), format="jpeg_pipe") as still:
        frame = next(still.decode(video=0))
    assert (frame.width, frame.height) == (540, 960)


def test_nothing_of_the_source_is_told_by_the_film(tmp_path: Path) -> None:
    about = {"location": "+48.1374+011.5755/", "com.apple.quicktime.make": "Apple",
             "title": "Private", "creation_time": "2024-01-01T00:00:00Z"}  # fmt: skip
    path = write_media(tmp_path / "a.mov", Film(50), sound_of(tone(2)), metadata=about)
    film = cut(path, 0, 1)
    with av.open(str(film)) as written:
        told = {**written.metadata, **written.streams.video[0].metadata}
    assert not {"location", "title", "creation_time"} & told.keys()
    content = film.read_bytes()
    assert not any(secret in content for secret in (b"48.1374", b"Apple", b"Private", b"2024"))


@pytest.mark.parametrize("encoder", [name for name in HARDWARE if not works(name)][:1])
def test_a_busy_hardware_encoder_is_replaced_by_software_with_a_notice(
    tmp_path: Path, encoder: str
) -> None:
    path, video, still = (tmp_path / name for name in ("a.mp4", "film.part", "still.part"))
    presentation = presented(plain_film(path, 1))
    clip = clip_of(presentation, 0, 1, SMALL)
    settings = EncoderSettings(encoder, preset="ultrafast")
    task = RenderTask(str(path), presentation, clip, settings, str(video), str(still))
    written = render_clip(task, CancelToken(), lambda *_: None)
    assert not written.verdict.is_unreadable
    assert written.notice is not None
    assert f"'{encoder}' does not open" in written.notice and "using libx264" in written.notice


def test_progress_counts_every_frame(tmp_path: Path) -> None:
    path = plain_film(tmp_path / "a.mp4", 2)
    told: list[tuple[int, int]] = []
    clip = clip_of(presented(path), 0, 1, SMALL)
    rendered(path, clip, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 25) for n in range(1, 26)]


def test_rendering_can_be_cancelled_at_any_frame(tmp_path: Path) -> None:
    path, cancel = plain_film(tmp_path / "a.mp4", 2), CancelToken()
    clip = clip_of(presented(path), 0, 2, SMALL)

    def stop(done: int, _: int) -> None:
        if done == 10:
            cancel.set()

    with pytest.raises(Cancelled):
        rendered(path, clip, cancel=cancel, progress=stop)


def test_what_a_stopped_render_wrote_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path = plain_film(tmp_path / "a.mp4", 1)
    targets = [tmp_path / ".reelremix-aa.part", tmp_path / ".reelremix-bb.part"]
    clip = clip_of(presented(path), 0, 1, SMALL)
    names = [str(target) for target in targets]
    task = RenderTask(str(path), presented(path), clip, EncoderSettings(), names[0], names[1])
    for name in (*names, str(tmp_path / ".reelremix-aa-sound.part")):
        Path(name).touch()
    (tmp_path / ".reelremix-cc.part").touch()
    remove_unfinished(task)
    assert {p.name for p in tmp_path.iterdir()} == {"a.mp4", ".reelremix-cc.part"}


def test_a_range_without_a_picture_is_an_error_with_a_hint(tmp_path: Path) -> None:
    path = write_media(tmp_path / "a.mp4", Film(25), sound_of(tone(3)))
    video = tmp_path / "v.mp4"
    path.rename(video)
    clip = clip_of(presented(video), 0, 1, SMALL)
    broken = replace(presented(video), origin=Timestamp.from_seconds(-1000))
    task = RenderTask(str(video), broken, clip, EncoderSettings(), str(tmp_path / "x.part"),
                      str(tmp_path / "y.part"))  # fmt: skip
    with pytest.raises(RenderError, match="has no picture at"):
        render_clip(task, CancelToken(), lambda *_: None)


def test_a_folder_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    path = plain_film(tmp_path / "a.mp4", 1)
    clip = clip_of(presented(path), 0, 1, SMALL)
    gone = tmp_path / "gone"
    task = RenderTask(str(path), presented(path), clip, EncoderSettings(), str(gone / "x.part"),
                      str(gone / "y.part"))  # fmt: skip
    with pytest.raises(ConfigError, match="cannot write"):
        render_clip(task, CancelToken(), lambda *_: None)
