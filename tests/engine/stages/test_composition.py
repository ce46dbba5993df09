from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.stages.composition import Composition, StillFrames, shot_of

Luma = npt.NDArray[np.uint8]
SIZE = (720, 1280)
NEAR = 8


def scene(seed: int, height: int, width: int) -> Luma:
    """Soft shapes, as a room has."""
    coarse = np.random.default_rng(seed).uniform(60, 190, (6, 8))
    rows, columns = np.linspace(0, 5, height), np.linspace(0, 7, width)
    across = np.stack([np.interp(columns, range(8), row) for row in coarse])
    return np.stack([np.interp(rows, range(6), column) for column in across.T], axis=1).astype(
        np.uint8
    )


def put(luma: Luma, part: Luma, x: int, y: int) -> None:
    luma[y : y + part.shape[0], x : x + part.shape[1]] = part


def composed(paint: Callable[[int], Luma], *faces: Box, count: int = 6) -> Composition:
    frames = StillFrames(Timestamp(0))
    for number in range(count):
        frames.add(Timestamp.from_seconds(number / 2), paint(number))
    return frames.composition(Timestamp.from_seconds(count / 2), faces)


def assert_near(box: Box, x: float, y: float, width: float, height: float) -> None:
    found = (box.x, box.y, box.width, box.height)
    assert found == pytest.approx((x, y, width, height), abs=NEAR)


def slide(number: int = 0) -> Luma:
    """White, with lines of writing."""
    luma = np.full(SIZE, 235, np.uint8)
    letters = np.random.default_rng(0).integers(0, 2, (8, 60)).astype(np.uint8) * 200
    for line in range(4):
        put(luma, np.kron(235 - letters, np.ones((3, 9), np.uint8)), 120, 120 + 90 * line)
    return luma


def one_room(number: int) -> Luma:
    return np.roll(scene(1, *SIZE), number * 3, axis=1)


def test_one_picture_has_no_panes_and_no_screen() -> None:
    found = composed(one_room, Box(500, 200, 200, 200))
    assert (found.panes, found.screen) == ((), None)


