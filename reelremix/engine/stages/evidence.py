"""The words that speak for a candidate, quoted as they were said.

For each axis the sentence that carries most of it is found once per source; a candidate's
reasons point at those sentences. The numbers themselves belong to `stages.score`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from reelremix.engine.domain.candidate import Axis, Candidate, Reason
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.sound import SoundTrack
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.stages.delivery import measure_delivery
from reelremix.engine.stages.signals import (
    CLOSING_WORDS,
    OPENING_WORDS,
    REACTION_REACH_S,
    REACTIONS,
    Floats,
    SentenceCounts,
)

MOST_REASONS = 4
STRONG = 60.0
"""An axis below this, in percent of the source's stretches, is no reason."""
_PLAIN = {Axis.STANDALONE: 15.0, Axis.DELIVERY: 10.0}
"""Points by which reasons that say little must be stronger to come first."""
LONGEST_QUOTE = 200
"""Characters; a longer sentence is quoted up to a word before this."""

_SAYS: Mapping[Axis, Mapping[str, str]] = {
    Axis.HOOK: {
        "hook": "opens with a line that makes one stay",
        "story": "opens inside a story",
        "claim": "opens with a strong claim",
        "joke": "opens with a joke",
        "stakes": "opens with what is at stake",
        "emotion": "opens with strong feeling",
        "me": "opens with something personal",
        "quoted": "opens with somebody's words",
        "question": "opens with a question",
        "number": "opens with a number",
    },
    Axis.PAYOFF: {
        "quoted": "ends on somebody's words",
        "joke": "ends on a joke",
        "claim": "ends on a clear statement",
        "hook": "ends on a line worth repeating",
        "emotion": "ends on strong feeling",
        "applause": "the listener is impressed",
        "landing": "the thought is brought to an end",
    },
    Axis.EMOTION: {
        "quoted": "acts out what was said",
        "emotion": "strong feeling",
        "joke": "playful",
        "story": "told as a story",
        "me": "personal",
    },
}
_UNHEARD_S = 0.5
"""Nobody laughs at a sentence this early: it answers the one before."""
_REACTION_SAYS = {"laughter": "people laugh", "applause": "people applaud"}
_STANDALONE_SAYS = "makes sense without what came before"
_DELIVERY_SAYS = "said briskly and without long pauses"
_HEARD_SAYS = {
    "loudness": "said louder than the speaker usually is",
    "pitch": "said with a raised voice",
    "pitch_spread": "said in a lively voice",
    "pace": "said faster than the speaker usually talks",
}
_CLEARLY_HEARD = 0.5
"""Deviations of the source's sentences above the mean from which that is told."""
_FALLBACK_SAYS = "a complete stretch of speech"


