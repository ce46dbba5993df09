"""Whether a clip begins with its first word and ends with its last: its ends are heard again.

A recogniser is not always right about two seconds of speech, so that a word counts as heard where
anything like it is among the nearest ones, and nothing is said where nothing is heard at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.engine.media.audio import read_speech
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.engine.models.whisper import Transcriber

STAGE = "verify"
VERSION = 5
END_S = 5
"""Seconds of each end that are heard; of three a recogniser makes too little."""
APART_S = 1
"""Silence between two ends."""
NEAREST = 3
"""Words from an end among which its own is looked for."""
ALIKE = 0.5
"""Share of letters two words must have in common."""
MASKED = "*"

FilmEnds = tuple[Speech, ...]
"""The sound of a film's first seconds and of its last."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Whether the first and the last word are heard; None where that cannot be said."""

    first: bool | None
    last: bool | None

    @property
    def misses(self) -> bool:
        """Whether one of them should be heard and is not."""
        return self.first is False or self.last is False


@dataclass(frozen=True, slots=True)
class Said:
    """What is heard at both ends of a film, whatever its words should be."""

    first: tuple[str, ...]
    last: tuple[str, ...]


def read_ends(video: Path, clip: Clip, ctx: RunContext) -> FilmEnds:
    """The sound at both ends of a clip in its film. Raises UnreadableMedia and Cancelled."""
    written = choose_streams(probe(video, clip.id))
    film, length = clip.film, Timestamp.from_seconds(END_S)
    begins, ends = Timestamp.from_seconds(film.clip_begins), written.duration
    if film.outro:
        ends = min(ends, Timestamp.from_seconds(film.clip_ends))
    first = TimeRange(begins, min(begins + length, ends))
    last = TimeRange(max(begins, ends - length), ends)
    return tuple(read_speech(video, written, span, ctx.cancel) for span in (first, last))


def hear_ends(
    films: Sequence[FilmEnds],
    transcriber: Transcriber,
    language: str | None,
    options: TranscribeOptions,
    ctx: RunContext,
) -> list[Said]:
    """Hear the ends of finished films, all in one go; of none without a model.

    Raises:
        ModelError: the recogniser cannot work here.
        Cancelled: the user asked to stop.
    """
    if not films:
        return []
    pieces = [piece for ends in films for piece in ends]
    gap = np.zeros(APART_S * RATE_HZ, np.float32)
    sound = np.concatenate([part for piece in pieces for part in (piece, gap)])
    heard = transcriber.transcribe(sound, language, options, goes_on=False)
    segments: list[Segment] = []
    for segment in heard.segments:
        ctx.cancel.raise_if_set()
        segments.append(segment)
    starts = np.cumsum([0, *(len(piece) + len(gap) for piece in pieces)]) / RATE_HZ
    said = [_said_between(segments, a, b) for a, b in pairwise(starts)]
    return [Said(first, last) for first, last in zip(said[::2], said[1::2], strict=True)]


def compared(said: Said, words: Sequence[Word]) -> Ends:
    """Whether the first and the last of the words are among what is said."""
    return Ends(
        _is_among(words[0].text, said.first[:NEAREST]),
        _is_among(words[-1].text, said.last[-NEAREST:]),
    )


def _said_between(segments: Sequence[Segment], start_s: float, end_s: float) -> tuple[str, ...]:
    return tuple(
        word.text
        for segment in segments
        for word in segment.timed_words
        if start_s < word.range.end_s <= end_s  # a beginning may reach back into the silence
    )


def _is_among(word: str, said: Sequence[str]) -> bool | None:
    wanted = _bare(word)
    if not said or not wanted or MASKED in word:
        return None
    spoken = [_bare(other) for other in said]
    candidates = [*spoken, *(a + b for a, b in pairwise(spoken))]
    return any(_likeness(wanted, other) >= ALIKE for other in candidates)


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text).casefold()


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
