"""Which words of a stretch can go because they say nothing: fillers, set phrases, false starts.

Looks at words alone; whether they can be cut out without a trace is up to `stages.tighten`. The
lists live in `data/fillers.toml`, a language without one keeps all its words. What would change a
meaning stays: negations, numbers, names, whatever is somebody's whole answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.tightening import FALSE_START, FILLER
from reelremix.engine.domain.transcript import Word

PAUSE_S = 0.2
"""A silence that sets a phrase off as a comma does."""
MOST_REPEATED = 4
"""Words of a beginning that is said twice."""
SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_MARKS = ".,!?;:…-–—\"'“”„«»()[]¿¡"


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring words that go together."""

    first: int
    last: int
    """Inclusive."""
    reason: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    keep_after: frozenset[str]
    keep_before: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Lists:
    """What one language has."""

    sounds: frozenset[str]
    phrases: tuple[_Phrase, ...]
    stumbles: frozenset[str]
    protected: frozenset[str]


def small_words(language: str | None) -> frozenset[str]:
    """Words that only lead to others; none in a language without lists."""
    lists = _lists_of(language)
    return lists.stumbles if lists is not None else frozenset()


def removable(words: Sequence[Word], language: str | None, level: Tighten) -> list[Group]:
    """The groups of words that can go, in order; none where nothing would be left."""
    lists = _lists_of(language)
    if lists is None or level is Tighten.OFF:
        return []
    text = _Text(words, lists)
    text.mark_sounds()
    if level is Tighten.STRONG:
        text.mark_phrases()
        text.mark_false_starts()
    text.unmark_answers()
    return [] if all(text.reasons) else list(text.groups())


