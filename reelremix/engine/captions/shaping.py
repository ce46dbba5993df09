"""From words to positioned glyphs on one line: direction, font fallback, shaping, visual order.

A line is measured in em from its left end on the alphabetic baseline, y downwards. Which words
share a line is decided in `lines`, where lines stand in `block`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bidi import algorithm as bidi

from reelremix.engine.captions.typefaces import (
    Face,
    FaceChain,
    ShapedRun,
    chain_for,
    clusters,
    emoji_as_drawn,
    is_emoji,
)
from reelremix.engine.domain.spacing import needs_space

_IGNORED = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f\ufeff\u00ad")


@dataclass(frozen=True, slots=True)
class PlacedRun:
    """A shaped run and where it starts on the line."""

    run: ShapedRun
    x: float


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word on the line; its runs stand from left to right."""

    runs: tuple[PlacedRun, ...]
    reads_left: bool = False
    """Whether it is read from right to left."""

    @property
    def left(self) -> float:
        """Where the word's advance begins."""
        return min((r.x for r in self.runs), default=0.0)

    @property
    def right(self) -> float:
        """Where the word's advance ends."""
        return max((r.x + r.run.width for r in self.runs), default=0.0)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """Left and right of each unbroken piece; a word of mixed direction may have several."""
        pieces: list[tuple[float, float]] = []
        for placed in self.runs:
            end = placed.x + placed.run.width
            if pieces and placed.x - pieces[-1][1] < 1e-6:
                pieces[-1] = (pieces[-1][0], end)
            else:
                pieces.append((placed.x, end))
        return tuple(pieces)


@dataclass(frozen=True, slots=True)
class ShapedLine:
    """One line of words in reading order."""

    words: tuple[PlacedWord, ...]
    width: float


@dataclass(frozen=True, slots=True)
class _Item:
    """A run, or the space between words, before it is put in visual order."""

    word: int | None
    level: int
    run: ShapedRun | None
    width: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of a word that one call to the shaper can take."""

    text: str
    level: int
    face: Face
    script: str

    def takes(self, script: str) -> bool:
        """Whether a cluster of the script may join; what has no script joins any."""
        return not script or self.script in ("", script)


def is_rtl(texts: Iterable[str]) -> bool:
    """Whether the text reads from right to left: most words decide by their first strong letter.

    For a single sentence that is its first strong letter in all but name; counting words keeps an
    Arabic sentence that opens with a Latin brand name in Arabic order.
    """
    votes = [direction for t in texts if (direction := _first_strong(t)) is not None]
    rights = sum(votes)
    return bool(votes) and (rights * 2 > len(votes) or (rights * 2 == len(votes) and votes[0]))


def shape_line(
    texts: Sequence[str], chain: FaceChain, *, rtl: bool, word_gap: float = 0.0
) -> ShapedLine:
    """Shape the words of one line and put them in visual order, `word_gap` em further apart."""
    items = _items(texts, _levels(texts, rtl=rtl), chain, word_gap)
    placed: list[list[PlacedRun]] = [[] for _ in texts]
    x = 0.0
    for item in _reordered(items):
        if item.word is not None and item.run is not None:
            placed[item.word].append(PlacedRun(item.run, x))
        x += item.width
    words = (
        PlacedWord(tuple(runs), _first_strong(text) or False)
        for runs, text in zip(placed, texts, strict=True)
    )
    return ShapedLine(tuple(words), x)


def text_width(text: str, chain: FaceChain) -> float:
    """Width of one word, or of a space, in em."""
    rtl = bool(_first_strong(text))
    return sum(i.width for i in _items([text], _levels([text], rtl=rtl), chain, 0.0))


def missing_glyphs(text: str, font: str) -> set[str]:
    """The characters no bundled or installed font can draw; they are left out of the picture."""
    chain = chain_for(font)
    missing: set[str] = set()
    for cluster in clusters(text):
        if chain.face_for(cluster) is None:
            missing |= {c for c in cluster if _is_drawn(c) and chain.face_for(c) is None}
    return missing


def _is_drawn(character: str) -> bool:
    return character not in _IGNORED and unicodedata.category(character) not in ("Cc", "Cf", "Zs")


def _first_strong(text: str) -> bool | None:
    """True for right to left, False for left to right, None without a strong letter."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return None


