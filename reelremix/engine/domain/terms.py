"""Words as they are looked for: lower case, English endings left aside, unspaced scripts in pairs.

What is stored and what is asked for must be cut alike, so both are cut here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from reelremix.errors import ConfigError

FEWEST_LETTERS = 2
LONGEST_SHOWN = 40

_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0e3a\u0e47-\u0e4e\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3\u200c\u200d"
)
"""Vowel signs and joiners: parts of words that are not letters to `re`."""
_LETTER = rf"(?:[^\W_]|[{_MARKS}])"
_TOKEN = re.compile(rf"{_LETTER}+(?:['’-]{_LETTER}+)*")
_UNSPACED_RUN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2,}"
)
_PARTS = re.compile(r"[^-'\u200c\u200d]+")


def tokenize(text: str) -> list[str]:
    """Words in lower case; overlapping pairs of characters where a script writes no spaces."""
    tokens: list[str] = []
    for token in _TOKEN.findall(text.lower().replace("’", "'")):
        if run := _UNSPACED_RUN.fullmatch(token):
            tokens.extend(run[0][i : i + 2] for i in range(len(run[0]) - 1))
        else:
            tokens.append(token)
    return tokens


def words_asked_for(text: str, option: str) -> tuple[str, list[str]]:
    """What somebody typed to look for, tidied, and its words.

    Raises:
        ConfigError: it has no words; `option` is what was typed wrong.
    """
    cleaned = " ".join(text.encode(errors="replace").decode().split())
    tokens = tokenize(cleaned)
    if sum(map(len, tokens)) < FEWEST_LETTERS:
        raise ConfigError(
            f"{option} needs at least a word to look for (got {cleaned[:LONGEST_SHOWN]!r})",
            hint='name a subject in a few words, such as "hiring mistakes"',
        )
    return cleaned, tokens


def terms_of(text: str) -> list[str]:
    """The words of a text without their endings, as they are looked for."""
    return [part for token in tokenize(text) for part in stems_of(token)]


def stem(word: str) -> str:
    """An English word without the endings of number, tense and manner; other words as they are."""
    if len(word) <= 3 or not (word.isascii() and word.isalpha()):
        return word
    return _without_e(_without_tense(_without_plural(word)))


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_tense(word: str) -> str:
    for ending in ("ing", "ed", "ly"):
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and any(vowel in bare for vowel in "aeiouy"):
            is_doubled = bare[-1] == bare[-2] and bare[-1] not in "lsz"
            return bare[:-1] if is_doubled and ending != "ly" else bare
    return word


def _without_e(word: str) -> str:
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


@lru_cache(maxsize=50_000)
def stems_of(token: str) -> tuple[str, ...]:
    """The parts of a token without their endings."""
    bare = token.removesuffix("'s").removesuffix("s'")
    return tuple(stem(part) for part in _PARTS.findall(bare))