class _Text:
    """Words with the reason why each can go."""

    def __init__(self, words: Sequence[Word], lists: _Lists) -> None:
        self.reasons: list[str | None] = [None] * len(words)
        self._words = words
        self._bare = [bare(word.text) for word in words]
        self._lists = lists

    def groups(self) -> Iterator[Group]:
        """Runs of marked words."""
        first = None
        for index, reason in enumerate([*self.reasons, None]):
            if reason is not None and first is None:
                first = index
            if reason is None and first is not None:
                run = self.reasons[first:index]
                yield Group(first, index - 1, FALSE_START if FALSE_START in run else FILLER)
                first = None

    def mark_sounds(self) -> None:
        for index, text in enumerate(self._bare):
            if text in self._lists.sounds and not self._is_said_for_itself(index):
                self.reasons[index] = FILLER

    def _is_said_for_itself(self, index: int) -> bool:
        """Whether a sound asks, exclaims, or is an abbreviation: "Hmm?", "ER"."""
        text = self._words[index].text.strip()
        letters = "".join(c for c in text if c.isalpha())
        return text[-1:] in "?!" or (len(letters) > 1 and letters.isupper())

    def mark_phrases(self) -> None:
        for phrase in self._lists.phrases:
            for first in range(len(self._words) - len(phrase.words) + 1):
                last = first + len(phrase.words) - 1
                said = tuple(self._bare[first : last + 1])
                if said == phrase.words and self._is_empty(phrase, first, last):
                    self.reasons[first : last + 1] = [FILLER] * len(phrase.words)

    def _is_empty(self, phrase: _Phrase, first: int, last: int) -> bool:
        """Whether a phrase stands apart from the sentence around it."""
        if self._words[last].text.strip()[-1:] in "?!":
            return False
        before = self._bare[first - 1] if first else ""
        after = self._bare[last + 1] if last + 1 < len(self._words) else ""
        if before in phrase.keep_after or after in phrase.keep_before:
            return False
        return bool(after) and self._is_apart(first - 1) and self._is_apart(last)

    def _is_apart(self, index: int) -> bool:
        """Whether a comma, the end of a sentence or a pause follows a word."""
        if index < 0:
            return True
        if self._words[index].text.strip()[-1:] in ",;:–—" or self._ends_sentence(index):
            return True
        if self.reasons[index] is not None or index + 1 == len(self._words):
            return True
        return self._gap_s(index) >= PAUSE_S

    def _gap_s(self, index: int) -> float:
        return self._words[index + 1].range.start_s - self._words[index].range.end_s

    def mark_false_starts(self) -> None:
        """Mark what is broken off ("w- we") or said again at once ("we went we went to")."""
        at = 0
        while at < len(left := [i for i, reason in enumerate(self.reasons) if reason is None]):
            gone = self._broken_off(left, at) or self._said_again(left, at)
            for index in left[at : at + gone]:
                self.reasons[index] = FALSE_START
            at += 0 if gone else 1

    def _broken_off(self, left: Sequence[int], at: int) -> int:
        """1 for the beginning of the word that follows it."""
        text, begun = self._words[left[at]].text.strip(), self._bare[left[at]]
        if at + 1 == len(left) or text[-1:] not in "-–—" or not begun:
            return 0
        return int(self._bare[left[at + 1]].startswith(begun))

    def _said_again(self, left: Sequence[int], at: int) -> int:
        """How many words are followed by the same words once more."""
        for length in range(MOST_REPEATED, 0, -1):
            once, again = left[at : at + length], left[at + length : at + 2 * length]
            same = [self._bare[i] for i in once] == [self._bare[i] for i in again]
            if same and self._is_slip(once, again):
                return length
        return 0

    def _is_slip(self, once: Sequence[int], again: Sequence[int]) -> bool:
        """Whether a repetition is one of the tongue: a small word leads, nothing weighs, and the
        same person says it in one sentence."""
        small = self._bare[once[0]] in self._lists.stumbles
        speakers = {self._words[i].speaker for i in (*once, *again)}
        is_whole = any(self._ends_sentence(i) for i in once)
        return small and len(speakers) == 1 and not is_whole and not any(map(self._weighs, once))

    def _weighs(self, index: int) -> bool:
        """Whether a word is a negation, a number or a name."""
        text = self._bare[index]
        is_number = any(c.isdigit() for c in text)
        return is_number or text in self._lists.protected or self._is_name(index)

    def _is_name(self, index: int) -> bool:
        """Whether a word has a capital that no sentence gives it."""
        text = self._words[index].text.strip(_MARKS)
        begins = index == 0 or self._ends_sentence(index - 1)
        return text[:1].isupper() and not begins and self._bare[index] not in self._lists.stumbles

    def _ends_sentence(self, index: int) -> bool:
        return self._words[index].text.rstrip("\"'”’»)").endswith(SENTENCE_ENDS)

    def unmark_answers(self) -> None:
        """Keep the marked words of a turn or of an answer that consists of nothing else."""
        for first, last in self._utterances():
            if all(self.reasons[first : last + 1]) and self._answers(first):
                self.reasons[first : last + 1] = [None] * (last + 1 - first)

    def _utterances(self) -> Iterator[tuple[int, int]]:
        first = 0
        for index, word in enumerate(self._words):
            ends = index + 1 == len(self._words) or self._ends_sentence(index)
            if ends or self._words[index + 1].speaker != word.speaker:
                yield first, index
                first = index + 1

    def _answers(self, first: int) -> bool:
        if first == 0:
            return False
        before = self._words[first - 1]
        asked = before.text.rstrip("\"'”’»)").endswith(("?", "？", "؟"))
        return asked or before.speaker != self._words[first].speaker


def bare(text: str) -> str:
    """A word as lists have it."""
    return text.strip().strip(_MARKS).lower().replace("’", "'")


def _lists_of(language: str | None) -> _Lists | None:
    return _lists().get((language or "").split("-")[0].lower())


@cache
def _lists() -> dict[str, _Lists]:
    file = resources.files("reelremix.engine.stages") / "data" / "fillers.toml"
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        language: _Lists(
            frozenset(entry["sounds"].split()),
            tuple(_phrase(text, near) for text, near in entry.get("phrases", {}).items()),
            frozenset(entry["stumbles"].split()),
            frozenset(entry["protected"].split()),
        )
        for language, entry in content.items()
    }


def _phrase(text: str, near: dict[str, str]) -> _Phrase:
    after, before = frozenset(near["keep_after"].split()), frozenset(near["keep_before"].split())
    return _Phrase(tuple(text.split()), after, before)
