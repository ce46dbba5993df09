"""Hesitations that a recogniser passed over: Whisper writes few of the "um"s it hears.

What gives them away is sound that no word accounts for. The recogniser stretches the word after an
"um" back over it, so that the word seems to hold a silence; before that silence lies a short,
voiced sound, between silences of its own, whose spectrum stands still as no word's does. Where a
word near by has no sound of its own, its times are not to be trusted and nothing is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.media.audio import SPEECH
from reelremix.engine.models.sounds import log_mel
from reelremix.engine.models.speech import Speech
from reelremix.engine.stages.acoustics import CELL, levels_and_pitch
from reelremix.engine.stages.quiet import Loudness, measure
from reelremix.engine.stages.tighten import Stretch

SHORTEST_S, LONGEST_S = 0.12, 0.6
BEFORE_S, BEHIND_S = 0.08, 0.15
"""Silence on either side at least."""
VOICED = 0.75
"""Share of the sound that has a pitch."""
STILL = 0.75
"""Likeness of spectra 30 ms apart, on average. Of sounds between silences, hesitations have 0.72 to
0.88, words 0.4 to 0.9: it takes a word's time as well to tell them apart."""
APART = 3
"""Spectra of 10 ms."""
BEGINS_S = 0.12
"""A word begins with a sound if no farther from its start than this."""
LETTER_S = 0.03
"""A letter takes at least so long: what is left of a stretched word must hold it."""
LOUDER_DB = 10.0
"""A word has a sound of its own where it is so much louder than silence."""
PAD = SPEECH.rate_hz // 8


def listened(
    span: TimeRange, words: Sequence[Word], sound: Speech, transcript: Transcript
) -> Stretch:
    """What is known of a stretch whose sound is given."""
    loudness = measure(sound, span.start_s)
    timed = all(segment.words for segment in transcript.segments)
    found = tuple(hesitations(sound, loudness, words)) if timed else ()
    # Without word times nobody knows where in the sound a filler is: only silences can go.
    language = transcript.language if timed else None
    return Stretch(span, without(words, found), loudness, transcript.events, language, found)


def hesitations(sound: Speech, loudness: Loudness, words: Sequence[Word]) -> list[TimeRange]:
    """Where somebody hesitates and no word says so."""
    padded = np.pad(sound, PAD)
    return [
        TimeRange.from_seconds(start, end)
        for start, end, following in _islands(loudness)
        if _is_unaccounted(start, end, following, loudness, words)
        and _is_hesitation(padded, start - loudness.start_s, end - loudness.start_s)
    ]


def without(words: Sequence[Word], found: Sequence[TimeRange]) -> tuple[Word, ...]:
    """The words, none of them stretched over a hesitation any more."""
    return tuple(_unstretched(word, found) for word in words)


def _unstretched(word: Word, found: Sequence[TimeRange]) -> Word:
    inside = [span for span in found if span.overlap_s(word.range) > 0]
    start = max([word.range.start, *(span.end for span in inside)])
    if not inside or start >= word.range.end:
        return word
    return replace(word, range=TimeRange(start, word.range.end))


def _islands(loudness: Loudness) -> Iterator[tuple[float, float, tuple[float, float]]]:
    """Short sounds between silences, each with the sound that follows."""
    silences = loudness.silences()
    ends = [*(start for start, _ in silences[2:]), loudness.end_s]
    for before, behind, next_end in zip(silences, silences[1:], ends, strict=False):
        length = behind[0] - before[1]
        is_set_off = before[1] - before[0] >= BEFORE_S and behind[1] - behind[0] >= BEHIND_S
        if SHORTEST_S <= length <= LONGEST_S and is_set_off:
            yield before[1], behind[0], (behind[1], next_end)


def _is_unaccounted(
    start: float,
    end: float,
    following: tuple[float, float],
    loudness: Loudness,
    words: Sequence[Word],
) -> bool:
    """Whether the word that begins with this sound is the next sound, stretched back over this one.

    Without a word that begins here, the sound may be one that was not recognised: it stays.
    """
    island = TimeRange.from_seconds(start, end)
    over = [w for w in words if w.range.overlap_s(island) > 0.3 * min(end - start, 0.2)]
    if len(over) != 1 or abs(over[0].range.start_s - start) > BEGINS_S:
        return False
    reaches = over[0].range.end_s >= following[0] - 0.02
    fits = LETTER_S * len(over[0].text) <= following[1] - following[0]
    before = [w for w in words if w.range.end_s <= start + BEGINS_S]
    return reaches and fits and bool(before) and _is_heard(before[-1], loudness)


def _is_heard(word: Word, loudness: Loudness) -> bool:
    steps = np.linspace(word.range.start_s, word.range.end_s, 9)[1:-1]
    return max(loudness.at(float(at)) for at in steps) > loudness.silence_db() + LOUDER_DB


def _is_hesitation(sound: Speech, start_s: float, end_s: float) -> bool:
    first = PAD + round(start_s * SPEECH.rate_hz)
    cells = int((end_s - start_s) * SPEECH.rate_hz) // CELL
    _, pitch = levels_and_pitch(sound, first, cells)
    if float((pitch > 0).mean()) < VOICED:
        return False
    spectra = log_mel(sound[first : first + cells * CELL])
    shapes = spectra - spectra.mean(axis=1, keepdims=True)
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True) + 1e-6
    return (
        len(shapes) > APART
        and float((shapes[APART:] * shapes[:-APART]).sum(axis=1).mean()) >= STILL
    )
