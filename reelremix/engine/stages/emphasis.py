"""Which words of a clip's captions bear the stress, whose voice says a cue, which emoji it shows.

Simple rules that can be explained: numbers and money, names, capitalised terms, long words said
once. At most one word in five. Drawing obeys what is decided here.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from reelremix.engine.captions.joins import (
    TOGETHER,
    ends_sentence,
    is_measure,
    is_name_part,
    is_number,
    split_costs,
)
from reelremix.engine.captions.style import CaptionStyle
from reelremix.engine.domain.caption import Cue
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.describe import all_small_words
from reelremix.engine.stages.lexicon import sounds_english, tokenize

ONE_IN = 5
"""At most one word in so many is stressed."""
LONG_WORD = 9
"""Letters from which on a word that is said once counts as rare."""
NOUNS_TOO = 0.15
"""Where more words than this share are capitalised inside sentences, nouns are, not names alone."""
EMOJI_APART_S = 4.0
"""Two emoji are at least so far apart."""
_EDGES = "\"'“”‘’«»()[]{}.,!?;:…-–—"


def emphasised(cues: Sequence[Cue], words: Sequence[Word], style: CaptionStyle) -> tuple[Cue, ...]:
    """The cues with what the style asks for: stressed words, voices, emoji."""
    marked = tuple(cues)
    if style.keywords:
        stressed = keywords(words, [[i for line in c.lines for i in line] for c in cues])
        marked = tuple(replace(c, keywords=k) for c, k in zip(marked, stressed, strict=True))
    if style.speakers:
        marked = _voiced(marked, words)
    return _illustrated(marked, words) if style.emoji else marked


def keywords(words: Sequence[Word], cues: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """The stressed words of each cue, by index; words that belong together go together."""
    small = all_small_words()
    weights = _weights(words, small)
    costs = split_costs(words, small)
    groups = [(weight, number, group) for number, cue in enumerate(cues)
              for weight, group in _groups(cue, weights, costs)]  # fmt: skip
    left = len(words) // ONE_IN
    chosen: dict[int, tuple[int, ...]] = {}
    for _, number, group in sorted(groups, key=lambda g: (-g[0], g[1])):
        if number not in chosen and len(group) <= left:
            chosen[number] = group
            left -= len(group)
    return [chosen.get(number, ()) for number in range(len(cues))]


def _groups(
    cue: Sequence[int], weights: Sequence[int], costs: Sequence[float]
) -> list[tuple[int, tuple[int, ...]]]:
    """Words of a cue worth stress, names and measured numbers whole, with the best weight."""
    groups: list[tuple[int, tuple[int, ...]]] = []
    for index in cue:
        joined = bool(groups) and groups[-1][1][-1] == index - 1 and costs[index] >= TOGETHER
        if joined and (weights[index] or groups[-1][0] >= 3):
            weight, group = groups[-1]
            groups[-1] = max(weight, weights[index]), (*group, index)
        elif weights[index]:
            groups.append((weights[index], (index,)))
    return groups


def _weights(words: Sequence[Word], small: Collection[str]) -> list[int]:
    """How much each word deserves stress: 3 for numbers, 2 for names and terms, 1 for rare ones."""
    texts = [word.text for word in words]
    said = Counter(_plain(text) for text in texts)
    opens = [i == 0 or ends_sentence(texts[i - 1]) for i in range(len(texts))]
    inside = [text for text, first in zip(texts, opens, strict=True) if not first]
    names = sum(map(is_name_part, inside)) <= max(2, NOUNS_TOO * len(inside))
    return [
        _weight(text, said[_plain(text)], small, may_be_name=names and not first)
        for text, first in zip(texts, opens, strict=True)
    ]


def _weight(text: str, said: int, small: Collection[str], *, may_be_name: bool) -> int:
    plain = text.strip(_EDGES)
    if is_number(plain) or "%" in text:
        return 3
    if may_be_name and is_name_part(plain):
        return 2
    if plain.lower() in small or is_measure(plain):
        return 0
    return 1 if len(plain) >= LONG_WORD and said == 1 else 0


def _voiced(cues: Sequence[Cue], words: Sequence[Word]) -> tuple[Cue, ...]:
    """The cues with the number of their voice, where more than one is heard."""
    voices = list(dict.fromkeys(word.speaker for word in words if word.speaker is not None))
    if len(voices) < 2:
        return tuple(cues)
    return tuple(replace(cue, voice=_voice(cue, words, voices)) for cue in cues)


def _voice(cue: Cue, words: Sequence[Word], voices: Sequence[str]) -> int | None:
    said = Counter(words[i].speaker for line in cue.lines for i in line)
    speaker = said.most_common(1)[0][0]
    return None if speaker is None else voices.index(speaker)


def _illustrated(cues: Sequence[Cue], words: Sequence[Word]) -> tuple[Cue, ...]:
    """The cues with an emoji where a word has one: one a sentence, and never two in a row alike."""
    if not sounds_english([tokenize(" ".join(word.text for word in words))]):
        return tuple(cues)
    shown: list[Cue] = []
    last_at, last = float("-inf"), ""
    is_free = True
    for cue in cues:
        texts = [words[i].text for line in cue.lines for i in line]
        emoji = next((e for t in texts if (e := _emoji().get(_plain(t)))), "")
        if emoji and emoji != last and is_free and cue.range.start_s - last_at >= EMOJI_APART_S:
            shown.append(replace(cue, emoji=emoji))
            last_at, last, is_free = cue.range.start_s, emoji, False
        else:
            shown.append(cue)
        is_free = is_free or any(ends_sentence(text) for text in texts)
    return tuple(shown)


def _plain(text: str) -> str:
    return text.strip(_EDGES).lower().removesuffix("'s").removesuffix("’s")


@cache
def _emoji() -> Mapping[str, str]:
    """Word to emoji."""
    file = resources.files("reelremix.engine.stages") / "data" / "emoji_en.toml"
    lists: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
    return {word: emoji for emoji, words in lists.items() for word in words.split()}
