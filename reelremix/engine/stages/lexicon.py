"""Words a listener reacts to, counted sentence by sentence.

The phrases live in `data/cues_<language>.toml`, one file a language, written to be read and
changed; a language without a file has no cues. What the counts mean is up to `stages.score`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.terms import tokenize as tokenize

_ENGLISH_MARKS = frozenset(
    ("the", "and", "is", "of", "to", "that", "in", "it", "was", "you", "for")
)
_ENGLISH_SHARE = 0.12
"""Running English has about 0.25 of these words, related languages under 0.05."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Phrases of one language by what they do to a listener."""

    cues: tuple[str, ...]
    phrases: dict[str, tuple[int, ...]]
    """Phrase to indexes into `cues`."""
    longest: int
    """Words in the longest phrase."""
    openings: frozenset[str]
    """First words of phrases; all others need no look-up."""

    def count(self, sentences: Sequence[Sequence[str]]) -> npt.NDArray[np.float64]:
        """Occurrences, a row for each sentence and a column for each cue."""
        counts = np.zeros((len(sentences), len(self.cues)))
        for row, tokens in enumerate(sentences):
            for at, token in enumerate(tokens):
                if token in self.openings:
                    for cue in self.at(tokens, at):
                        counts[row, cue] += 1
        return counts

    def at(self, tokens: Sequence[str], at: int) -> list[int]:
        """The cues of every phrase that begins at `at`."""
        found: list[int] = []
        for length in range(1, min(self.longest, len(tokens) - at) + 1):
            found.extend(self.phrases.get(" ".join(tokens[at : at + length]), ()))
        return found

    def starts_with(self, sentences: Sequence[Sequence[str]], cue: str) -> npt.NDArray[np.float64]:
        """1.0 for each sentence that begins with a phrase of the cue."""
        index = self.cues.index(cue)
        return np.array([float(bool(s) and index in self.at(s, 0)) for s in sentences])


@cache
def load_lexicon(language: str) -> Lexicon | None:
    """The lexicon of an ISO 639 language; None when there is none."""
    name = f"cues_{language.split('-')[0].split('_')[0].lower()}.toml"
    file = resources.files("reelremix.engine.stages") / "data" / name
    if not file.is_file():
        return None
    lists: dict[str, list[str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    cues = tuple(lists)
    phrases: dict[str, tuple[int, ...]] = {}
    for index, cue in enumerate(cues):
        for phrase in dict.fromkeys(lists[cue]):
            phrases[phrase] = (*phrases.get(phrase, ()), index)
    openings = frozenset(p.split()[0] for p in phrases)
    return Lexicon(cues, phrases, max(len(p.split()) for p in phrases), openings)


def sounds_english(sentences: Iterable[Sequence[str]]) -> bool:
    """Whether text of unknown language is English, by its most frequent small words."""
    words = [token for sentence in islice(sentences, 400) for token in sentence]
    return bool(words) and sum(w in _ENGLISH_MARKS for w in words) / len(words) > _ENGLISH_SHARE
