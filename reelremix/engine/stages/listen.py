"""What is heard besides words: laughter, applause, cheering, music, silence, and curves of voice.

Sound is measured in blocks of equal length, whatever pieces it comes in, so the result does not
depend on them to the last bit. Only what was measured is kept (about 1 MB an hour); events and
curves are made of it at the end, when it is known how loud the source's speech is. What voices do
relative to their own norm is `stages.delivery`'s work.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.sound import SILENT_LUFS, STEP, SoundTrack
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.models.sounds import SoundClassifier
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.engine.stages.acoustics import BEAT_CELL, CELL, levels_and_pitch, repetition
from reelremix.engine.stages.artifact import StoredArray, key_for, sound_of
from reelremix.engine.stages.sound_pass import SoundPass

STAGE = "listen"
VERSION = 1

Floats: TypeAlias = npt.NDArray[np.float32]
Flags: TypeAlias = npt.NDArray[np.bool_]

BLOCK_CELLS = 64
"""Cells of 0.48 s measured at once."""
BLOCK = BLOCK_CELLS * BEAT_CELL
MARGIN = 3 * BEAT_CELL
"""Samples seen before and behind a block."""
FINE = BEAT_CELL // CELL
"""Cells of 20 ms in one of 0.48 s."""
STEP_CELLS = int(STEP * RATE_HZ) // CELL

QUIETER_THAN_SPEECH_DB = 25.0
"""A pause is this much below the loud parts: above it lie consonants and distant speakers."""
QUIETER_THAN_PAUSE_DB = 10.0
"""Silence is this much below pauses' limit, between these bounds:"""
SILENCE_BOUNDS_LUFS = (-60.0, -45.0)
MIN_VOICED = 0.2
"""Share of a step that must be voiced to have a pitch: a syllable."""
REPEATS_EVENLY = 0.44
"""Half sure of laughter: one in a hundred stretches of speech repeats itself as much."""
REPETITION_SLOPE = 25.0
SURELY_SPEECH = 0.9
"""What the classifier gives 98 of 100 cells of speech, and one in five of theatrical laughs."""
DOUBT = 2.0
"""How much log odds the rhythm gains where it is less sure. With more of it, and as much again for
voices without recognised words, 10 of 13 laughs were found instead of 7, and in ten minutes of
speech four that were none."""
REACTION_ODDS = 4.5
"""What the classifier's odds of laughter, applause and cheering are multiplied by: it is
over-cautious. Many laughs have odds of 1:4, while of 5,700 cells of speech and music four reached
1:12 for laughter and none for the others."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """When evidence in cells of 0.48 s becomes an event."""

    on: float
    """Probability at which an event is believed."""
    off: float
    """Down to which it goes on."""
    min_s: float
    max_gap_s: float
    """Events with less between them are one."""


RULES = {
    "laughter": EventRule(on=0.4, off=0.15, min_s=0.4, max_gap_s=0.6),
    "applause": EventRule(on=0.3, off=0.15, min_s=0.9, max_gap_s=1.0),
    "cheering": EventRule(on=0.3, off=0.15, min_s=0.9, max_gap_s=1.0),
    "music": EventRule(on=0.4, off=0.15, min_s=3.0, max_gap_s=2.0),
}
SILENCE_RULE = EventRule(on=0.5, off=0.5, min_s=1.0, max_gap_s=0.1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured, before anything was concluded."""

    level: Floats
    """LUFS of each cell of 20 ms."""
    pitch: Floats
    """Hz of each cell of 20 ms, 0 where unvoiced."""
    kinds: tuple[str, ...]
    probability: Floats
    """Of each kind in each cell of 0.48 s, shape (cells, kinds)."""
    repetition: Floats
    """Of each cell of 0.48 s."""


@dataclass(frozen=True, slots=True)
class EvidencePart:
    """What was measured between two places, in samples of the source; see `Evidence`."""

    start: int
    end: int
    level: StoredArray
    pitch: StoredArray
    probability: StoredArray
    repetition: StoredArray


