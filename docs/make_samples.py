"""Writes the pictures in docs/captions and the key table of docs/captions.md.

    pip install pillow
    python docs/make_samples.py

The background is made here; nobody's recording is shown.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from reelremix.engine.captions.preset import preset_names, read_preset
from reelremix.engine.captions.reference import reference_table
from reelremix.engine.captions.sample import sample_picture
from reelremix.engine.domain.clip import Clip
from reelremix.engine.stages.sampling import moment_of, sample_clip

DOCS = Path(__file__).parent
FOLDER = DOCS / "captions"
BEGIN, END = "<!-- keys -->\n", "<!-- end of keys -->\n"
SCRIPTS = {
    "Latin": "Größe, façade, Łódź und 5 Euro 🔥",
    "Cyrillic": "Привет, это мой новый дом 🏠",
    "Arabic": "مرحبا بكم في New York عام 2024 🚀",
    "Hebrew": "שלום לכל 123 האנשים בעולם 🇺🇸",
    "Devanagari": "नमस्ते दुनिया आप कैसे हैं 👨‍👩‍👧",
    "Thai": "สวัสดี ทุก คน วันนี้ อากาศ ดี 👍🏽",
}
COLOURS = 128


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in preset_names():
        _save(_cropped(sample_clip(read_preset(name))), FOLDER / f"{name}.png")
    pictures = [_cropped(_script_clip(text), 320, 160) for text in SCRIPTS.values()]
    _save(_sheet(pictures, 3), FOLDER / "scripts.png")
    page = DOCS / "captions.md"
    page.write_text(with_table(page.read_text("utf-8")), "utf-8")


def with_table(text: str) -> str:
    """The page with the table of keys as the code has it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + reference_table() + "\n" + END + after


def _script_clip(text: str) -> Clip:
    preset = read_preset("bold")
    return sample_clip(replace(preset, style=replace(preset.style, max_chars=18)), text)


def _cropped(clip: Clip, wide: int = 480, high: int = 240) -> Image.Image:
    """The picture around the captions, small."""
    assert clip.captions is not None
    at = moment_of(clip)
    cue = next(c for c in clip.captions.cues if c.range.contains(at))
    _, y, _, height = cue.box
    width, tall = clip.output.width_px, clip.output.width_px * high // wide
    top = min(max(0, y + height // 2 - tall // 2), clip.output.height_px - tall)
    whole = Image.fromarray(sample_picture(clip, at))
    return whole.crop((0, top, width, top + tall)).resize((wide, high), Image.Resampling.LANCZOS)


def _sheet(pictures: list[Image.Image], columns: int) -> Image.Image:
    wide, high = pictures[0].size
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (wide * columns, high * rows))
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (number % columns * wide, number // columns * high))
    return sheet


def _save(picture: Image.Image, path: Path) -> None:
    few = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
