"""The studio of the sample: walls, table, microphones, slides, and who sits where in which shot.

A shot is a still set with people in it. The still part is drawn once; only people are drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia
from sample_people import BEN, NORA, Expression, Looks, draw_body, draw_head, face_box

Pixels = npt.NDArray[np.uint8]
"""Shape (height, width, 4): blue, green, red, alpha."""
WIDTH_PX, HEIGHT_PX = 1280, 720
FONTS = Path(__file__).parents[1] / "reelremix" / "engine" / "captions" / "fonts"
LOOKS: Mapping[str, Looks] = {"nora": NORA, "ben": BEN}
FULL = (0, 0, WIDTH_PX, HEIGHT_PX)
PICTURE = (912, 424, 320, 240)
"""Where the small picture lies on a slide."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One person in a shot."""

    person: str
    x: float
    y: float
    """The face's centre in pixels."""
    scale: float
    clip: tuple[int, int, int, int] = FULL
    """The part of the frame the person may be seen in: left, top, width, height."""

    @property
    def face(self) -> tuple[float, float, float, float]:
        """The face at rest: left, top, width, height in pixels."""
        return face_box(self.x, self.y, self.scale)


@dataclass(frozen=True, slots=True)
class Slide:
    """Words on a screen."""

    title: str
    points: tuple[str, ...]


HALF = WIDTH_PX // 2
SINGLES = {
    "nora": (Seat("nora", 560, 318, 1.72),),
    "ben": (Seat("ben", 728, 312, 1.72),),
}
TWO = (Seat("nora", 392, 322, 0.86), Seat("ben", 888, 318, 0.86))
SPLIT = (
    Seat("nora", 318, 326, 1.4, (0, 0, HALF - 3, HEIGHT_PX)),
    Seat("ben", 962, 322, 1.4, (HALF + 3, 0, HALF - 3, HEIGHT_PX)),
)


def kind_of(shot: str) -> str:
    """`single`, `two`, `split` or `slide`."""
    if shot in SINGLES:
        return "single"
    return shot.partition(":")[0]


def seats(shot: str, speaker: str) -> tuple[Seat, ...]:
    """Who sits where. On a slide the small picture shows the speaker."""
    if shot in SINGLES:
        return SINGLES[shot]
    if shot == "two":
        return TWO
    if shot == "split":
        return SPLIT
    left, top, width, _ = PICTURE
    return (Seat(speaker, left + width / 2, top + 104, 0.68, PICTURE),)


class Stage:
    """Draws frames into one buffer."""

    def __init__(self, slides: Mapping[str, Slide]) -> None:
        self.pixels = np.zeros((HEIGHT_PX, WIDTH_PX, 4), np.uint8)
        # The order of colours skia works in: another one costs 4 ms a frame.
        self._surface = skia.Surface(self.pixels, colorType=skia.kBGRA_8888_ColorType)
        self._slides = slides

    def draw(self, shot: str, speaker: str, faces: Mapping[str, Expression]) -> None:
        """Draw one frame of a shot."""
        np.copyto(self.pixels, self._still(shot, speaker))
        with self._surface as canvas:
            for seat in seats(shot, speaker):
                canvas.save()
                canvas.clipRect(skia.Rect.MakeXYWH(*seat.clip))
                looks, face = LOOKS[seat.person], faces[seat.person]
                draw_head(canvas, looks, face, seat.x, seat.y, seat.scale)
                canvas.restore()

    def _still(self, shot: str, speaker: str) -> Pixels:
        """All of a shot but the heads."""
        slide = self._slides[shot.partition(":")[2]] if kind_of(shot) == "slide" else None
        return _still(shot, slide, speaker if slide else "")


@cache
def _still(shot: str, slide: Slide | None, speaker: str) -> Pixels:
    surface = skia.Surface(WIDTH_PX, HEIGHT_PX)
    with surface as canvas:
        if slide is None:
            _studio(canvas, shot)
        else:
            _screen(canvas, slide, speaker)
        for seat in seats(shot, speaker):
            canvas.save()
            canvas.clipRect(skia.Rect.MakeXYWH(*seat.clip))
            draw_body(canvas, LOOKS[seat.person], seat.x, seat.y, seat.scale)
            canvas.restore()
        if shot == "two":
            _table(canvas)
        if slide is None:
            for seat in seats(shot, speaker):
                side = 1 if seat.person == "ben" else -1
                _microphone(canvas, seat.x + side * 176 * seat.scale, seat.scale, -side)
    pixels: Pixels = surface.toarray(colorType=skia.kBGRA_8888_ColorType)
    return pixels


def _color(value: str, alpha: float = 1.0) -> int:
    return int(skia.ColorSetA(0xFF000000 | int(value.removeprefix("#"), 16), int(alpha * 255)))


def _fill(value: str, *, alpha: float = 1.0, blur: float = 0.0) -> skia.Paint:
    paint = skia.Paint(AntiAlias=True, Color=_color(value, alpha))
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    return paint