class Listener:
    """`Ear` for sounds: takes the sound of a source piece by piece, in order."""

    stage = STAGE
    part_type = EvidencePart

    def __init__(self, classifier: SoundClassifier) -> None:
        """Listen with `classifier`, whose patches must be those of `Yamnet`'s grid."""
        if classifier.hop != BEAT_CELL:
            raise ValueError(f"patches must follow every {BEAT_CELL} samples: {classifier.hop}")
        self.identity = f"{VERSION}/{classifier.identity}"
        self._classifier = classifier
        self._heard = 0
        """Samples of the source taken so far."""
        self._pending: list[Speech] = [np.zeros(MARGIN, np.float32)]
        self._held = MARGIN
        """Samples in `_pending`: the margin before the next block, and what follows."""
        self._blocks: list[Evidence] = []
        self._measured = 0
        """How many blocks of sound that is."""
        self._kept = 0
        """How much of `_blocks` is in parts already."""
        self._part_end = 0
        self._is_over = False

    @property
    def held_s(self) -> float:
        """Seconds of sound kept for what comes next: never more than a block and its margins."""
        return self._held / RATE_HZ

    @property
    def heard(self) -> int:
        """Samples of the source taken so far."""
        return self._heard

    def take_part(self) -> EvidencePart | None:
        """What was measured since the last part."""
        new = self._blocks[self._kept :]
        if not new:
            return None
        start, self._part_end = self._part_end, _needed_from(self._measured)
        self._kept = len(self._blocks)
        return EvidencePart(
            start,
            self._part_end,
            StoredArray.of(np.concatenate([b.level for b in new])),
            StoredArray.of(np.concatenate([b.pitch for b in new])),
            StoredArray.of(np.concatenate([b.probability for b in new])),
            StoredArray.of(np.concatenate([b.repetition for b in new])),
        )

    def add_part(self, part: EvidencePart) -> None:
        """Know what was measured in an earlier run; to be called before any sound is given."""
        self._blocks.append(
            Evidence(
                part.level.array(),
                part.pitch.array(),
                self._classifier.kinds,
                part.probability.array(),
                part.repetition.array(),
            )
        )
        self._kept = len(self._blocks)
        self._measured += len(self._blocks[-1].level) // (BLOCK // CELL)
        self._part_end = self._heard = part.end
        self._pending, self._held = [], 0

    def feed(self, start: Timestamp, sound: Speech) -> None:
        """Take the next piece.

        Args:
            start: where it begins. What was heard before is passed over, so that windows that are
                read again from where the last one's words end may be given as they are.
            sound: mono at 16 kHz, -1 to 1.

        Raises:
            ValueError: there is sound missing before `start`, or `finish` was called.
        """
        if self._is_over:
            raise ValueError("a finished listener takes no more sound")
        begin = round(start.exact * RATE_HZ)
        if begin > self._heard:
            missing_s = (begin - self._heard) / RATE_HZ
            raise ValueError(f"{missing_s:.3f} s before {start.seconds:.3f} s were never heard")
        new = sound[self._heard - begin :]
        self._heard += len(new)
        for at in range(0, len(new), BLOCK):
            self._take(new[at : at + BLOCK])

    def finish(self) -> SoundTrack:
        """The track of everything heard; to be called once, at the end."""
        return track_of(self.evidence(), self._heard)

    def evidence(self) -> Evidence:
        """What was measured in everything heard; to be called once, at the end."""
        if self._is_over:
            raise ValueError("a listener finishes once")
        self._is_over = True
        missing = -self._heard % BLOCK
        self._take(np.zeros(missing + MARGIN, np.float32))
        return _joined(self._blocks, self._heard, self._classifier.kinds)

    def _take(self, sound: Speech) -> None:
        self._pending.append(sound)
        self._held += len(sound)
        while self._held >= BLOCK + 2 * MARGIN:
            held = np.concatenate(self._pending)
            self._blocks.append(_measured(held[: BLOCK + 2 * MARGIN], self._classifier))
            self._measured += 1
            self._pending = [held[BLOCK:].copy()]
            self._held -= BLOCK


def track_key(ctx: RunContext, presentation: Presentation, classifier: str) -> ArtifactKey:
    """Key of a source's sound track; `classifier` is its identity."""
    return key_for(
        ctx,
        STAGE,
        VERSION,
        **sound_of(presentation),
        duration=presentation.duration,
        classifier=classifier,
    )


