"""The two people of the sample: drawn, shaded, and able to talk, blink and nod.

They are inventions and nobody's likeness. A person is drawn in units of their own: the face's
centre is (0, 0), its height from hairline to chin about 200 and its width about 156. What never
changes is drawn once a size and kept; a frame adds only eyes, brows and mouth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import skia

FACE_TOP, FACE_BOTTOM, FACE_SIDE = -92.0, 108.0, 76.0
"""The face without hair and ears, in units."""
HEAD_LAYER = (-146.0, -160.0, 146.0, 160.0)
"""Left, top, right and bottom of the kept picture of a head, in units."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What tells the two apart."""

    skin: str
    shade: str
    light: str
    lips: str
    hair: str
    hair_light: str
    iris: str
    top: str
    top_shade: str
    long_hair: bool
    beard: bool


@dataclass(frozen=True, slots=True)
class Expression:
    """One frame of a face."""

    open: float = 0.0
    """How far the mouth is open, 0 to 1."""
    wide: float = 0.5
    """From rounded lips, 0, to spread ones, 1."""
    lids: float = 1.0
    """From closed eyes, 0, to open ones, 1."""
    brows: float = 0.0
    """How far the brows are raised, 0 to 1."""
    smile: float = 0.3
    gaze: float = 0.0
    """-1 looks left, 1 looks right."""
    turn_deg: float = 0.0
    """Head tilt, clockwise."""
    dx: float = 0.0
    dy: float = 0.0
    """Where the head is, in units."""


NORA = Looks(
    *("#c98d68", "#9c5f43", "#e8b48f", "#a8483f", "#2b1a17", "#5a3a2e", "#4a2c17"),
    *("#d9a036", "#a8741d"),
    long_hair=True,
    beard=False,
)
BEN = Looks(
    *("#e7b796", "#b9805f", "#f8d9bf", "#b5685a", "#5b3a22", "#8a5f3c", "#3d6b7d"),
    *("#2f6f73", "#1d4a4e"),
    long_hair=False,
    beard=True,
)


def draw_body(canvas: skia.Canvas, looks: Looks, x: float, y: float, scale: float) -> None:
    """Draw all but the head; (x, y) is the face's centre and `scale` pixels a unit."""
    canvas.save()
    canvas.translate(x, y)
    canvas.scale(scale, scale)
    _body(canvas, looks)
    canvas.restore()


def draw_head(
    canvas: skia.Canvas, looks: Looks, face: Expression, x: float, y: float, scale: float
) -> None:
    """Draw the head over its body."""
    canvas.save()
    canvas.translate(x + face.dx * scale, y + face.dy * scale)
    canvas.rotate(face.turn_deg, 0, 130 * scale)
    left, top = HEAD_LAYER[0] * scale, HEAD_LAYER[1] * scale
    smooth = skia.SamplingOptions(skia.FilterMode.kLinear)
    canvas.drawImage(_head_layer(looks, scale), left, top, smooth)
    canvas.scale(scale, scale)
    _eyes(canvas, looks, face)
    _mouth(canvas, looks, face)
    canvas.restore()


def face_box(x: float, y: float, scale: float) -> tuple[float, float, float, float]:
    """Left, top, width and height of the face at rest, in pixels."""
    height = FACE_BOTTOM - FACE_TOP
    return (x - FACE_SIDE * scale, y + FACE_TOP * scale, 2 * FACE_SIDE * scale, height * scale)


@cache
def _head_layer(looks: Looks, scale: float) -> skia.Image:
    left, top, right, bottom = HEAD_LAYER
    surface = skia.Surface(int((right - left) * scale) + 1, int((bottom - top) * scale) + 1)
    with surface as canvas:
        canvas.scale(scale, scale)
        canvas.translate(-left, -top)
        _head(canvas, looks)
    return surface.makeImageSnapshot()


def _paint(color: str, *, blur: float = 0.0, alpha: float = 1.0, stroke: float = 0.0) -> skia.Paint:
    value = int(color.removeprefix("#"), 16)
    paint = skia.Paint(AntiAlias=True, Color=skia.ColorSetA(0xFF000000 | value, int(alpha * 255)))
    if blur:
        paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
    if stroke:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(stroke)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def _glow(
    center: tuple[float, float], radius: float, colors: tuple[str, ...], *stops: float
) -> skia.Paint:
    """A paint that fades from its centre through `colors`."""
    values = [0xFF000000 | int(color.removeprefix("#"), 16) for color in colors]
    shader = skia.GradientShader.MakeRadial(skia.Point(*center), radius, values, list(stops))
    return skia.Paint(AntiAlias=True, Shader=shader)


