"""Sidecar subtitles of a clip as Advanced SubStation Alpha, as near to its captions as that gets.

Font, colours, edges, boxes and places are the preset's; a pill and a spring are a change of colour.
Lines read from right to left have no tags inside: players put the pieces in the wrong order.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from reelremix.engine.domain.caption import letter_size
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.spacing import needs_space
from reelremix.engine.export.said import Said, Subtitle, subtitles_of

EASE_MS = 80
DEFAULTS: dict[str, Any] = {
    "font": "Arial", "size": 0.05, "fill": "#FFFFFF", "highlight": "#FFFFFF", "outline": "#000000",
    "outline_width": 0.05, "shadow": "", "shadow_drop": 0.0, "box": "", "padding": 0.2,
    "case": "as-is", "animation": "none", "keywords": "", "speakers": [], "pill": "",
}  # fmt: skip
"""What is taken where there are no captions."""
_HEAD = (
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour,"
    " Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline,"
    " Shadow, Alignment, MarginL, MarginR, MarginV, Encoding"
)
_FULL_WIDTH = str.maketrans({"{": "｛", "}": "｝", "\\": "＼"})


def subtitles_ass(clip: Clip) -> str:
    """The clip's cues as an ASS script."""
    style = DEFAULTS | dict(clip.captions.style if clip.captions is not None else {})
    width, height = clip.output.width_px, clip.output.height_px
    em = letter_size(float(style["size"]), width, height)
    head = [
        "[Script Info]", "ScriptType: v4.00+", f"PlayResX: {width}", f"PlayResY: {height}",
        "WrapStyle: 2", "ScaledBorderAndShadow: yes", "",
        "[V4+ Styles]", _HEAD, _style_line(style, em), "",
        "[Events]",
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
    ]  # fmt: skip
    return "\n".join([*head, *(_event(s, style) for s in subtitles_of(clip))]) + "\n"


def _style_line(style: Mapping[str, Any], em: float) -> str:
    # A player shows the primary colour of a syllable once it is sung, the secondary one before.
    sings = style["animation"] in ("karaoke", "typewriter")
    primary = style["highlight"] if style["animation"] == "karaoke" else style["fill"]
    secondary = style["fill"] if style["animation"] != "typewriter" else "#FFFFFF00"
    box = str(style["box"])
    edge = box or str(style["outline"]) or "#00000000"
    border = float(style["padding"] if box else style["outline_width"] if style["outline"] else 0)
    drop = 0.0 if box or not style["shadow"] else float(style["shadow_drop"])
    colours = (primary, secondary if sings else style["fill"], edge, style["shadow"] or "#00000000")
    font = str(style["font"]).replace(",", " ")
    # Fontsize is the line's height, not the em: most fonts are about 1.2 em high.
    return (
        f"Style: Caption,{font},{em * 1.2:.0f},{','.join(map(_colour, colours))},"
        f"-1,0,0,0,100,100,0,0,{3 if box else 1},{border * em:.1f},{drop * em:.1f},5,0,0,0,1"
    )


def _event(subtitle: Subtitle, style: Mapping[str, Any]) -> str:
    speaker = (subtitle.speaker or "").replace(",", " ")
    place = ""
    if subtitle.cue is not None:
        x, y, width, height = subtitle.cue.box
        place = f"{{\\pos({x + width // 2},{y + height // 2})}}"
    text = "\\N".join(_line(line, subtitle, style) for line in subtitle.lines)
    times = f"{_clock(subtitle.start_ms)},{_clock(subtitle.end_ms)}"
    return f"Dialogue: 0,{times},Caption,{speaker},0,0,0,,{place}{text}"


def _line(line: tuple[Said, ...], subtitle: Subtitle, style: Mapping[str, Any]) -> str:
    whole = any(unicodedata.bidirectional(c) in ("R", "AL") for word in line for c in word.text)
    text = ""
    for number, word in enumerate(line):
        if number and needs_space(line[number - 1].text, word.text):
            text += " "
        text += ("" if whole else _tag(word, subtitle, style)) + _shown(word.text, style)
    return text


def _tag(word: Said, subtitle: Subtitle, style: Mapping[str, Any]) -> str:
    """What happens to a word: it is sung, typed, or takes colour for as long as it is said."""
    animation, plain = style["animation"], _plain(word, subtitle, style)
    if animation in ("karaoke", "typewriter"):
        return f"{{\\{'kf' if animation == 'karaoke' else 'k'}{_following(word, subtitle)}}}"
    own = f"\\1c{_rgb(plain)}"
    if animation == "none" or style["highlight"] == style["fill"]:
        return f"{{{own}}}" if style["keywords"] or style["speakers"] else ""
    start, end = word.start_ms - subtitle.start_ms, word.end_ms - subtitle.start_ms
    lit = _rgb((style["pill"] if animation == "pill" else "") or style["highlight"])
    return f"{{{own}\\t({start},{start + EASE_MS},\\1c{lit})\\t({end},{end + EASE_MS},{own})}}"


def _plain(word: Said, subtitle: Subtitle, style: Mapping[str, Any]) -> str:
    """The word's colour before it is said."""
    voice = subtitle.cue.voice if subtitle.cue is not None else None
    if word.is_stressed and style["keywords"]:
        return str(style["keywords"])
    if style["speakers"] and voice is not None:
        return str(style["speakers"][voice % len(style["speakers"])])
    return str(style["fill"])


def _following(word: Said, subtitle: Subtitle) -> int:
    """Hundredths of a second from this word to the next, which is what a player counts."""
    words = [w for line in subtitle.lines for w in line]
    at = words.index(word)
    begins = subtitle.start_ms if at == 0 else word.start_ms
    ends = words[at + 1].start_ms if at + 1 < len(words) else word.end_ms
    return max(0, round(ends / 10) - round(begins / 10))


def _shown(text: str, style: Mapping[str, Any]) -> str:
    cased = text.upper() if style["case"] == "upper" else text
    return cased.translate(_FULL_WIDTH)


def _clock(milliseconds: int) -> str:
    seconds, hundredths = divmod(round(milliseconds / 10), 100)
    minutes, s = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{s:02d}.{hundredths:02d}"


def _colour(colour: str) -> str:
    """`#RRGGBBAA` as a player of ASS has it: transparency first, blue before red."""
    digits = colour.removeprefix("#")
    alpha = 255 - int(digits[6:8] or "FF", 16)
    return f"&H{alpha:02X}{digits[4:6]}{digits[2:4]}{digits[0:2]}".upper()


def _rgb(colour: str) -> str:
    return f"&H{_colour(colour)[4:]}&"
