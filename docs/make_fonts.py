"""Makes the display fonts and the colour emoji that captions bring along from their npm packages.

    npm pack @expo-google-fonts/anton @expo-google-fonts/fredoka \
        @expo-google-fonts/dm-serif-display @expo-google-fonts/jetbrains-mono \
        @expo-google-fonts/noto-color-emoji
    pip install fonttools
    python docs/make_fonts.py FOLDER_OF_TGZ_FILES

The emoji lose their SVG twins and most combinations of skin tones, and are packed: 2 MB for 25.
"""

from __future__ import annotations

import io
import lzma
import sys
import tarfile
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent.parent / "reelremix" / "engine" / "captions" / "fonts"
TEXT = {
    "Anton": ("anton", "400Regular/Anton_400Regular.ttf", "Anton-Regular"),
    "Fredoka Bold": ("fredoka", "700Bold/Fredoka_700Bold.ttf", "Fredoka-Bold"),
    "DM Serif Display": (
        "dm-serif-display",
        "400Regular/DMSerifDisplay_400Regular.ttf",
        "DMSerifDisplay-Regular",
    ),
    "JetBrains Mono ExtraBold": (
        "jetbrains-mono",
        "800ExtraBold/JetBrainsMono_800ExtraBold.ttf",
        "JetBrainsMono-ExtraBold",
    ),
}
"""Family name to package, file in it, and name of ours."""
EMOJI = ("noto-color-emoji", "400Regular/NotoColorEmoji_400Regular.ttf", "NotoColorEmoji")
LETTERS = [
    *range(0x20, 0x250),
    *range(0x300, 0x370),
    *range(0x370, 0x530),
    *range(0x1E00, 0x1F00),
    *range(0x2010, 0x2070),
    *range(0x20A0, 0x20C0),
    0x2116,
    0x2122,
    0x2212,
]
TONED = set(
    "👍👎👏🙌🙏👋✋🤚🖐🖖👌🤌🤏✌🤞🫰🤟🤘🤙👈👉👆👇☝👊✊🤛🤜💪🤝🫶✍💅🤳👂👃🤲👐🫵"
    "👶🧒👦👧🧑👨👩🧔👱👴👵💃🕺🙋🤷🤦🏃🚶"
)
"""What keeps its skin tones: hands and single people."""
ARROW = "➡"
"""People who face the other way are left out."""


def main() -> None:
    packages = Path(sys.argv[1])
    for family, (package, file, name) in TEXT.items():
        font, licence = _opened(packages, package, file)
        _cut(font, [u for u in font.getBestCmap() if u in LETTERS])
        _rename(font, family)
        font.save(FONTS / f"{name}.ttf")
        (FONTS / f"{name.partition('-')[0]}.OFL.txt").write_bytes(licence)
    package, file, name = EMOJI
    font, licence = _opened(packages, package, file)
    _drop_combinations(font)
    _cut(font, list(font.getBestCmap()))
    written = io.BytesIO()
    font.save(written)
    packed = lzma.compress(written.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    (FONTS / f"{name}.ttf.xz").write_bytes(packed)
    (FONTS / f"{name}.OFL.txt").write_bytes(licence)


def _opened(packages: Path, package: str, file: str) -> tuple[TTFont, bytes]:
    [archive] = packages.glob(f"expo-google-fonts-{package}-*.tgz")
    with tarfile.open(archive) as tar:
        font, licence = (tar.extractfile(f"package/{n}") for n in (file, "LICENSE_FONT"))
        assert font is not None and licence is not None
        return TTFont(io.BytesIO(font.read())), licence.read()


def _cut(font: TTFont, unicodes: list[int]) -> None:
    options = subset.Options(
        hinting=False, glyph_names=False, name_IDs=["*"], layout_features=["*"], notdef_outline=True
    )
    options.drop_tables += ["DSIG", "vhea", "vmtx"]
    if "SVG " in font:
        del font["SVG "]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)


def _rename(font: TTFont, family: str) -> None:
    names = {1: family, 2: "Regular", 4: family, 6: family.replace(" ", "") + "-Regular"}
    for record in list(font["name"].names):
        if record.nameID in (1, 2, 4, 6, 16, 17, 21, 22, 25):
            font["name"].removeNames(nameID=record.nameID)
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)


def _drop_combinations(font: TTFont) -> None:
    """Take away the ligatures whose pictures are hardly ever said."""
    characters = font.getBestCmap()
    tones = {name for code, name in characters.items() if 0x1F3FB <= code <= 0x1F3FF}
    toned = {name for code, name in characters.items() if chr(code) in TONED}
    joiner, arrow = characters[0x200D], characters[ord(ARROW)]

    def is_kept(sequence: list[str]) -> bool:
        count = sum(glyph in tones for glyph in sequence)
        if count == 0:
            return joiner not in sequence or sequence[-1] != arrow
        return count == 1 and joiner not in sequence and sequence[0] in toned

    for table in _ligatures(font):
        for first, ligatures in list(table.items()):
            table[first] = [g for g in ligatures if is_kept([first, *g.Component])]
            if not table[first]:
                del table[first]


def _ligatures(font: TTFont) -> list[dict[str, list[Any]]]:
    lookups = font["GSUB"].table.LookupList.Lookup
    tables = [getattr(t, "ExtSubTable", t) for lookup in lookups for t in lookup.SubTable]
    return [t.ligatures for t in tables if hasattr(t, "ligatures")]


if __name__ == "__main__":
    main()