def _shape(*points: float, closed: bool = True) -> skia.Path:
    """A path: a start, then cubic curves of three points each."""
    builder = skia.PathBuilder()
    builder.moveTo(*points[:2])
    for index in range(2, len(points), 6):
        builder.cubicTo(*points[index : index + 6])
    if closed:
        builder.close()
    return builder.detach()


def _mirrored(*points: float) -> skia.Path:
    """A closed path from the right half of a figure, given from top to bottom."""
    pairs = list(zip(points[::2], points[1::2], strict=True))
    back = [(-x, y) for x, y in reversed(pairs[:-1])]
    return _shape(*(value for pair in [*pairs, *back] for value in pair))


FACE = (0.0, -104.0, 46.0, -104.0, 78.0, -74.0, 77.0, -20.0)
JAW = (76.0, 26.0, 72.0, 58.0, 52.0, 84.0, 38.0, 101.0, 18.0, 110.0, 0.0, 110.0)


def _head(canvas: skia.Canvas, looks: Looks) -> None:
    face = _mirrored(*FACE, *JAW)
    if looks.long_hair:
        _hair_behind(canvas, looks)
    for side in (-1, 1):
        canvas.drawOval(skia.Rect.MakeXYWH(side * 78 - 13, -26, 26, 52), _paint(looks.shade))
        canvas.drawOval(skia.Rect.MakeXYWH(side * 79 - 10, -22, 20, 42), _paint(looks.skin))
        canvas.drawOval(skia.Rect.MakeXYWH(side * 80 - 4, -12, 8, 24), _paint(looks.shade, blur=2))
    canvas.drawPath(
        face, _glow((-18, -28), 165, (looks.light, looks.skin, looks.shade), 0.0, 0.48, 1.0)
    )
    canvas.save()
    canvas.clipPath(face, doAntiAlias=True)
    _modelling(canvas, looks)
    if looks.beard:
        _beard(canvas, looks)
    canvas.restore()
    _nose(canvas, looks)
    _hair_in_front(canvas, looks)


def _modelling(canvas: skia.Canvas, looks: Looks) -> None:
    """Light and shadow that make a flat oval a head."""
    shade = _paint(looks.shade, blur=12, alpha=0.55)
    canvas.drawPath(_shape(90, -90, 62, -40, 66, 40, 36, 118, 90, 118, 90, 0, 90, -90), shade)
    canvas.drawPath(
        _shape(-90, -60, -76, -20, -74, 40, -44, 118, -90, 118, -90, 0, -90, -60), shade
    )
    for side in (-1, 1):
        socket = skia.Rect.MakeXYWH(side * 34 - 25, -30, 50, 32)
        canvas.drawOval(socket, _paint(looks.shade, blur=8, alpha=0.5))
        cheek = skia.Rect.MakeXYWH(side * 44 - 20, 22, 40, 28)
        canvas.drawOval(cheek, _paint(looks.lips, blur=12, alpha=0.28))
        fold = _shape(side * 20, 36, side * 27, 44, side * 33, 52, side * 34, 62, closed=False)
        canvas.drawPath(fold, _paint(looks.shade, blur=2.5, stroke=3, alpha=0.4))
    canvas.drawOval(skia.Rect.MakeXYWH(-40, -92, 70, 40), _paint(looks.light, blur=16, alpha=0.5))
    canvas.drawOval(skia.Rect.MakeXYWH(-14, 84, 28, 14), _paint(looks.light, blur=6, alpha=0.35))
    canvas.drawOval(skia.Rect.MakeXYWH(-24, 76, 48, 8), _paint(looks.shade, blur=4, alpha=0.4))


def _beard(canvas: skia.Canvas, looks: Looks) -> None:
    jaw = _mirrored(
        *(0, 46, 14, 44, 26, 46, 34, 54, 46, 48, 60, 30, 66, 0, 70, -18, 78, -10, 80, -4),
        *(80, 40, 70, 80, 54, 100, 36, 116, 18, 118, 0, 118),
    )
    canvas.drawPath(jaw, _paint(looks.hair, blur=5, alpha=0.78))
    canvas.drawPath(
        _mirrored(0, 46, 12, 42, 24, 46, 36, 58, 26, 54, 12, 54, 0, 55),
        _paint(looks.hair, blur=2, alpha=0.7),
    )
    lips = skia.Rect.MakeXYWH(-26, 56, 52, 24)
    canvas.drawOval(lips, _paint(looks.skin, blur=4, alpha=0.75))


