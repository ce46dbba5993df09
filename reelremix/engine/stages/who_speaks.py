"""Whose face the voice comes from, moment by moment, and which voice is whose.

What the mouths say (`Track.talk`) and what the voices say (`Word.speaker`) is weighed together: a
voice that went with one person's mouth for a while is that person's from then on. The most likely
course through a shot is searched as a whole (Viterbi, 1967), so that nobody is switched to for a
syllable; a change lands on the first word of whoever begins, or just before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.layout import Speaking
from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import TALK_RATE_HZ, TALK_STEP, Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.look import Look
from reelremix.engine.stages.mouths import tick_after

CLIP_ODDS = 4.0
"""Log-odds beyond say no more."""
UNSEEN = -6.0
"""Log-odds of a face that is not in the picture at a moment."""
OFF_SCREEN = -3.5
"""Log-odds that nobody in the picture speaks: all mouths must say so by more."""
KNOWN_VOICE = 1.5
"""What knowing whose voice it is counts for, in log-odds."""
SWITCH = 60.0
"""What a change of speaker costs in summed log-odds: a third of a second of the clearest."""
SWITCH_AT_WORD = 30.0
"""The same where a word begins, and ..."""
SWITCH_OF_VOICE = 10.0
"""... where the voice changes too."""
BINDING_S = 2.0
"""A voice must be heard with a face for so long to be its."""
BINDING_ODDS = 0.5
"""And so surely on average, in log-odds."""
BINDING_MARGIN = 1.0
"""And so much more surely than with any other face."""
LEAD_S = Timestamp.from_seconds(0.08)
"""A change of picture comes so much before the first word, where there is silence before it."""
WORDLESS = 0.5
"""What mouths say counts for so much where no word was recognised."""
LEAST_SIGHTINGS = 2
ALONE = {True: 0.9, None: 0.6, False: 0.2}
"""How sure it is that the only face speaks: the voice is known to be its, unknown, another's."""

Odds = npt.NDArray[np.float64]
Voices = Mapping[str, int]
"""Persons by the name of their voice."""


@dataclass(frozen=True, slots=True)
class Attributed:
    """Who speaks in one look."""

    speaking: tuple[Speaking, ...]
    """Covers all shots in which there is a face."""
    tracks: tuple[Track, ...]
    """The look's, with the names of their voices."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """One shot as arrays: a row a face, a column a tick."""

    shot: Shot
    tracks: tuple[Track, ...]
    first: int
    odds: Odds
    """What the mouths say; 0 where that is not known, `UNSEEN` where there is no face."""
    voices: tuple[str | None, ...]
    """Who is heard at each tick; None in silence, and for a voice without a name."""
    is_spoken: npt.NDArray[np.bool_]
    begins: npt.NDArray[np.bool_]
    """Ticks at which a word begins."""
    words: Sequence[Word]
    """Those that are heard in it."""


def attribute(look: Look, words: Sequence[Word]) -> Attributed:
    """Find out who speaks in every shot of a look.

    Args:
        look: what was seen.
        words: those heard in its range, in order.
    """
    of_shot: dict[int, list[Track]] = {}
    for track in look.tracks:
        of_shot.setdefault(track.shot, []).append(track)
    scenes = [
        _scene(look.shots[index], tracks, _heard_in(look.shots[index].range, words))
        for index, tracks in sorted(of_shot.items())
    ]
    bound = bind_voices(scenes)
    speaking = [entry for scene in scenes for entry in _spoken_by(scene, bound)]
    names = {person: voice for voice, person in bound.items()}
    tracks = tuple(replace(t, speaker=names.get(t.person)) for t in look.tracks)
    return Attributed(tuple(speaking), tracks)


def _heard_in(span: TimeRange, words: Sequence[Word]) -> Sequence[Word]:
    """The words that are heard in a shot, of words in order."""
    first = bisect_right(words, span.start, key=lambda word: word.range.end)
    return words[first : bisect_left(words, span.end, first, key=lambda word: word.range.start)]


def _scene(shot: Shot, tracks: Sequence[Track], words: Sequence[Word]) -> _Scene:
    seen = tuple(t for t in tracks if len(t.sightings) >= LEAST_SIGHTINGS) or tuple(tracks)
    first, end = tick_after(shot.range.start), tick_after(shot.range.end)
    count = max(1, end - first)
    odds = np.full((len(seen), count), UNSEEN)
    for row, track in enumerate(seen):
        _place(odds[row], first, track)
    voices: list[str | None] = [None] * count
    is_spoken, begins = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for word in words:
        a, b = tick_after(word.range.start) - first, tick_after(word.range.end) - first
        if b <= 0 or a >= count:
            continue
        inside = slice(max(0, a), min(max(a + 1, b), count))
        is_spoken[inside] = True
        voices[inside] = [word.speaker] * (inside.stop - inside.start)
        if a >= 0:
            begins[max(0, a - 2) : a + 1] = True
    return _Scene(shot, seen, first, odds, tuple(voices), is_spoken, begins, words)


def _place(row: Odds, first: int, track: Track) -> None:
    """Write what is known of a face into its row."""
    reach = TALK_RATE_HZ // 2
    a, b = tick_after(track.range.start) - first, tick_after(track.range.end) - first
    row[max(0, a - reach) : max(0, b + reach)] = 0.0
    for talk in track.talk:
        at = tick_after(talk.start) - first
        values = np.clip(talk.log_odds, -CLIP_ODDS, CLIP_ODDS)
        skipped = max(0, -at)
        part = values[skipped : len(row) - at]
        row[at + skipped : at + skipped + len(part)] = part


def bind_voices(scenes: Sequence[_Scene]) -> dict[str, int]:
    """Whose voice is whose: a voice belongs to the person whose mouth went with it best."""
    evidence: dict[str, dict[int, list[Odds]]] = {}
    for scene in scenes:
        for voice in sorted({v for v in scene.voices if v is not None}):
            heard = np.array([v == voice for v in scene.voices])
            for row, track in zip(scene.odds, scene.tracks, strict=True):
                seen = row[heard & (row > UNSEEN)]
                evidence.setdefault(voice, {}).setdefault(track.person, []).append(seen)
    bound: dict[str, int] = {}
    for voice, persons in evidence.items():
        sums = {p: (sum(map(len, parts)), np.concatenate(parts)) for p, parts in persons.items()}
        means = {
            p: float(odds.mean())
            for p, (count, odds) in sums.items()
            if count >= BINDING_S * TALK_RATE_HZ
        }
        best = max(means, key=means.__getitem__, default=None)
        if best is None or means[best] < BINDING_ODDS:
            continue
        others = [mean for p, mean in means.items() if p != best]
        if means[best] - max(others, default=-CLIP_ODDS) >= BINDING_MARGIN:
            bound[voice] = best
    return bound


def _spoken_by(scene: _Scene, bound: Voices) -> list[Speaking]:
    if len(scene.tracks) == 1:
        return [_alone(scene, bound)]
    odds = _weighed(scene, bound)
    course = _most_likely(odds, scene)
    changes = [0, *(np.flatnonzero(np.diff(course)) + 1), len(course)]
    bounds = [scene.shot.range.start]
    for tick in changes[1:-1]:
        bounds.append(max(bounds[-1], _on_word(scene, int(tick))))
    bounds.append(scene.shot.range.end)
    return [
        _entry(scene, odds, int(course[a]), slice(a, b), TimeRange(start, end))
        for (a, b), (start, end) in zip(pairwise(changes), pairwise(bounds), strict=True)
        if start < end
    ]


def _weighed(scene: _Scene, bound: Voices) -> Odds:
    """Mouths and voices together; a last row for nobody in the picture; nothing in silence."""
    odds = np.vstack([scene.odds, np.full((1, scene.odds.shape[1]), OFF_SCREEN)])
    persons = [track.person for track in scene.tracks]
    for voice in {v for v in scene.voices if v is not None}:
        heard = np.array([v == voice for v in scene.voices])
        for row, person in enumerate(persons):
            if bound.get(voice) == person:
                odds[row, heard] += KNOWN_VOICE
    return np.where(scene.is_spoken | (odds <= UNSEEN), odds, WORDLESS * odds)


def _most_likely(odds: Odds, scene: _Scene) -> npt.NDArray[np.intp]:
    """The row at every tick, by Viterbi's algorithm."""
    rows, count = odds.shape
    came_from = np.zeros((count, rows), np.intp)
    total = odds[:, 0].copy()
    for tick in range(1, count):
        best = int(total.argmax())
        switched = total[best] - _switch_cost(scene, tick)
        came_from[tick] = np.where(total >= switched, np.arange(rows), best)
        total = np.maximum(total, switched) + odds[:, tick]
    course = np.empty(count, np.intp)
    course[-1] = int(total.argmax())
    for tick in range(count - 1, 0, -1):
        course[tick - 1] = came_from[tick, course[tick]]
    return course


