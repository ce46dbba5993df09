"""Whether a film and what is written beside it are what a platform takes.

The limits are data (`posting_limits.toml`), each with where it stands. Nothing is ever shortened or
changed to fit: what does not fit is told, with what to type.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from reelremix.engine.domain.source import Source, StreamKind
from reelremix.errors import ConfigError

NARROW = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""Characters that X counts as one; others count as two
(https://docs.x.com/fundamentals/counting-characters)."""
_JOINER = "\u200d"
_MODIFIERS = "\ufe0f" + "".join(chr(c) for c in range(0x1F3FB, 0x1F400))
ROUNDING = 0.005
"""Numbers that differ by so small a share are the same: 1080 by 1918 is 9:16."""
Value = float | str


@dataclass(frozen=True, slots=True)
class Limit:
    """What a platform publishes about one thing."""

    what: str
    least: float | None
    most: float | None
    one_of: tuple[str, ...]
    without: str
    """Characters that a text may not hold."""
    count: str
    """How letters are counted: `characters`, `bytes`, `utf16` or `weighted`."""
    must: bool
    """Whether a clip beyond it is refused; else it is advice."""
    source: str
    as_of: str
    """The day on which the source was looked up."""
    is_quoted: bool
    """Whether others quote it so, and the page itself was not read."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Where clips are posted."""

    key: str
    name: str
    text: Mapping[str, tuple[str, ...]]
    """Fields to fill in, and of what: title, description, hashtags."""
    takes_subtitles: bool
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A limit held against a clip."""

    limit: Limit
    value: Value
    is_kept: bool
    wrong_letters: str = ""
    """Characters that may not be there."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What is written beside a clip."""

    title: str
    description: str
    hashtags: tuple[str, ...]

    def field(self, parts: Sequence[str]) -> str:
        """What goes into a field, as it is pasted."""
        whole = {
            "title": self.title,
            "description": self.description,
            "hashtags": " ".join(self.hashtags),
        }
        return "\n\n".join(whole[part] for part in parts if whole[part].strip())


@cache
def platforms() -> dict[str, Platform]:
    """Every platform by its key."""
    file = Path(__file__).with_name("posting_limits.toml")
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return {key: _platform(key, table) for key, table in content.items() if isinstance(table, dict)}