def listen(
    path: Path, presentation: Presentation, classifier: SoundClassifier, ctx: RunContext
) -> SoundTrack:
    """Listen to the chosen audio stream in a decode of its own.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    listener = Listener(classifier)
    with SoundPass(path, presentation, (listener,), ctx) as sound:
        sound.finish()
    return listener.finish()


def _needed_from(block: int) -> int:
    """The first sample that this block, the first not measured, is measured with."""
    return max(0, block * BLOCK - MARGIN)


def _measured(sound: Speech, classifier: SoundClassifier) -> Evidence:
    level, pitch = levels_and_pitch(sound, MARGIN, BLOCK // CELL)
    lead = MARGIN - (classifier.window - BEAT_CELL) // 2  # a patch is centred on its cell
    end = lead + (BLOCK_CELLS - 1) * BEAT_CELL + classifier.window
    return Evidence(
        level.astype(np.float16),  # good to 0.03 dB
        pitch.astype(np.float16),  # good to 0.1 %
        classifier.kinds,
        classifier.classify(sound[lead:end]).astype(np.float16),
        repetition(sound, MARGIN, BLOCK_CELLS).astype(np.float16),
    )


def _joined(blocks: list[Evidence], samples: int, kinds: tuple[str, ...]) -> Evidence:
    """One block after another, without what lies behind the end."""
    fine, coarse = -(-samples // CELL), -(-samples // BEAT_CELL)
    return Evidence(
        _row([b.level for b in blocks])[:fine],
        _row([b.pitch for b in blocks])[:fine],
        kinds,
        _row([b.probability for b in blocks], len(kinds))[:coarse],
        _row([b.repetition for b in blocks])[:coarse],
    )


def _row(parts: list[Floats], *width: int) -> Floats:
    return np.concatenate([np.zeros((0, *width)), *parts], dtype=np.float32)


def track_of(evidence: Evidence, samples: int) -> SoundTrack:
    """Events and curves.

    Args:
        evidence: of everything heard.
        samples: how many that were.
    """
    duration = Timestamp.from_seconds(samples / RATE_HZ)
    pause_limit, silence_limit = limits(evidence.level)
    is_loud = evidence.level >= pause_limit
    voiced = _steady(np.where(is_loud, evidence.pitch, 0))
    events = [
        event
        for kind, chance in chances(evidence, is_loud, voiced > 0).items()
        for event in _events(kind, chance, BEAT_CELL, RULES[kind], duration)
    ]
    events = [e if e.kind == "music" else _trimmed(e, is_loud) for e in events]
    is_silent = (evidence.level < silence_limit).astype(np.float32)
    events += _events("silence", is_silent, CELL, SILENCE_RULE, duration)
    return SoundTrack(
        duration,
        tuple(sorted(events, key=lambda event: (event.range.start_s, event.kind))),
        _loudness(evidence.level),
        _pitches(voiced),
        _shares(voiced > 0),
        _shares(~is_loud),
    )


def limits(level: Floats) -> tuple[float, float]:
    """Levels below which there is a pause, and silence, in LUFS."""
    heard = level[level > SILENT_LUFS + 1]
    loud = float(np.percentile(heard, 90)) if len(heard) else SILENT_LUFS
    pause = max(loud - QUIETER_THAN_SPEECH_DB, SILENCE_BOUNDS_LUFS[0])
    low, high = SILENCE_BOUNDS_LUFS
    return pause, min(max(pause - QUIETER_THAN_PAUSE_DB, low), high)


def chances(evidence: Evidence, is_loud: Flags, is_voiced: Flags) -> dict[str, Floats]:
    """Probability of each kind of event in each cell of 0.48 s.

    Laughter is what the classifier takes for it, or loud voiced sound that repeats itself evenly
    and is no music: the classifier hears many theatrical laughs as speech.
    """
    of = dict(zip(evidence.kinds, evidence.probability.T, strict=True))
    log_odds = REPETITION_SLOPE * (evidence.repetition - REPEATS_EVENLY)
    pulses = 1 / (1 + np.exp(-log_odds - DOUBT * (of["speech"] < SURELY_SPEECH)))
    body = _coarse(is_loud, len(pulses)) * (_coarse(is_voiced, len(pulses)) >= MIN_VOICED)
    rhythm = pulses * np.minimum(1, 2 * body) * (1 - of["music"])
    return {
        "laughter": np.asarray(1 - (1 - _believed(of["laughter"])) * (1 - rhythm), np.float32),
        "applause": _believed(of["applause"]),
        "cheering": _believed(of["cheering"]),
        "music": _smoothed(of["music"]),
    }


def _believed(chance: Floats) -> Floats:
    """The classifier's probability of a reaction with its caution taken out."""
    return np.asarray(REACTION_ODDS * chance / (1 + (REACTION_ODDS - 1) * chance), np.float32)


