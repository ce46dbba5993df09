"""How words become running text: with spaces between them, or without in scripts that use none."""

from __future__ import annotations

import functools
import itertools
import unicodedata
from collections.abc import Iterable

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x30FF),  # CJK radicals and punctuation, kana
    (0x31C0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFF60),  # full-width forms
    (0x20000, 0x3FFFF),
)
_FIRST_UNSPACED = min(first for first, _ in _UNSPACED)


LONGEST_WORD = 60
"""Letters of a word that are shown."""
_STEERING = frozenset(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\ufeff"
)


@functools.lru_cache(maxsize=8192)
def visible(text: str) -> str:
    """A word on one line, without control characters and orders to turn the reading round.

    It is cut if endless.
    """
    one_line = " ".join(text.split())
    kept = "".join(c for c in one_line if unicodedata.category(c) != "Cc" and c not in _STEERING)
    kept = kept.strip()
    return kept if len(kept) <= LONGEST_WORD else kept[: LONGEST_WORD - 1] + "…"


def needs_space(left: str, right: str) -> bool:
    """Whether a space stands between two neighbouring words."""
    return bool(left and right) and not (_is_unspaced(left[-1]) or _is_unspaced(right[0]))


def join_words(texts: Iterable[str]) -> str:
    """Running text of the words, as a reader of their script expects it."""
    joined = ""
    for text in texts:
        joined += f" {text}" if needs_space(joined, text) else text
    return joined


def split_words(text: str) -> list[str]:
    """The words of running text; in scripts without spaces, letters with the marks on them."""
    words: list[str] = []
    for token in text.split():
        words.append(token[0])
        for before, character in itertools.pairwise(token):
            is_letter = unicodedata.category(character)[0] in "LN"
            if is_letter and (_is_unspaced(before) or _is_unspaced(character)):
                words.append(character)
            else:
                words[-1] += character
    return words


def _is_unspaced(character: str) -> bool:
    place = ord(character)
    return place >= _FIRST_UNSPACED and any(first <= place <= last for first, last in _UNSPACED)