def named_platforms(names: Sequence[str]) -> tuple[Platform, ...]:
    """The platforms that are named, each once. Raises ConfigError."""
    known = platforms()
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        got = f"(got {unknown[0]!r})" if unknown else "(got none)"
        raise ConfigError(f"--for takes {', '.join(known)} {got}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _platform(key: str, table: Mapping[str, Any]) -> Platform:
    return Platform(
        key,
        str(table["name"]),
        {name: tuple(parts) for name, parts in table["text"].items()},
        bool(table["subtitles"]),
        tuple(_limit(entry) for entry in table["limit"]),
    )


def _limit(entry: Mapping[str, Any]) -> Limit:
    return Limit(
        what=entry["what"],
        least=entry.get("least"),
        most=entry.get("most"),
        one_of=tuple(entry.get("one_of", ())),
        without=entry.get("without", ""),
        count=entry.get("count", "characters"),
        must=entry.get("must", False),
        source=entry["source"],
        as_of=entry["as_of"],
        is_quoted=entry.get("quoted", False),
    )


def checks(platform: Platform, film: Source, texts: Texts) -> tuple[Check, ...]:
    """Every limit that can be held against the film and its texts."""
    facts = film_facts(film)
    found = []
    for limit in platform.limits:
        value = _value(limit, platform, facts, texts)
        if value is not None:
            wrong = _wrong_letters(limit, platform, texts)
            found.append(Check(limit, value, _is_kept(limit, value) and not wrong, wrong))
    return tuple(found)


def film_facts(film: Source) -> dict[str, Value]:
    """What limits may ask of a film."""
    facts: dict[str, Value] = {
        "duration_s": round(film.duration.seconds, 3),
        "size_bytes": film.size_bytes,
        "bit_rate": round(film.size_bytes * 8 / film.duration.seconds),
    }
    for stream in film.of_kind(StreamKind.VIDEO)[:1]:
        picture = stream.video
        assert picture is not None
        facts |= {
            "video_codec": stream.codec,
            "pixel_format": picture.pixel_format,
            "width_px": picture.width_px,
            "height_px": picture.height_px,
            "aspect": round(picture.width_px / picture.height_px, 4),
            "frame_rate": round(float(picture.frame_rate), 3),
        }
    for stream in film.of_kind(StreamKind.AUDIO)[:1]:
        sound = stream.audio
        assert sound is not None
        facts |= {
            "audio_codec": stream.codec,
            "audio_rate_hz": sound.rate_hz,
            "audio_channels": sound.channels,
        }
    return facts


def _value(
    limit: Limit, platform: Platform, facts: Mapping[str, Value], texts: Texts
) -> Value | None:
    if limit.what == "hashtags":
        return len(texts.hashtags)
    if limit.what in platform.text:
        return letters(texts.field(platform.text[limit.what]), limit.count)
    return facts.get(limit.what)


def _wrong_letters(limit: Limit, platform: Platform, texts: Texts) -> str:
    if not limit.without or limit.what not in platform.text:
        return ""
    text = texts.field(platform.text[limit.what])
    return "".join(letter for letter in limit.without if letter in text)


def letters(text: str, count: str) -> int:
    """The length of a text as a platform counts it."""
    if count == "bytes":
        return len(text.encode())
    if count == "utf16":
        return len(text.encode("utf-16-le")) // 2
    if count == "weighted":
        return _weighted(unicodedata.normalize("NFC", text))
    return len(text)


def _weighted(text: str) -> int:
    """As X counts, where what is joined to an emoji is part of it."""
    length, is_joined = 0, False
    for letter in text:
        if letter == _JOINER or is_joined:
            is_joined = letter == _JOINER
            continue
        if letter not in _MODIFIERS:
            length += 1 if any(a <= ord(letter) <= b for a, b in NARROW) else 2
    return length


def _is_kept(limit: Limit, value: Value) -> bool:
    if isinstance(value, str):
        return value in limit.one_of
    low = limit.least is None or value >= limit.least * (1 - _slack(limit))
    return low and (limit.most is None or value <= limit.most * (1 + _slack(limit)))


def _slack(limit: Limit) -> float:
    return ROUNDING if limit.what in ("aspect", "frame_rate") else 0.0


_NAMES = {
    "duration_s": "it lasts {value:g} s",
    "size_bytes": "its file has {value:,.0f} bytes",
    "bit_rate": "it has {value:,.0f} bits a second",
    "width_px": "it is {value:g} pixels wide",
    "height_px": "it is {value:g} pixels high",
    "aspect": "its width is {value:g} of its height",
    "frame_rate": "it has {value:g} frames a second",
    "video_codec": "its picture is {value}",
    "pixel_format": "its pixels are {value}",
    "audio_codec": "its sound is {value}",
    "audio_rate_hz": "its sound has {value:,.0f} Hz",
    "audio_channels": "its sound has {value:g} channels",
    "hashtags": "it has {value:g} hashtags",
}
_RENDER = "`reelremix render {manifest} {rank} {flag} --overwrite` makes it anew"
_FLAGS = {
    "size_bytes": "--crf 26",
    "bit_rate": "--crf 26",
    "width_px": "--aspect 9:16",
    "height_px": "--aspect 9:16",
    "aspect": "--aspect 9:16",
    "frame_rate": "--fps 30",
    "video_codec": "--encoder libx264",
    "pixel_format": "--encoder libx264",
    "audio_codec": "--encoder libx264",
    "audio_rate_hz": "--encoder libx264",
    "audio_channels": "--encoder libx264",
}


def told(check: Check, platform: Platform) -> str:
    """What is beyond a limit, in one line."""
    limit = check.limit
    if check.wrong_letters:
        return f"its {limit.what} holds {check.wrong_letters}, which {platform.name} refuses"
    letters_of = f"its {limit.what} has {{value:g}} characters"
    value = _NAMES.get(limit.what, letters_of).format(value=check.value)
    return f"{value}; {platform.name} takes {_allowed(limit)}"


def _allowed(limit: Limit) -> str:
    if limit.one_of:
        return " or ".join(limit.one_of)
    if limit.least is not None and limit.least == limit.most:
        return f"{limit.most:g}"
    low = f"at least {limit.least:,.15g}" if limit.least is not None else ""
    high = f"at most {limit.most:,.15g}" if limit.most is not None else ""
    return " and ".join(part for part in (low, high) if part)


def hint_for(check: Check, manifest: Path, rank: int) -> str:
    """What to type about it."""
    what = check.limit.what
    if what in _FLAGS:
        return _RENDER.format(manifest=manifest, rank=rank, flag=_FLAGS[what])
    if what == "duration_s":
        is_long = check.limit.most is not None and float(check.value) > check.limit.most
        asked = f"--max {check.limit.most:g}" if is_long else f"--min {check.limit.least:g}"
        return f"`reelremix clip SOURCE {asked} --overwrite` chooses others"
    return f"change clip {rank} in {manifest}, then run this again; nothing is cut by itself"