def _coarse(flags: Flags, cells: int) -> Floats:
    """Share of each cell of 0.48 s in which `flags` holds."""
    padded = np.zeros(cells * FINE, np.float32)
    padded[: len(flags)] = flags
    return np.asarray(padded.reshape(cells, FINE).mean(axis=1), np.float32)


def _smoothed(chance: Floats) -> Floats:
    """Median of three: one cell alone neither makes nor breaks music."""
    padded = np.concatenate([chance[:1], chance, chance[-1:]])
    views = np.lib.stride_tricks.sliding_window_view(padded, 3) if len(chance) else padded[:, None]
    return np.asarray(np.median(views, axis=1), np.float32)


def _steady(pitch: Floats) -> Floats:
    """Pitch as the median of five cells; what is voiced for less than three of them is dropped."""
    if not len(pitch):
        return pitch
    views = np.lib.stride_tricks.sliding_window_view(np.pad(pitch, 2), 5)
    return np.where(pitch > 0, np.median(views, axis=1), 0).astype(np.float32)


def _events(
    kind: str, chance: Floats, cell: int, rule: EventRule, duration: Timestamp
) -> list[SoundEvent]:
    """Runs of cells that stay above `rule.off` and somewhere reach `rule.on`."""
    found = []
    for first, last in _runs(chance >= rule.off):
        if chance[first:last].max() >= rule.on:
            found.append((first, last))
    joined: list[tuple[int, int]] = []
    for first, last in found:
        if joined and (first - joined[-1][1]) * cell <= rule.max_gap_s * RATE_HZ:
            first = joined.pop()[0]
        joined.append((first, last))
    return [
        _event(kind, chance[first:last], first * cell, last * cell, duration)
        for first, last in joined
        if (last - first) * cell >= rule.min_s * RATE_HZ
    ]


def _event(kind: str, chance: Floats, first: int, last: int, duration: Timestamp) -> SoundEvent:
    """The event from sample `first` to `last`; its probability is the mean of its better half."""
    end = min(Timestamp.from_seconds(last / RATE_HZ), duration)
    better = np.sort(chance)[len(chance) // 2 :]
    span = TimeRange(Timestamp.from_seconds(first / RATE_HZ), end)
    return SoundEvent(kind, span, round(float(better.mean()), 2))


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """Stretches where `flags` holds, as half-open pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _trimmed(event: SoundEvent, is_loud: Flags) -> SoundEvent:
    """The event without the quiet at its ends, which cells of 0.48 s cannot tell."""
    first = int(event.range.start_s * RATE_HZ) // CELL
    last = -(-int(event.range.end_s * RATE_HZ) // CELL)
    loud = np.flatnonzero(is_loud[first:last])
    if not len(loud):
        return event
    begin, end = (first + int(loud[0])) * CELL, (first + int(loud[-1]) + 1) * CELL
    span = TimeRange(
        max(event.range.start, Timestamp.from_seconds(begin / RATE_HZ)),
        min(event.range.end, Timestamp.from_seconds(end / RATE_HZ)),
    )
    return SoundEvent(event.kind, span, event.probability)


def _loudness(level: Floats) -> tuple[float, ...]:
    power = _step_means(10 ** (level.astype(np.float64) / 10))
    loudness = np.maximum(10 * np.log10(power), SILENT_LUFS)
    return tuple(float(lufs) for lufs in np.round(loudness, 1))


def _pitches(pitch: Floats) -> tuple[float | None, ...]:
    return tuple(
        round(float(np.median(heard)), 1) if len(heard) >= MIN_VOICED * STEP_CELLS else None
        for heard in (row[row > 0] for row in _by_step(pitch))
    )


def _shares(flags: Flags) -> tuple[float, ...]:
    shares = _step_means(flags)
    return tuple(float(share) for share in np.round(shares, 2))


def _step_means(cells: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    return np.asarray(np.nanmean(_by_step(cells), axis=1), np.float64)


def _by_step(cells: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Cells of 20 ms by step, shape (steps, 25); NaN behind the end."""
    steps = -(-len(cells) // STEP_CELLS)
    rows = np.full(steps * STEP_CELLS, np.nan)
    rows[: len(cells)] = cells
    return rows.reshape(steps, STEP_CELLS)