def _levels(texts: Sequence[str], *, rtl: bool) -> list[list[int]]:
    """Embedding level of every character, word by word, and of the space before each but the first.

    A space's level comes first in its word's list.
    """
    paragraph = " ".join(texts)
    levels = _embedding_levels(paragraph, rtl=rtl)
    split: list[list[int]] = []
    at = 0
    for index, text in enumerate(texts):
        start = at if index == 0 else at - 1
        split.append(levels[start : at + len(text)])
        at += len(text) + 1
    if split:
        split[0].insert(0, int(rtl))
    return split


def _embedding_levels(text: str, *, rtl: bool) -> list[int]:
    """Unicode bidirectional levels; characters the algorithm removes take the level before them."""
    storage = bidi.get_empty_storage()
    storage["base_level"], storage["base_dir"] = int(rtl), "R" if rtl else "L"
    bidi.get_embedding_levels("".join(map(_known_to_bidi, text)), storage)
    for index, character in enumerate(storage["chars"]):
        character["at"] = index
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, False)
    bidi.resolve_implicit_levels(storage, False)
    known = {int(c["at"]): int(c["level"]) for c in storage["chars"]}
    levels: list[int] = []
    for index in range(len(text)):
        levels.append(known.get(index, levels[-1] if levels else int(rtl)))
    return levels


def _known_to_bidi(character: str) -> str:
    """The character, or one of a class that python-bidi 0.6 knows: it fails on unassigned ones."""
    kind = unicodedata.bidirectional(character)
    if kind in ("LRI", "RLI", "FSI", "PDI"):
        return "\u200b"
    return character if kind else "a"


def _items(
    texts: Sequence[str], levels: list[list[int]], chain: FaceChain, word_gap: float
) -> list[_Item]:
    space = chain.primary.shape(" ", rtl=False).width + word_gap
    items: list[_Item] = []
    for index, (text, (space_level, *word_levels)) in enumerate(zip(texts, levels, strict=True)):
        if index and needs_space(texts[index - 1], text):
            items.append(_Item(None, space_level, None, space))
        for run, level in _runs(text, word_levels, chain):
            items.append(_Item(index, level, run, run.width))
    return items


def _runs(text: str, levels: list[int], chain: FaceChain) -> list[tuple[ShapedRun, int]]:
    """Cut a word where level, font or script changes, and shape the pieces."""
    pieces: list[_Piece] = []
    at = 0
    for cluster in clusters(text):
        level, face, script = levels[at], chain.face_for(cluster) or chain.primary, _script(cluster)
        at += len(cluster)
        if is_emoji(cluster):
            cluster = emoji_as_drawn(cluster)
        last = pieces[-1] if pieces else None
        if last and last.level == level and last.face is face and last.takes(script):
            pieces[-1] = _Piece(last.text + cluster, level, face, last.script or script)
        else:
            pieces.append(_Piece(cluster, level, face, script))
    return [(p.face.shape(p.text, rtl=bool(p.level % 2)), p.level) for p in pieces]


def _script(cluster: str) -> str:
    """Name of the letter's script; empty for what belongs to every script."""
    first = cluster[0]
    return unicodedata.name(first, "").partition(" ")[0] if first.isalpha() else ""


def _reordered(items: list[_Item]) -> list[_Item]:
    """Rule L2: from the highest level down, reverse every stretch at that level or above."""
    ordered = list(items)
    highest = max((i.level for i in items), default=0)
    for level in range(highest, 0, -1):
        start = 0
        while start < len(ordered):
            if ordered[start].level < level:
                start += 1
                continue
            end = start
            while end < len(ordered) and ordered[end].level >= level:
                end += 1
            ordered[start:end] = ordered[start:end][::-1]
            start = end
    return ordered