def _gradient(top: str, bottom: str, height: float) -> skia.Paint:
    points = [skia.Point(0, 0), skia.Point(0, height)]
    shader = skia.GradientShader.MakeLinear(points, [_color(top), _color(bottom)])
    return skia.Paint(AntiAlias=True, Shader=shader)


def _lamp(canvas: skia.Canvas, x: float, y: float, radius: float) -> None:
    colors = [_color("#ffd9a0", 0.75), _color("#ffb765", 0.22), _color("#ffb765", 0.0)]
    shader = skia.GradientShader.MakeRadial(skia.Point(x, y), radius, colors, [0.0, 0.35, 1.0])
    canvas.drawCircle(x, y, radius, skia.Paint(AntiAlias=True, Shader=shader))


def _soft(focus: float) -> skia.Paint:
    """Out of focus: everything drawn on this layer is blurred."""
    return skia.Paint(ImageFilter=skia.ImageFilters.Blur(focus, focus))


def _studio(canvas: skia.Canvas, shot: str) -> None:
    if shot != "split":
        _room(canvas, shot)
        return
    for person, left in (("nora", 0), ("ben", HALF)):
        canvas.save()
        canvas.clipRect(skia.Rect.MakeXYWH(left, 0, HALF, HEIGHT_PX))
        canvas.translate(left - 240, 0)
        _room(canvas, person)
        canvas.restore()
    canvas.drawRect(skia.Rect.MakeXYWH(HALF - 3, 0, 6, HEIGHT_PX), _fill("#f3e9d8"))


def _room(canvas: skia.Canvas, view: str) -> None:
    walls = {"nora": ("#35505a", "#1d2c33"), "ben": ("#5a4436", "#2c211b")}
    top, bottom = walls.get(view, ("#47525a", "#262b30"))
    canvas.drawRect(skia.Rect.MakeWH(WIDTH_PX, HEIGHT_PX), _gradient(top, bottom, HEIGHT_PX))
    canvas.saveLayer(paint=_soft(2.0 if view == "two" else 6.0))
    if view == "ben":
        _window(canvas, 90, 60)
        _shelf(canvas, 960, 150, 300, 3)
        _plant(canvas, 1180, 700, 1.3)
    elif view == "nora":
        _shelf(canvas, 40, 130, 330, 5)
        _frame(canvas, 930, 110)
        _plant(canvas, 1130, 720, 1.6)
    else:
        _shelf(canvas, 30, 120, 190, 5)
        _window(canvas, 540, 60)
        _shelf(canvas, 1070, 120, 190, 3)
        _plant(canvas, 640, 600, 0.8)
    canvas.restore()
    for x, y, radius in {"nora": ((1010, 470, 300),), "ben": ((250, 420, 330),)}.get(
        view, ((140, 300, 260), (1150, 300, 260))
    ):
        _lamp(canvas, x, y, radius)
    edge = [_color("#000000", 0.0), _color("#000000", 0.5)]
    center = skia.Point(WIDTH_PX / 2, HEIGHT_PX / 2)
    shader = skia.GradientShader.MakeRadial(center, 860, edge, [0.55, 1.0])
    canvas.drawPaint(skia.Paint(Shader=shader))


def _shelf(canvas: skia.Canvas, x: float, y: float, width: float, seed: int) -> None:
    """Boards with books on them."""
    random = np.random.default_rng(seed)
    spines = ("#b5543f", "#d8b25c", "#3f6f73", "#e6dcc8", "#7a4b5f", "#2f4858", "#9aa77b")
    for board in range(3):
        floor = y + 150 * (board + 1)
        at = x + 8
        while at < x + width - 30:
            thick, tall = float(random.integers(13, 27)), float(random.integers(70, 118))
            book = skia.Rect.MakeXYWH(at, floor - tall, thick, tall)
            canvas.drawRect(book, _fill(spines[int(random.integers(len(spines)))]))
            at += thick + (34 if random.random() < 0.14 else 2)
        canvas.drawRect(skia.Rect.MakeXYWH(x, floor, width, 13), _fill("#7b5638"))
        canvas.drawRect(skia.Rect.MakeXYWH(x, floor + 13, width, 8), _fill("#000000", alpha=0.3))


def _window(canvas: skia.Canvas, x: float, y: float) -> None:
    pane = skia.Rect.MakeXYWH(x, y, 220, 330)
    canvas.drawRect(pane, _gradient("#f4c78d", "#c9836b", 420))
    for offset in (40, 84, 132, 170):
        tall = 60 + (offset * 37) % 90
        house = skia.Rect.MakeXYWH(x + offset - 26, y + 330 - tall, 40, tall)
        canvas.drawRect(house, _fill("#6d4b54", alpha=0.8))
    bars = _fill("#e8dccb")
    for bar in ((x - 8, y - 8, 236, 12), (x - 8, y + 326, 236, 14), (x - 8, y, 12, 330)):
        canvas.drawRect(skia.Rect.MakeXYWH(*bar), bars)
    for bar in ((x + 216, y, 12, 330), (x + 106, y, 8, 330), (x, y + 150, 220, 8)):
        canvas.drawRect(skia.Rect.MakeXYWH(*bar), bars)


