"""What kind of moment a stretch is, and what is no moment at all.

For each kind a prototype was learned from what editors wrote about their picks
(`benchmarks/train_kinds.py`): a direction in the space of meanings, by ridge regression. How near
a sentence is to it is its vector times that direction; a stretch is as near as its sentences are,
each weighed by its words. Advertising, housekeeping and greetings were learned the same way from
what editors rejected. All numbers are in `data/kinds.json`, with the record of their training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from reelremix.engine.domain.candidate import Kind
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.evidence import shorten
from reelremix.engine.stages.signals import Floats, Windows

KINDS = {
    "story": "tells a story",
    "claim": "makes a strong claim",
    "fact": "says something surprising",
    "advice": "gives practical advice",
    "joke": "plays for laughs",
    "conflict": "people are at odds",
    "vulnerability": "opens up about something personal",
    "answer": "answers a question",
}
"""What editors keep, and how it is told."""
EXCLUDED = {
    "advertising": "sounds like advertising",
    "housekeeping": "the show's own business",
    "greeting": "a greeting, an introduction or a farewell",
}
"""What editors never keep, and how it is told."""
MOST_KINDS = 2
FEWEST_WORDS = 15
"""Of a stretch that may be said to be of a kind: less says too little."""


@dataclass(frozen=True)
class Prototype:
    """A direction of meaning."""

    direction: Floats
    usual: float
    """Mean nearness of editors' picks."""
    spread: float
    """Its standard deviation."""
    limit: float
    """Deviations above the usual from which a stretch is of this kind."""

    def nearness(self, vectors: Vectors) -> Floats:
        """Of each sentence, in deviations of editors' picks above the usual."""
        return np.asarray((vectors @ self.direction - self.usual) / self.spread)


class KindFinder:
    """Finds the kinds of stretches of one source."""

    def __init__(
        self,
        sentences: Sequence[Sentence],
        words: Floats,
        vectors: Vectors,
        prototypes: Mapping[str, Prototype],
    ) -> None:
        """Look at a source whose sentences have so many words and mean what `vectors` say."""
        self._sentences = sentences
        self._prototypes = prototypes
        self._near = {name: p.nearness(vectors) for name, p in prototypes.items()}
        self._words = np.maximum(words, 1.0)

    def nearness(self, name: str, windows: Windows) -> Floats:
        """Of each stretch to a kind, in deviations of editors' picks above their usual."""
        total = windows.total(self._near[name] * self._words)
        return np.asarray(total / windows.total(self._words))

    def excluded(self, windows: Windows) -> list[str | None]:
        """For each stretch, what makes it no moment; None for nearly all."""
        found: list[str | None] = [None] * len(windows.first)
        strongest = np.zeros(len(windows.first))
        for name, told in EXCLUDED.items():
            over = self.nearness(name, windows) - self._prototypes[name].limit
            for i in np.flatnonzero(over > strongest).tolist():
                found[i], strongest[i] = told, over[i]
        return found

    def kinds(self, windows: Windows) -> list[tuple[Kind, ...]]:
        """For each stretch the kinds it is nearest to, the nearest first; often none."""
        names = list(KINDS)
        near = np.stack([self.nearness(name, windows) for name in names], axis=1)
        limits = np.array([self._prototypes[name].limit for name in names])
        near[windows.total(self._words) < FEWEST_WORDS] = -np.inf
        order = np.argsort(limits - near, axis=1)[:, :MOST_KINDS]
        return [
            tuple(self._kind(names[k], first, last) for k in best if near[i, k] >= limits[k])
            for i, (first, last, best) in enumerate(
                zip(windows.first.tolist(), windows.last.tolist(), order.tolist(), strict=True)
            )
        ]

    def _kind(self, name: str, first: int, last: int) -> Kind:
        """With the sentence that is nearest to it, of equally near ones the longest."""
        part = slice(first, last + 1)
        weight = self._words[part] / (self._words[part] + 8.0)
        at = first + int(np.argmax((self._near[name][part] + 3.0) * weight))
        sentence = self._sentences[at]
        return Kind(name, KINDS[name], shorten(sentence.text), sentence.range)


@cache
def load_prototypes() -> dict[str, Prototype] | None:
    """The learned prototypes; None in a build without them."""
    file = resources.files("reelremix.engine.stages") / "data" / "kinds.json"
    if not file.is_file():
        return None
    return prototypes_from(json.loads(file.read_text(encoding="utf-8")))


def prototypes_from(plain: Mapping[str, Any]) -> dict[str, Prototype]:
    """The prototypes in a data file."""
    return {
        name: Prototype(
            np.array(entry["direction"]), entry["usual"], entry["spread"], entry["limit"]
        )
        for name, entry in plain["prototypes"].items()
    }


def prototypes_to(prototypes: Mapping[str, Prototype]) -> dict[str, Any]:
    """The inverse of `prototypes_from`."""
    return {
        name: {
            "usual": round(p.usual, 5),
            "spread": round(p.spread, 5),
            "limit": round(p.limit, 3),
            "direction": [round(float(number), 4) for number in p.direction],
        }
        for name, p in prototypes.items()
    }