def _nose(canvas: skia.Canvas, looks: Looks) -> None:
    side = _shape(8, -22, 12, 0, 20, 14, 19, 28, 16, 36, 8, 38, 0, 38, 8, 30, 6, 0, 8, -22)
    canvas.drawPath(side, _paint(looks.shade, blur=3.5, alpha=0.55))
    canvas.drawOval(skia.Rect.MakeXYWH(-8, 14, 13, 16), _paint(looks.light, blur=4, alpha=0.8))
    canvas.drawLine(-3, -20, -3, 14, _paint(looks.light, blur=3, alpha=0.5, stroke=5))
    for x in (-1, 1):
        canvas.drawOval(
            skia.Rect.MakeXYWH(x * 9 - 5, 31, 10, 6), _paint("#3a1d16", blur=1, alpha=0.65)
        )
        wing = _shape(x * 17, 22, x * 21, 28, x * 20, 35, x * 14, 36, closed=False)
        canvas.drawPath(wing, _paint(looks.shade, blur=0.8, stroke=2.4, alpha=0.8))


def _hair_behind(canvas: skia.Canvas, looks: Looks) -> None:
    mass = _mirrored(
        *(0, -150, 70, -152, 118, -110, 116, -40, 114, 20, 138, 60, 118, 118),
        *(106, 148, 78, 146, 66, 112, 58, 84, 30, 60, 0, 60),
    )
    canvas.drawPath(mass, _glow((-30, -110), 230, (looks.hair_light, looks.hair), 0.0, 0.8))
    for x, bend in ((-96, -10), (-84, 6), (88, -8), (100, 8)):
        lock = _shape(x * 0.7, -120, x, -60, x + bend, 20, x * 0.95, 122, closed=False)
        canvas.drawPath(lock, _paint(looks.hair_light, blur=2, stroke=4, alpha=0.5))


def _hair_in_front(canvas: skia.Canvas, looks: Looks) -> None:
    if looks.long_hair:
        fringe = _shape(
            *(-88, 0, -96, -70, -84, -140, 0, -146, 86, -142, 98, -70, 88, 4),
            *(84, -34, 72, -62, 44, -82, 20, -96, 0, -94, -18, -104),
            *(-30, -76, -60, -64, -76, -30, -84, -18, -86, -8, -88, 0),
        )
    else:
        fringe = _shape(
            *(-80, -6, -94, -66, -88, -130, -30, -138, 0, -152, 74, -146, 88, -104),
            *(96, -76, 88, -40, 79, -6, 77, -34, 70, -52, 62, -64),
            *(36, -82, -10, -72, -50, -84, -60, -68, -72, -40, -80, -6),
        )
    canvas.drawPath(fringe, _paint("#1a0e0a", blur=6, alpha=0.35))
    canvas.drawPath(fringe, _glow((-34, -128), 150, (looks.hair_light, looks.hair), 0.0, 0.75))
    canvas.save()
    canvas.clipPath(fringe, doAntiAlias=True)
    for index in range(9):
        x = -70 + index * 18
        strand = _shape(x, -150, x + 6, -120, x * 1.15, -96, x * 1.25, -50, closed=False)
        canvas.drawPath(strand, _paint(looks.hair_light, blur=1.2, stroke=2.2, alpha=0.45))
    canvas.restore()


def _body(canvas: skia.Canvas, looks: Looks) -> None:
    shoulders = _mirrored(
        *(0, 122, 30, 122, 40, 122, 54, 128, 96, 144, 168, 156, 192, 214),
        *(216, 280, 226, 480, 230, 640, 160, 640, 60, 640, 0, 640),
    )
    neck = _mirrored(
        *(0, 40, 20, 40, 45, 40, 45, 50, 43, 84, 43, 108, 54, 132, 34, 158, 0, 160, 0, 160)
    )
    canvas.drawPath(shoulders, _glow((-80, 170), 400, (looks.top, looks.top_shade), 0.0, 1.0))
    canvas.save()
    canvas.clipPath(shoulders, doAntiAlias=True)
    for side in (-1, 1):
        fold = _shape(
            *(side * 128, 250, side * 150, 330, side * 150, 480, side * 140, 660), closed=False
        )
        canvas.drawPath(fold, _paint(looks.top_shade, blur=9, stroke=12, alpha=0.75))
        crease = _shape(
            *(side * 60, 158, side * 84, 190, side * 90, 250, side * 70, 330), closed=False
        )
        canvas.drawPath(crease, _paint(looks.top_shade, blur=9, stroke=9, alpha=0.45))
    canvas.drawOval(skia.Rect.MakeXYWH(-70, 120, 140, 60), _paint("#000000", blur=14, alpha=0.3))
    canvas.restore()
    canvas.drawPath(neck, _paint(looks.skin))
    canvas.save()
    canvas.clipPath(neck, doAntiAlias=True)
    canvas.drawOval(skia.Rect.MakeXYWH(-66, 24, 132, 100), _paint(looks.shade, blur=10))
    canvas.drawRect(skia.Rect.MakeXYWH(24, 40, 40, 140), _paint(looks.shade, blur=10, alpha=0.7))
    canvas.restore()
    collar = _shape(-55, 128, -40, 168, 40, 168, 55, 128, closed=False)
    canvas.drawPath(collar, _paint(looks.top_shade, stroke=11))
    canvas.drawPath(collar, _paint(looks.top, stroke=6))