class EvidenceFinder:
    """Finds the reasons of candidates of one source."""

    def __init__(
        self,
        sentences: Sequence[Sentence],
        counts: SentenceCounts,
        transcript: Transcript,
        weights: Mapping[str, Mapping[str, float]],
        track: SoundTrack | None = None,
    ) -> None:
        """Look at a source; `track` is what was heard besides words, if anybody listened."""
        self._sentences = sentences
        self._lift, self._lifted = _lifts(sentences, transcript, track)
        self._words = np.concatenate([[0.0], np.cumsum(counts.words)])
        self._strength: dict[Axis, Floats] = {}
        self._why: dict[Axis, list[str]] = {}
        for axis in _SAYS:
            self._strength[axis], self._why[axis] = _strengths(axis, counts, weights)
        self._reactions = _reactions(sentences, transcript)
        self._known: dict[tuple[Axis, int], Reason] = {}

    def reasons(
        self, candidate: Candidate, axes: Mapping[Axis, float | None]
    ) -> tuple[Reason, ...]:
        """One to four reasons, the strongest axis first."""
        strong = sorted(
            ((value, axis) for axis, value in axes.items() if value is not None),
            key=lambda pair: -pair[0] + _PLAIN.get(pair[1], 0.0),
        )
        found = [
            reason
            for value, axis in strong
            if value >= STRONG and (reason := self._reason(axis, candidate)) is not None
        ]
        return tuple(found[:MOST_REASONS]) or (self._fallback(candidate, strong),)

    def _fallback(self, candidate: Candidate, strong: Sequence[tuple[float, Axis]]) -> Reason:
        for _, axis in strong:
            if (reason := self._reason(axis, candidate)) is not None:
                return reason
        return self._quote(Axis.STANDALONE, candidate.first_sentence, _FALLBACK_SAYS)

    def _reason(self, axis: Axis, candidate: Candidate) -> Reason | None:
        first, last = candidate.first_sentence, candidate.last_sentence
        if axis is Axis.STANDALONE:
            return self._quote(axis, first, _STANDALONE_SAYS)
        if axis is Axis.DELIVERY:
            at = first + int(np.argmax(self._lift[first : last + 1]))
            if self._lift[at] < _CLEARLY_HEARD:
                return self._quote(axis, first, _DELIVERY_SAYS)
            return self._quote(axis, at, self._lifted[at])
        if axis is Axis.REACTION:
            return self._reaction(first, last)
        low, high = self._zone(axis, first, last)
        at = low + int(np.argmax(self._strength[axis][low : high + 1]))
        if self._strength[axis][at] <= 0:
            return None
        return self._quote(axis, at, self._why[axis][at])

    def _zone(self, axis: Axis, first: int, last: int) -> tuple[int, int]:
        """The sentences where evidence for the axis counts."""
        if axis is Axis.HOOK:
            reached = int(np.searchsorted(self._words, self._words[first] + OPENING_WORDS)) - 1
            return first, min(max(reached, first), last)
        if axis is Axis.PAYOFF:
            reached = int(np.searchsorted(self._words, self._words[last + 1] - CLOSING_WORDS))
            return max(min(reached, last), first), last
        return first, last

    def _reaction(self, first: int, last: int) -> Reason | None:
        """The last sentence that people laughed or clapped at."""
        for at in range(last, first - 1, -1):
            if at in self._reactions:
                return self._quote(Axis.REACTION, at, self._reactions[at])
        return None

    def _quote(self, axis: Axis, at: int, text: str) -> Reason:
        key = (axis, at)
        if key not in self._known:
            sentence = self._sentences[at]
            self._known[key] = Reason(axis, text, shorten(sentence.text), sentence.range)
        return self._known[key]


def shorten(text: str, longest: int = LONGEST_QUOTE) -> str:
    """The text up to the last whole word that fits; nothing is added."""
    if len(text) <= longest:
        return text
    cut = text[: longest + 1].rfind(" ")
    return text[: cut if cut > longest // 2 else longest].rstrip()


def _strengths(
    axis: Axis, counts: SentenceCounts, weights: Mapping[str, Mapping[str, float]]
) -> tuple[Floats, list[str]]:
    """For each sentence how much it speaks for the axis, and what it does most."""
    says = _SAYS[axis]
    weighted = {name.split(".")[1]: weight for name, weight in weights[axis.value].items()}
    cues = [c for c in says if c in counts.of]
    rows = np.stack([weighted.get(c, 0.5) * np.sqrt(np.minimum(counts.of[c], 4.0)) for c in cues])
    rows = rows / np.sqrt(counts.words + 8.0)
    best = rows.argmax(axis=0)
    return rows.sum(axis=0), [says[cues[i]] for i in best]


def _lifts(
    sentences: Sequence[Sentence], transcript: Transcript, track: SoundTrack | None
) -> tuple[Floats, list[str]]:
    """For each sentence how much it stands out by how it is said, and by what most."""
    if track is None or not track.steps or not sentences:
        return np.zeros(len(sentences)), [_DELIVERY_SAYS] * len(sentences)
    heard = measure_delivery(track, transcript, [s.range for s in sentences])
    rows = np.nan_to_num(np.stack([heard[name] for name in _HEARD_SAYS]))
    spread = rows.std(axis=1, keepdims=True)
    rows = (rows - rows.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    says = list(_HEARD_SAYS.values())
    return rows.max(axis=0), [says[k] for k in rows.argmax(axis=0)]


def _reactions(sentences: Sequence[Sentence], transcript: Transcript) -> dict[int, str]:
    """What followed which sentence."""
    ends = np.array([s.range.end_s for s in sentences])
    starts = np.array([s.range.start_s for s in sentences])
    found: dict[int, str] = {}
    for event in transcript.events:
        if event.kind not in REACTIONS:
            continue
        began = event.range.start_s - _UNHEARD_S
        at = max(0, int(np.searchsorted(starts, began, side="right")) - 1)
        if event.range.start_s <= ends[at] + REACTION_REACH_S:
            found[at] = _REACTION_SAYS.get(event.kind, "people react")
    return found