def test_a_split_screen_is_two_panes() -> None:
    def paint(number: int) -> Luma:
        return np.hstack([scene(1, 720, 640) // 2, scene(2, 720, 640) // 2 + 120])

    left, right = composed(paint, Box(200, 200, 200, 200), Box(900, 200, 200, 200)).panes
    assert_near(left, 0, 0, 640, 720)
    assert_near(right, 640, 0, 640, 720)


def test_a_call_of_four_is_four_panes() -> None:
    def paint(number: int) -> Luma:
        luma = np.full(SIZE, 20, np.uint8)
        for n, (x, y) in enumerate((x, y) for y in (8, 364) for x in (8, 644)):
            put(luma, scene(n, 348, 628) // 2 + 100, x, y)
        return luma

    faces = [Box(x, y, 120, 120) for y in (100, 460) for x in (250, 900)]
    panes = composed(paint, *faces).panes
    assert len(panes) == 4
    assert_near(panes[3], 644, 364, 628, 348)


def test_pillars_are_no_part_of_the_pane() -> None:
    def paint(number: int) -> Luma:
        luma = np.full(SIZE, 16, np.uint8)
        put(luma, scene(1, 720, 960) // 2 + 100, 160, 0)
        return luma

    found = composed(paint, Box(500, 200, 200, 200))
    assert_near(found.panes[0], 160, 0, 960, 720)
    assert found.content is not None
    assert_near(found.content, 160, 0, 960, 720)
    assert found.content.x >= 160 and found.content.x + found.content.width <= 1120


def test_bars_above_and_below_are_no_part_of_the_content() -> None:
    def paint(number: int) -> Luma:
        luma = np.full(SIZE, 16, np.uint8)
        put(luma, scene(1, 536, 1280) // 2 + 100, 0, 92)
        return luma

    content = composed(paint).content
    assert content is not None
    assert_near(content, 0, 92, 1280, 536)


@pytest.mark.parametrize("lit", [(0, 0, 640, 720), (600, 300, 80, 80), None, (0, 0, 1280, 720)])
def test_a_dark_picture_without_bars_is_all_content(lit: tuple[int, int, int, int] | None) -> None:
    def paint(number: int) -> Luma:
        luma = np.full(SIZE, 16, np.uint8)
        if lit is not None:
            x, y, width, height = lit
            put(luma, scene(1, height, width) // 2 + 100, x, y)
        return luma

    assert composed(paint).content is None


def test_a_slide_is_a_screen() -> None:
    found = composed(slide)
    assert found.screen is not None
    assert_near(found.screen, 0, 0, 1280, 720)


def test_a_face_in_the_corner_of_a_slide_is_a_pane() -> None:
    def paint(number: int) -> Luma:
        luma = slide()
        put(luma, np.roll(scene(3, 256, 320), number, axis=1) // 2 + 20, 930, 440)
        return luma

    found = composed(paint, Box(1020, 530, 120, 120))
    assert found.screen is not None and len(found.panes) == 1
    assert_near(found.screen, 0, 0, 1280, 720)
    assert_near(found.panes[0], 930, 440, 320, 256)


def test_a_slide_with_a_coloured_title_bar_is_one_screen() -> None:
    def paint(number: int) -> Luma:
        luma = slide()
        luma[:110] = 60
        put(luma, np.roll(scene(3, 256, 320), number, axis=1) // 2 + 20, 930, 440)
        return luma

    found = composed(paint, Box(1020, 530, 120, 120))
    assert found.screen is not None
    assert_near(found.screen, 0, 0, 1280, 720)


def test_a_screen_beside_a_person_is_a_screen_of_its_own() -> None:
    def paint(number: int) -> Luma:
        luma = slide()
        put(luma, np.roll(scene(3, 720, 400), number, axis=1) // 2 + 20, 880, 0)
        return luma

    found = composed(paint, Box(980, 200, 200, 200))
    assert found.screen is not None
    assert_near(found.screen, 0, 0, 880, 720)


def test_a_wall_is_no_screen() -> None:
    def paint(number: int) -> Luma:
        luma = np.full(SIZE, 200, np.uint8)
        put(luma, np.roll(scene(3, 500, 400), number, axis=1), 440, 220)
        return luma

    assert composed(paint, Box(540, 260, 200, 200)).screen is None


def burned_in(number: int, every: int = 3) -> Luma:
    """A room that moves, with a line of writing that stays for a few pictures."""
    luma = one_room(20 * number)
    words = np.random.default_rng(number // every).integers(0, 2, (5, 70)).astype(np.uint8)
    put(luma, np.kron(words * 220 + 16, np.ones((8, 9), np.uint8)).astype(np.uint8), 320, 620)
    return luma


def test_captions_in_the_picture_are_found_with_their_time() -> None:
    overlays = composed(burned_in, Box(500, 200, 200, 200)).occupied
    assert overlays
    for overlay in overlays:
        assert_near(Box(0, overlay.box.y, 0, overlay.box.height), 0, 620, 0, 40)
    assert overlays[0].range.start_s == 0


def test_captions_in_a_long_shot_are_found_all_the_way() -> None:
    found = composed(lambda n: burned_in(n, every=4), Box(500, 200, 200, 200), count=120)
    span = TimeRange.from_seconds(0, 60)
    taken = shot_of(span, [found]).occupied
    assert sum(text.range.overlap_s(span) for text in taken) > 55
    assert all(abs(text.box.y - 620) < NEAR for text in taken)


def test_a_room_without_writing_has_no_overlays() -> None:
    assert composed(one_room, Box(500, 200, 200, 200)).occupied == ()


def test_a_long_stretch_keeps_few_pictures() -> None:
    frames = StillFrames(Timestamp(0))
    for number in range(500):
        frames.add(Timestamp.from_seconds(number / 2), np.full((240, 320), number % 200, np.uint8))
    assert len(frames._kept) <= 16


def test_a_shot_takes_after_its_longest_part() -> None:
    def part(start_s: float, end_s: float, panes: tuple[Box, ...]) -> Composition:
        return Composition(TimeRange.from_seconds(start_s, end_s), panes, None, ())

    pane = Box(0, 0, 640, 720)
    span = TimeRange.from_seconds(1, 9)
    assert shot_of(span, [part(0, 2, ()), part(2, 9, (pane,))]).panes == (pane,)
    assert shot_of(span, []).panes == ()


def test_text_that_stays_is_told_once() -> None:
    def part(*times_s: float) -> Composition:
        box = Box(100, 600, 500, 40)
        taken = tuple(Occupied(TimeRange.from_seconds(t, t + 1), box) for t in times_s)
        return Composition(TimeRange.from_seconds(0, 9), (), None, taken)

    shot = shot_of(TimeRange.from_seconds(0, 9), [part(0, 0.5, 1, 5)])
    assert [(t.range.start_s, t.range.end_s) for t in shot.occupied] == [(0, 2), (5, 6)]
