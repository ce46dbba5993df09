"""Sentences that lost words, made to read as if those had never been there."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.fillers import SENTENCE_ENDS, bare


def mended(
    words: Sequence[Word], gone: AbstractSet[int], small: AbstractSet[str]
) -> tuple[Word, ...]:
    """The words that stay: sentences keep their capital and their end, "and, um, we" no comma.

    Args:
        words: all that was said.
        gone: indexes of those that go.
        small: words that no comma follows.
    """
    kept: list[Word] = []
    begins = False
    for index, word in enumerate(words):
        if index not in gone:
            kept.append(replace(word, text=_capital(word.text)) if begins else word)
            begins = False
            continue
        begins = begins or (_is_between(kept) and word.text[:1].isupper())
        if kept:
            kept[-1] = replace(kept[-1], text=_ended(kept[-1].text, word.text, small))
    return tuple(kept)


def _is_between(kept: Sequence[Word]) -> bool:
    """Whether a sentence ends before what follows."""
    return not kept or _ends(kept[-1].text)


def _ends(text: str) -> bool:
    return text.rstrip("\"'”’»)").endswith(SENTENCE_ENDS)


def _ended(text: str, gone: str, small: AbstractSet[str]) -> str:
    """A word with the mark it needs now that the one behind it is gone."""
    if _ends(gone) and not _ends(text):
        return text.rstrip(",;:–—-") + gone.rstrip("\"'”’»)")[-1]
    return text[:-1] if text.endswith(",") and bare(text) in small else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
