"""What a person points at, as operations: words and sentences, phrases, faces, moments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from reelremix.engine.captions.joins import ends_sentence
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.edit import Correct, CutOut, Follow, Trim
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Sighting, Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.cuts import Spoken, step
from reelremix.errors import ConfigError

NAMED = 3
"""Places that are named where a phrase is said more than once."""


class Edge(StrEnum):
    """An end of a clip."""

    START = "start"
    END = "end"


class Unit(StrEnum):
    """By what an end is moved."""

    WORD = "word"
    SENTENCE = "sentence"


def moved(clip: Clip, edge: Edge, unit: Unit, by: int, spoken: Spoken) -> Trim:
    """An end of a clip, so many words or sentences further on, or back where that is negative.

    Raises ConfigError where nothing is said to move it to.
    """
    if not spoken.words:
        raise ConfigError("nothing is known to be said here, so that there is no word to move to")
    hull = hull_of(clip.ranges)
    if edge is Edge.START:
        first = spoken.first_from(hull.start)
        target = step(_firsts(spoken, unit), min(first, len(spoken.words) - 1), by)
        return Trim(clip.id, spoken.before(target).seconds, hull.end_s)
    last = max(spoken.first_from(hull.end) - 1, 0)
    target = -step([-n for n in reversed(_lasts(spoken, unit))], -last, -by)
    return Trim(clip.id, hull.start_s, spoken.after(target).seconds)


def _firsts(spoken: Spoken, unit: Unit) -> Sequence[int]:
    """The words that begin a unit."""
    if unit is Unit.WORD:
        return range(len(spoken.words))
    return [0, *(n + 1 for n in _lasts(spoken, unit)[:-1])]


def _lasts(spoken: Spoken, unit: Unit) -> Sequence[int]:
    """The words that end a unit; the last of all always does."""
    last = len(spoken.words) - 1
    if unit is Unit.WORD:
        return range(len(spoken.words))
    return [n for n, word in enumerate(spoken.words) if n == last or ends_sentence(word.text)]


def cut_words(clip: Clip, first: int, last: int) -> CutOut:
    """Leave out the words of a clip from one to another, the last one included."""
    span = span_of(clip.words[first : last + 1])
    return CutOut(clip.id, span.start_s, span.end_s)


def correct_words(clip: Clip, first: int, last: int, text: str) -> Correct:
    """Write other words in place of these."""
    span = span_of(clip.words[first : last + 1])
    return Correct(clip.id, span.start_s, span.end_s, text)


def span_of(words: Sequence[Word]) -> TimeRange:
    """From the first word to the end of the last."""
    return TimeRange(words[0].range.start, max(w.range.end for w in words))


def phrase_in(words: Sequence[Word], phrase: str, instead: str = "") -> tuple[int, int]:
    """Where a phrase is said: the numbers of its first and of its last word.

    Case and punctuation count for nothing. Raises ConfigError unless it is said exactly once;
    `instead` is what else may be given.
    """
    wanted = [letters for text in phrase.split() if (letters := letters_of(text))]
    if not wanted:
        raise ConfigError(f"{phrase!r} has no words")
    said = [(n, letters) for n, w in enumerate(words) if (letters := letters_of(w.text))]
    found = [
        (said[at][0], said[at + len(wanted) - 1][0])
        for at in range(len(said) - len(wanted) + 1)
        if [letters for _, letters in said[at : at + len(wanted)]] == wanted
    ]
    if not found:
        raise ConfigError(f"{phrase!r} is not said in this clip")
    if len(found) > 1:
        places = ", ".join(f"{words[first].range.start_s:.1f} s" for first, _ in found[:NAMED])
        raise ConfigError(
            f"{phrase!r} is said {len(found)} times, at {places}",
            hint=f"give more of the words around it{instead}",
        )
    return found[0]


def letters_of(text: str) -> str:
    """What of a word is compared when it is looked for: neither case nor punctuation."""
    return re.sub(r"[^\w]", "", text.casefold())


def faces_during(span: TimeRange, tracks: Sequence[Track]) -> list[Track]:
    """Who is seen in a stretch, from left to right."""
    seen = [t for t in tracks if t.range.start < span.end and t.range.end >= span.start]
    return sorted(seen, key=lambda t: (_sighting_in(t, span).box.center[0], t.id))


def show(clip: Clip, track: Track, span: TimeRange) -> Follow:
    """Show the person of a track while a stretch is heard."""
    seen = _sighting_in(track, span)
    x, y = seen.box.center
    return Follow(
        clip.id, span.start_s, span.end_s, seen.at.seconds, round(float(x), 1), round(float(y), 1)
    )


def _sighting_in(track: Track, span: TimeRange) -> Sighting:
    """Its sighting nearest to the middle of a stretch."""
    middle = (span.start.exact + span.end.exact) / 2
    return min(track.sightings, key=lambda s: abs(s.at.exact - middle))