def _frame(canvas: skia.Canvas, x: float, y: float) -> None:
    canvas.drawRect(skia.Rect.MakeXYWH(x, y, 230, 180), _fill("#e9dfcf"))
    canvas.drawRect(
        skia.Rect.MakeXYWH(x + 14, y + 14, 202, 152), _gradient("#e0a15c", "#8d4a4f", 300)
    )
    canvas.drawCircle(x + 150, y + 66, 26, _fill("#fff1d0"))


def _plant(canvas: skia.Canvas, x: float, y: float, size: float) -> None:
    for index, angle in enumerate((-62, -40, -20, 0, 18, 42, 64)):
        canvas.save()
        canvas.translate(x, y - 60 * size)
        canvas.rotate(angle)
        leaf = skia.Rect.MakeXYWH(-17 * size, -190 * size, 34 * size, 180 * size)
        canvas.drawOval(leaf, _fill(("#3f7a4e", "#2f6340", "#548f57")[index % 3]))
        canvas.restore()
    pot = skia.Rect.MakeXYWH(x - 52 * size, y - 80 * size, 104 * size, 110 * size)
    canvas.drawRoundRect(pot, 12, 12, _fill("#c8714a"))


def _table(canvas: skia.Canvas) -> None:
    board = skia.Rect.MakeXYWH(-40, 566, WIDTH_PX + 80, 260)
    canvas.drawRect(board, _gradient("#a8754a", "#5b3c26", 900))
    canvas.drawRect(skia.Rect.MakeXYWH(0, 566, WIDTH_PX, 5), _fill("#d8a877", alpha=0.9))
    for x, color in ((560, "#e9e2d6"), (720, "#7d9a9c")):
        canvas.drawOval(
            skia.Rect.MakeXYWH(x - 34, 626, 78, 16), _fill("#000000", alpha=0.3, blur=5)
        )
        canvas.drawRoundRect(skia.Rect.MakeXYWH(x - 26, 572, 52, 62), 10, 10, _fill(color))
        canvas.drawOval(skia.Rect.MakeXYWH(x - 26, 566, 52, 14), _fill("#4a2f22"))


def _microphone(canvas: skia.Canvas, x: float, scale: float, lean: int) -> None:
    """A studio microphone on an arm from below, clear of the mouth."""
    y = HEIGHT_PX - 86 * scale
    canvas.save()
    canvas.translate(x, y)
    canvas.scale(scale, scale)
    arm = skia.Paint(AntiAlias=True, Color=_color("#14161a"), Style=skia.Paint.kStroke_Style)
    arm.setStrokeWidth(9)
    canvas.drawLine(-lean * 26, 200, 0, 24, arm)
    canvas.rotate(lean * 24)
    body = skia.Rect.MakeXYWH(-21, -62, 42, 104)
    canvas.drawRoundRect(body, 20, 20, _gradient("#3c4148", "#15171b", 60))
    canvas.drawRoundRect(skia.Rect.MakeXYWH(-21, -62, 42, 56), 20, 20, _fill("#5b626b"))
    for row in range(5):
        line = skia.Rect.MakeXYWH(-18, -54 + row * 9, 36, 3)
        canvas.drawRect(line, _fill("#2b2f35", alpha=0.85))
    canvas.drawRect(skia.Rect.MakeXYWH(-21, -4, 42, 4), _fill("#c9a86a"))
    canvas.restore()


@cache
def _font(file: str, size: float) -> skia.Font:
    return skia.Font(skia.Typeface.MakeFromFile(str(FONTS / file)), size)


def _screen(canvas: skia.Canvas, slide: Slide, speaker: str) -> None:
    """A slide with a small picture of the speaker's corner of the room."""
    canvas.clear(_color("#f6f1e7"))
    canvas.drawRect(skia.Rect.MakeXYWH(0, 0, 20, HEIGHT_PX), _fill("#2f6f73"))
    ink = _fill("#1f2a30")
    canvas.drawString(slide.title, 84, 150, _font("Montserrat-ExtraBold.ttf", 68), ink)
    canvas.drawRect(skia.Rect.MakeXYWH(86, 182, 150, 8), _fill("#d9a036"))
    for index, point in enumerate(slide.points):
        y = 292 + index * 106
        canvas.drawCircle(102, y - 14, 11, _fill("#b5543f"))
        canvas.drawString(point, 140, y, _font("Inter-Bold.ttf", 42), ink)
    left, top, width, height = PICTURE
    shadow = skia.Rect.MakeXYWH(left - 2, top + 4, width + 4, height + 4)
    canvas.drawRect(shadow, _fill("#000000", alpha=0.35, blur=10))
    canvas.drawRect(
        skia.Rect.MakeXYWH(left - 5, top - 5, width + 10, height + 10), _fill("#ffffff")
    )
    canvas.save()
    canvas.clipRect(skia.Rect.MakeXYWH(*PICTURE))
    canvas.translate(left - 130, top - 60)
    canvas.scale(0.5, 0.5)
    _room(canvas, speaker)
    canvas.restore()