def _eyes(canvas: skia.Canvas, looks: Looks, face: Expression) -> None:
    for side in (-1, 1):
        _eye(canvas, looks, face, side * 34.0)
        lift = 6.0 * face.brows
        brow = _shape(
            *(side * 13, -37 - lift, side * 26, -46 - lift, side * 44, -46 - lift),
            *(side * 55, -36 - lift),
            closed=False,
        )
        canvas.drawPath(brow, _paint(looks.hair, blur=0.7, stroke=6.5, alpha=0.92))


def _eye(canvas: skia.Canvas, looks: Looks, face: Expression, x: float) -> None:
    height = 10.5 * max(face.lids, 0.0)
    white = _shape(
        *(x - 17, -11, x - 9, -13 - height, x + 9, -13 - height, x + 17, -12),
        *(x + 9, -12 + height * 0.8, x - 9, -12 + height * 0.8, x - 17, -11),
    )
    if face.lids > 0.12:
        canvas.drawPath(white, _paint("#f6f1ec"))
        canvas.save()
        canvas.clipPath(white, doAntiAlias=True)
        iris = (x + 3.2 * face.gaze, -13.0)
        canvas.drawCircle(*iris, 8.2, _paint(looks.iris))
        canvas.drawCircle(*iris, 3.9, _paint("#140a08"))
        canvas.drawCircle(iris[0] - 2.6, iris[1] - 3.0, 2.1, _paint("#ffffff", alpha=0.95))
        canvas.drawLine(x - 17, -19, x + 17, -19, _paint("#3a2018", blur=2.5, stroke=5, alpha=0.5))
        canvas.restore()
    lash = _shape(
        *(x - 18, -10.5, x - 9, -13 - height, x + 9, -13 - height, x + 18, -11.5), closed=False
    )
    canvas.drawPath(lash, _paint("#22120e", stroke=3.4 if looks.long_hair else 2.6))
    crease = _shape(
        *(x - 15, -21, x - 7, -27 - height * 0.2, x + 8, -27 - height * 0.2, x + 16, -21),
        closed=False,
    )
    canvas.drawPath(crease, _paint(looks.shade, blur=1.0, stroke=2.2, alpha=0.8))


def _mouth(canvas: skia.Canvas, looks: Looks, face: Expression) -> None:
    half = 19.0 + 8.0 * face.wide + 4.0 * face.smile - 3.0 * face.open
    gap = 22.0 * face.open
    corner = 67.0 - 8.0 * face.smile + gap * 0.25
    top, bottom = 64.0 - 1.5 * face.open, 66.0 + gap
    inner = _shape(
        *(-half, corner, -half * 0.5, top - 1, half * 0.5, top - 1, half, corner),
        *(half * 0.6, bottom + 2, -half * 0.6, bottom + 2, -half, corner),
    )
    lips = _shape(
        *(-half - 3, corner, -half * 0.5, top - 9, -6, top - 8, 0, top - 5),
        *(6, top - 8, half * 0.5, top - 9, half + 3, corner),
        *(half * 0.6, bottom + 13, -half * 0.6, bottom + 13, -half - 3, corner),
    )
    canvas.drawPath(lips, _paint(looks.shade, blur=3, alpha=0.5))
    canvas.drawPath(lips, _paint(looks.lips))
    glint = skia.Rect.MakeXYWH(-half * 0.45, bottom + 3.0, half * 0.8, 3.4)
    canvas.drawOval(glint, _paint(looks.light, blur=1.6, alpha=0.55))
    if gap < 1.5:
        line = _shape(
            *(-half, corner, -half * 0.5, top + 1.5, half * 0.5, top + 1.5, half, corner),
            closed=False,
        )
        canvas.drawPath(line, _paint("#4a1712", stroke=2.2, alpha=0.85))
        return
    canvas.drawPath(inner, _paint("#3d0f10"))
    canvas.save()
    canvas.clipPath(inner, doAntiAlias=True)
    teeth = skia.Rect.MakeXYWH(-half * 0.75, top - 4, half * 1.5, 4 + min(7.0, gap * 0.45))
    canvas.drawRoundRect(teeth, 4, 4, _paint("#f4ede4"))
    tongue = skia.Rect.MakeXYWH(-half * 0.5, bottom - 5, half, 12)
    canvas.drawOval(tongue, _paint("#b4574f", blur=1.5, alpha=0.9))
    canvas.restore()
