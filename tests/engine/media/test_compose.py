from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.layout import Keyframe, LayoutKind, LayoutPiece, Region
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.media.compose import Composer, box_at
from reelremix.engine.media.decode import planes

OUTPUT = OutputFormat(360, 640, Fraction(25))
WHOLE = (0, 0, 360, 640)
SPAN = TimeRange.from_seconds(0, 10)


def at(seconds: float) -> Timestamp:
    return Timestamp.from_seconds(seconds)


def slope(width: int = 640, height: int = 360) -> av.VideoFrame:
    """Luma grows with x alone, one chroma plane with y: a colour tells the place."""
    frame = av.VideoFrame(width, height, "yuv420p")
    y, u, v = planes(frame)
    y[:] = np.linspace(20, 220, width).round()
    u[:] = np.linspace(40, 200, len(u)).round()[:, None]
    v[:] = 128
    return frame


def place_of(frame: av.VideoFrame, x: int, y: int) -> tuple[float, float]:
    """Which point of a 640x360 `slope` is shown at x, y."""
    luma, chroma, _ = planes(frame)
    source_x = (float(luma[y, x]) - 20) / 200 * 639
    source_y = (float(chroma[y // 2, x // 2]) - 40) / 160 * 359
    return source_x, source_y


def piece(*regions: Region, kind: LayoutKind = LayoutKind.SINGLE) -> LayoutPiece:
    return LayoutPiece(SPAN, kind, regions)


def still(output: tuple[int, int, int, int], box: Box) -> Region:
    return Region(output, (Keyframe(ZERO, box),))


def drawn(*regions: Region, moment_s: float = 0.0) -> av.VideoFrame:
    return Composer(OUTPUT).draw(piece(*regions), slope(), at(moment_s))


PATH = (
    Keyframe(at(1), Box(0, 0, 100, 200)),
    Keyframe(at(2), Box(50, 10, 100, 200)),
    Keyframe(at(4), Box(50, 30, 200, 400)),
)


@pytest.mark.parametrize(
    ("moment_s", "box"),
    [
        (0, Box(0, 0, 100, 200)),
        (1, Box(0, 0, 100, 200)),
        (1.5, Box(25, 5, 100, 200)),
        (2, Box(50, 10, 100, 200)),
        (3, Box(50, 20, 150, 300)),
        (4, Box(50, 30, 200, 400)),
        (9, Box(50, 30, 200, 400)),
    ],
)
def test_the_camera_moves_in_a_line_between_keyframes(moment_s: float, box: Box) -> None:
    assert box_at(PATH, at(moment_s)) == box


@given(st.floats(0, 5))
def test_the_camera_never_leaves_what_its_keyframes_span(moment_s: float) -> None:
    box = box_at(PATH, at(moment_s))
    assert 0 <= box.x <= 50 and 0 <= box.y <= 30 and 100 <= box.width <= 200


def test_keyframes_at_one_moment_jump() -> None:
    path = (Keyframe(at(1), Box(0, 0, 9, 16)), Keyframe(at(1), Box(90, 0, 9, 16)))
    assert box_at(path, at(1.0)).x in (0, 90)
    assert box_at(path, at(1.1)).x == 90


@pytest.mark.parametrize(
    "box",
    [Box(200, 0, 202, 360), Box(0, 0, 90, 160), Box(460, 40, 180, 320), Box(219.4, 0, 202.5, 360),
     Box(33.3, 20.7, 101.25, 180)],
)  # fmt: skip
def test_a_single_region_shows_exactly_its_crop(box: Box) -> None:
    frame = drawn(still(WHOLE, box))
    assert (frame.width, frame.height) == (360, 640)
    for x, y in ((10, 20), (180, 320), (350, 620)):
        expected = (box.x + (x + 0.5) / 360 * box.width, box.y + (y + 0.5) / 640 * box.height)
        assert place_of(frame, x, y) == pytest.approx(expected, abs=6)


def test_a_moving_camera_moves_what_is_shown() -> None:
    path = (Keyframe(at(0), Box(0, 0, 202, 360)), Keyframe(at(10), Box(400, 0, 202, 360)))
    region = Region(WHOLE, path)
    shown = [place_of(drawn(region, moment_s=s), 180, 320)[0] for s in (0, 2.5, 5, 7.5, 10)]
    assert shown == pytest.approx([101, 201, 301, 401, 501], abs=4)


def test_a_slow_camera_does_not_jerk() -> None:
    path = (Keyframe(at(0), Box(100, 0, 202, 360)), Keyframe(at(10), Box(120, 0, 202, 360)))
    region, composer = Region(WHOLE, path), Composer(OUTPUT)
    shown = []
    for step in range(51):
        frame = composer.draw(piece(region), slope(), at(step / 5))
        shown.append(float(planes(frame)[0][320].astype(float).mean()))
    moves = np.diff(shown)
    assert (moves >= -0.15).all() and moves.max() < 1.0


def test_split_regions_lie_where_the_layout_says() -> None:
    top, bottom = (0, 0, 360, 320), (0, 320, 360, 320)
    frame = drawn(still(top, Box(0, 40, 200, 178)), still(bottom, Box(400, 40, 200, 178)))
    assert place_of(frame, 180, 160)[0] == pytest.approx(100, abs=5)
    assert place_of(frame, 180, 480)[0] == pytest.approx(500, abs=5)
    assert place_of(frame, 180, 310)[1] > place_of(frame, 180, 330)[1]


def test_what_no_region_covers_is_a_dim_blurred_backdrop() -> None:
    fitted = (0, 218, 360, 204)
    frame = drawn(still(fitted, Box(0, 0, 640, 360)))
    luma = planes(frame)[0].astype(float)
    assert place_of(frame, 180, 320) == pytest.approx((320, 180), abs=6)
    middle_of_source = 20 + 200 * 0.5
    assert luma[60:160].mean() < 0.75 * middle_of_source
    assert np.abs(np.diff(luma[100])).max() < 4


def test_drawing_does_not_change_the_picture_it_was_given() -> None:
    picture = slope()
    before = [plane.copy() for plane in planes(picture)]
    composer = Composer(OutputFormat(640, 360, Fraction(25)))
    out = composer.draw(piece(still((0, 0, 640, 360), Box(0, 0, 640, 360))), picture, ZERO)
    planes(out)[0][:] = 0
    assert all((a == b).all() for a, b in zip(before, planes(picture), strict=True))


SIZES = st.sampled_from([(321, 181), (640, 360), (1279, 719)])


@given(st.floats(0, 500), st.floats(0, 250), st.floats(40, 202), SIZES)
def test_any_crop_inside_any_picture_can_be_drawn(
    x: float, y: float, width: float, size: tuple[int, int]
) -> None:
    width = min(width, size[0], size[1] * 9 / 16)
    height = width * 16 / 9
    box = Box(min(x, size[0] - width), min(y, size[1] - height), width, height)
    frame = Composer(OUTPUT).draw(piece(still(WHOLE, box)), slope(*size), ZERO)
    assert (frame.width, frame.height) == (360, 640)