def _switch_cost(scene: _Scene, tick: int) -> float:
    if not scene.begins[tick]:
        return SWITCH
    before = next((v for v in reversed(scene.voices[max(0, tick - 25) : tick]) if v), None)
    now = next((v for v in scene.voices[tick : tick + 4] if v), None)
    changes = before is not None and now is not None and before != now
    return SWITCH_OF_VOICE if changes else SWITCH_AT_WORD


def _on_word(scene: _Scene, tick: int) -> Timestamp:
    """A change, moved to just before the first word of the shot that begins about then."""
    at = Timestamp(scene.first + tick, TALK_STEP)
    index = bisect_right(scene.words, at, key=lambda word: word.range.end)
    following = scene.words[index : index + 2]
    if following and (following[0].range.start + following[0].range.end).exact <= 2 * at.exact:
        index, following = index + 1, following[1:]
    if not following or not scene.shot.range.contains(following[0].range.start):
        return at
    word = following[0].range.start
    silent_from = scene.words[index - 1].range.end if index else scene.shot.range.start
    return max(word - LEAD_S, min(silent_from, word))


def _entry(scene: _Scene, odds: Odds, row: int, ticks: slice, span: TimeRange) -> Speaking:
    spoken = scene.is_spoken[ticks]
    if not spoken.any():
        spoken = np.ones_like(spoken)
    track = scene.tracks[row].id if row < len(scene.tracks) else None
    own = odds[row, ticks][spoken]
    others = np.delete(odds[:, ticks][:, spoken], row, axis=0).max(axis=0)
    margin = float((own - others).mean())
    heard = [v for v in scene.voices[ticks] if v is not None]
    speaker = max(sorted(set(heard)), key=heard.count) if heard else None
    return Speaking(span, track, speaker, round(float(1 / (1 + np.exp(-margin))), 3))


def _alone(scene: _Scene, bound: Voices) -> Speaking:
    heard = [v for v in scene.voices if v is not None]
    speaker = max(sorted(set(heard)), key=heard.count) if heard else None
    [track] = scene.tracks
    owner = bound.get(speaker) if speaker is not None else None
    is_own = None if owner is None else owner == track.person
    return Speaking(scene.shot.range, track.id, speaker, ALONE[is_own])
