"""Words that are not to be read or heard: masked wherever a clip shows them, covered in its sound.

The lists live in `data/profanity.toml` and hold strong profanity alone; a user's own list adds to
them. Evidence for a score stays as it was said.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.mix import Censored
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.names import slug
from reelremix.engine.stages.fillers import bare
from reelremix.errors import ConfigError

MARGIN_S = 0.06
"""Word times are inexact: so much more is covered on either side, as far as no other word is."""
_JOINERS = "\u200c\u200d\ufe0f"
_TEXT = re.compile(r"[^\s,.;:!?…\"“”„«»()\[\]/–—]+")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words, and beginnings of words, in lower case."""

    words: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()

    def has(self, text: str) -> bool:
        """Whether a word, or a part of it between hyphens, is one of these."""
        whole = unicodedata.normalize("NFC", bare(text))
        return any(
            part in self.words or part.startswith(self.beginnings)
            for part in (whole, *whole.split("-"))
            if part
        )


def word_list(language: str | None, own: Path | None) -> WordList:
    """The words of a language, and those of a file with one a line.

    Raises:
        ConfigError: the file cannot be read, or holds a line that is not one word.
    """
    entries = _lists().get((language or "").split("-")[0].lower(), "").split()
    if own is not None:
        entries = [*entries, *_own(own)]
    level = [unicodedata.normalize("NFC", _as_spoken(entry)) for entry in entries]
    return WordList(
        frozenset(entry for entry in level if not entry.endswith("*")),
        tuple(entry[:-1] for entry in level if entry.endswith("*")),
    )


def _as_spoken(entry: str) -> str:
    """An entry as words are compared, its asterisk kept."""
    return bare(entry.removesuffix("*")) + "*" * entry.endswith("*")


def _own(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ConfigError(
            f"the list of words {path} cannot be read: {(reason or str(exc)).lower()}",
            hint="`censor_words` names a text file with one word a line",
        ) from exc
    words = {number: line.partition("#")[0].strip() for number, line in enumerate(lines, start=1)}
    for number, word in words.items():
        if word and (len(word.split()) > 1 or not any(c.isalnum() for c in word)):
            raise ConfigError(
                f"{path}:{number}: {word!r} is not one word, so that it would never be found",
                hint="write one word a line; `word*` takes every word that begins so",
            )
    return [word for word in words.values() if word]


@cache
def _lists() -> dict[str, str]:
    file = resources.files("reelremix.engine.stages") / "data" / "profanity.toml"
    return {name: str(words) for name, words in tomllib.loads(file.read_text("utf-8")).items()}


def censored(clip: Clip, mode: Censor, words: WordList) -> Clip:
    """The clip with its words masked in everything it shows, and the stretches to be covered."""
    spans = _covered(clip.words, words)
    if mode is Censor.OFF:
        return clip
    shown = tuple(_masked(word, words) for word in clip.words)
    title = masked_text(clip.title, words)
    return replace(
        clip,
        words=shown,
        text=masked_text(clip.text, words),
        title=title,
        slug=clip.slug if title == clip.title else slug(title),
        description=masked_text(clip.description, words),
        hashtags=tuple(tag for tag in clip.hashtags if not words.has(tag.lstrip("#"))),
        censored=tuple(Censored(span, mode) for span in spans),
    )


def _masked(word: Word, words: WordList) -> Word:
    return replace(word, text=masked_text(word.text, words)) if words.has(word.text) else word


def masked_text(text: str, words: WordList) -> str:
    """Running text with the words masked."""

    def shown(found: re.Match[str]) -> str:
        return mask(found.group()) if words.has(found.group()) else found.group()

    return _TEXT.sub(shown, text)


def mask(word: str) -> str:
    """The first letter, with whatever belongs to it, and an asterisk for each other: `f***`."""
    shown, letters = "", 0
    for character in word:
        if character in _JOINERS or unicodedata.category(character)[0] == "M":
            shown += character if letters == 1 else ""
        elif character.isalnum():
            letters += 1
            shown += character if letters == 1 else "*"
        else:
            shown += character
    return shown


def _covered(spoken: Sequence[Word], words: WordList) -> list[TimeRange]:
    """Where the words are heard, a little more on either side, those that touch as one."""
    spans: list[TimeRange] = []
    for index, word in enumerate(spoken):
        if not words.has(word.text):
            continue
        span = _widened(index, spoken)
        if spans and span.start <= spans[-1].end:
            span = TimeRange(spans[-1].start, max(spans.pop().end, span.end))
        spans.append(span)
    return spans


def _widened(index: int, spoken: Sequence[Word]) -> TimeRange:
    start, end = spoken[index].range.start_s, spoken[index].range.end_s
    before = spoken[index - 1].range.end_s if index else 0.0
    behind = spoken[index + 1].range.start_s if index + 1 < len(spoken) else end + MARGIN_S
    return TimeRange.from_seconds(
        max(start - MARGIN_S, min(start, before)), min(end + MARGIN_S, max(end, behind))
    )
