"""Arabic and Hebrew lines stand as their readers expect.

What is drawn from left to right is read back from the glyphs, letter by letter, and compared with
what another implementation of the Unicode bidirectional algorithm (`bidi.get_display`, in Rust)
says. Ours uses another one, and shapes and orders words one by one so that each can be lit.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import uharfbuzz as hb
from bidi import get_display

from reelremix.engine.captions.shaping import ShapedLine, shape_line
from reelremix.engine.captions.typefaces import ShapedRun, chain_for

CHAIN = chain_for("Montserrat ExtraBold")
BRACKETS = str.maketrans("()", "||")
"""The other implementation leaves the mirroring of brackets to whoever draws."""
LINES = (
    "مرحبا بكم في برنامجنا",
    "عدد السكان 2024 مليون نسمة",
    "ثمن هذه 1,500.75 دينار",
    "نسبة 50% من كل شيء",
    "شركة Apple قدمت iPhone 15 Pro جديد",
    "رقم (12) من بين 20-30 شخص",
    "قرية New York كبيرة جدا",
    "שלום לכולם וברוכים הבאים",
    "שילמתי 500 שקל על מצלמה",
    "ב-2024 היו 15% יותר",
    "עברתי אל New York City בשנה שעברה",
    "חברת Google (ישראל) גדולה",
    "בין 10:30 ל-11:45 היום",
    "המחיר הוא $99.99 בלבד!",
)


def drawn(line: ShapedLine) -> str:
    """The letters of a line from left to right, read from its glyphs; spaces have none."""
    runs = sorted((run for word in line.words for run in word.runs), key=lambda run: run.x)
    return "".join(letter for run in runs for letter in read(run.run))


def read(run: ShapedRun) -> Iterator[str]:
    """The letters of a run in the order of its glyphs, each once however many glyphs it has."""
    before = None
    for glyph, at in zip(run.glyphs, clusters_of(run), strict=True):
        if at != before:
            letter = run.text[at]
            turned = {"(": ")", ")": "("}.get(letter, letter)
            yield turned if glyph.id == run.face.font.get_nominal_glyph(ord(turned)) else letter
        before = at


def clusters_of(run: ShapedRun) -> list[int]:
    """For each glyph the letter of the text that it belongs to, by shaping it again."""
    for direction in ("ltr", "rtl"):
        buffer = hb.Buffer()
        buffer.add_str(run.text)
        buffer.direction = direction
        buffer.guess_segment_properties()
        hb.shape(run.face.font, buffer)
        if [info.codepoint for info in buffer.glyph_infos] == [g.id for g in run.glyphs]:
            return [info.cluster for info in buffer.glyph_infos]
    raise AssertionError(f"{run.text!r} is not drawn with its own glyphs")


@pytest.mark.parametrize("text", LINES)
def test_letters_stand_in_their_native_order(text: str) -> None:
    line = shape_line(text.split(), CHAIN, rtl=True)
    expected = get_display(text, base_dir="R").replace(" ", "")
    assert drawn(line).translate(BRACKETS) == expected.translate(BRACKETS)


def test_brackets_open_towards_what_they_hold() -> None:
    assert drawn(shape_line(["(ישראל)"], CHAIN, rtl=True)) == "(לארשי)"


@pytest.mark.parametrize("text", LINES)
def test_the_first_word_that_is_said_stands_at_the_right(text: str) -> None:
    line = shape_line(text.split(), CHAIN, rtl=True)
    assert line.words[0].right == max(word.right for word in line.words)
    assert line.words[0].reads_left


def test_a_wrong_order_would_be_seen() -> None:
    backwards = shape_line(LINES[0].split()[::-1], CHAIN, rtl=True)
    assert drawn(backwards) != get_display(LINES[0], base_dir="R").replace(" ", "")
