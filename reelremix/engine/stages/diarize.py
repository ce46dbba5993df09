"""Who speaks when: windows of speech embedded as they pass by, clustered at the end.

Sound is heard once, in order, in pieces of any length; what is kept of it are the places of speech
and one vector for three quarters of a second. Where pieces are cut makes no difference: speech is
looked for in blocks of a fixed length that begin in silence.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, CancelToken, RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.speech_turn import Diarization, SpeechTurn
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import read_speech
from reelremix.engine.models.speaker_embedding import SpeakerEmbedder
from reelremix.engine.models.speech import RATE_HZ, Span, Speech
from reelremix.engine.stages.artifact import StoredArray, key_for, sound_of
from reelremix.engine.stages.sound_pass import SoundPass, moment
from reelremix.engine.stages.speaker_clustering import cluster_voices, follow_voices

STAGE = "diarize"
VERSION = 1
BLOCK_S = 60
"""Speech is looked for in so much sound at once."""
HOP_S = 0.75
"""From one window of a span to the next."""
CLEAR_S = 1.0
"""Windows with less speech in them are not asked who there is, only who of them speaks."""
AUDIBLE_S = 0.25
"""Speech shorter than this belongs to whoever speaks around it."""
PAUSE_S = 1.0
"""A speaker who is silent for less keeps the floor."""
MIN_SILENCE_MS = 160
PAD_MS = 60
AT_ONCE = 16
"""Windows embedded between two looks at whether the run is to stop."""


def diarization_key(
    ctx: RunContext,
    presentation: Presentation,
    model: str,
    speakers: int | None,
    within: Sequence[TimeRange] = (),
) -> ArtifactKey:
    """Key of the turns; `model` is the embedder's identity, `within` where it listened, if not
    everywhere."""
    sound = sound_of(presentation)
    where = {"within": tuple(within)} if within else {}
    return key_for(ctx, STAGE, VERSION, **sound, model=model, speakers=speakers, **where)


def diarize(
    path: Path,
    presentation: Presentation,
    embedder: SpeakerEmbedder,
    ctx: RunContext,
    speakers: int | None = None,
) -> Diarization:
    """Find the turns in the chosen audio stream of a file.

    Args:
        path: the file.
        presentation: its streams and clock.
        embedder: tells voices apart.
        ctx: told of progress.
        speakers: how many there are; None to find out.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    listener = VoiceListener(embedder, ctx.cancel)
    with SoundPass(path, presentation, (listener,), ctx) as sound:
        sound.finish()
    return listener.diarization(speakers)


def diarize_within(
    path: Path,
    presentation: Presentation,
    within: Sequence[TimeRange],
    embedder: SpeakerEmbedder,
    ctx: RunContext,
    speakers: int | None = None,
) -> Diarization:
    """Find the turns in stretches of a file, in order and apart; voices are compared across them.

    Raises:
        UnreadableMedia: the file cannot be read.
        Cancelled: the user asked to stop.
    """
    listener = VoiceListener(embedder, ctx.cancel)
    for number, span in enumerate(within):
        listener.hear(read_speech(path, presentation, span, ctx.cancel), span.start)
        ctx.reporter.emit(StageProgress(STAGE, number + 1, len(within), "ranges"))
    return listener.diarization(speakers)


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a window speaks for its span, in samples of the recording."""

    start: int
    end: int
    span: int
    is_clear: bool


@dataclass(frozen=True, slots=True)
class VoicePart:
    """What was heard between two places, in samples of the source."""

    start: int
    end: int
    spans: tuple[tuple[int, int], ...]
    """Where somebody speaks."""
    windows: tuple[tuple[int, int, int, bool], ...]
    """Start, end, number of the span within this part, and whether it is clear."""
    voices: StoredArray
    """A row a window."""


class VoiceListener:
    """`Ear` for voices: hears a recording from its start to its end."""

    stage = STAGE
    part_type = VoicePart

    def __init__(self, embedder: SpeakerEmbedder, cancel: CancelToken | None = None) -> None:
        """Listen with an embedder, until `cancel` is set if it is given."""
        self.identity = f"{VERSION}/{embedder.identity}"
        self._embedder = embedder
        self._cancel = cancel or CancelToken()
        self._waiting: list[Speech] = []
        """Sound in which speech has not been looked for."""
        self._held = 0
        """How many samples that is."""
        self._at = 0
        """Where it begins, in samples of the recording."""
        self._windows: list[_Window] = []
        self._voices: list[npt.NDArray[np.float16]] = []
        self._spans: list[tuple[int, int]] = []
        self._part_start = self._kept_windows = self._kept_spans = self._kept_voices = 0
        """What is in parts already."""

    @property
    def heard(self) -> int:
        """Samples of the source taken so far."""
        return self._at + self._held

    def feed(self, start: Timestamp, sound: Speech) -> None:
        """Take the next piece, passing over what was heard before.

        Raises:
            ValueError: there is sound missing before it.
            Cancelled: the user asked to stop.
        """
        begin = round(start.exact * RATE_HZ)
        if begin > self.heard:
            raise ValueError(f"a piece from {begin} after one that ended at {self.heard}")
        new = sound[self.heard - begin :]
        if len(new):
            self.hear(new, moment(self.heard))

    def take_part(self) -> VoicePart | None:
        """What was heard since the last part."""
        if self._at == self._part_start:
            return None
        first, kept = self._kept_spans, self._kept_windows
        part = VoicePart(
            self._part_start,
            self._at,
            tuple(self._spans[first:]),
            tuple((w.start, w.end, w.span - first, w.is_clear) for w in self._windows[kept:]),
            StoredArray.of(_rows(self._voices[self._kept_voices :])),
        )
        self._has_kept(self._at)
        return part

    def add_part(self, part: VoicePart) -> None:
        """Know what was heard in an earlier run; to be called before any sound is given."""
        first = len(self._spans)
        self._spans += part.spans
        self._windows += [_Window(a, b, first + span, clear) for a, b, span, clear in part.windows]
        self._voices.append(part.voices.array().astype(np.float16))
        self._at = part.end
        self._has_kept(part.end)

    def _has_kept(self, end: int) -> None:
        self._part_start = end
        self._kept_windows, self._kept_spans = len(self._windows), len(self._spans)
        self._kept_voices = len(self._voices)

    def hear(self, speech: Speech, start: Timestamp, spans: Sequence[Span] | None = None) -> None:
        """Take the next piece.

        Args:
            speech: mono at 16 kHz, of any length.
            start: where it lies; no earlier than the end of the piece before.
            spans: where somebody speaks in it, in samples of the piece; None to look for it,
                which costs less than embedding wide margins.

        Raises:
            ValueError: the piece lies before the end of the one before.
            Cancelled: the user asked to stop.
        """
        begin = round(start.exact * RATE_HZ)
        expected = self._at + self._held
        if begin < expected:
            raise ValueError(f"a piece from {begin} after one that ended at {expected}")
        if begin > expected or spans is not None:
            self._look(is_end=True)
            self._at = begin
        if spans is None:
            self._waiting.append(speech)
            self._held += len(speech)
            self._look(is_end=False)
        else:
            self._embed(speech, begin, spans)
            self._at = begin + len(speech)

    def diarization(self, speakers: int | None = None) -> Diarization:
        """The turns of all that was heard.

        Args:
            speakers: how many there are; None to find out.
        """
        self._look(is_end=True)
        labels = self._labels(speakers)
        return Diarization(tuple(_turns(self._spans, self._windows, labels)), self._embedder.name)

    def _look(self, *, is_end: bool) -> None:
        """Look for speech in whole blocks; at the end, in the rest."""
        block = BLOCK_S * RATE_HZ
        while self._held >= block or (is_end and self._held):
            waiting = np.concatenate(self._waiting)
            sound = waiting[:block]
            spans, used = _spoken(sound), len(sound)
            if used == block:
                spans, used = _but_the_last(spans, used)
            self._embed(sound, self._at, spans)
            self._waiting = [waiting[used:].copy()]
            self._held -= used
            self._at += used

    def _embed(self, sound: Speech, at: int, spans: Sequence[Span]) -> None:
        size = self._embedder.window
        cuts: list[tuple[int, int]] = []
        found: list[_Window] = []
        own: list[tuple[int, int]] = []
        for span in spans:
            start, end = max(0, span["start"]), min(len(sound), span["end"])
            if end <= start:
                continue
            own.append((at + start, at + end))
            number = len(self._spans) + len(own) - 1
            if end - start < AUDIBLE_S * RATE_HZ:
                continue
            for begin, stop in _placed(start, end, size):
                cuts.append((begin, stop))
                clear = stop - begin >= CLEAR_S * RATE_HZ
                found.append(_Window(at + begin, at + stop, number, clear))
        voices: list[npt.NDArray[np.float16]] = []
        for i in range(0, len(cuts), AT_ONCE):
            self._cancel.raise_if_set()
            places = cuts[i : i + AT_ONCE]
            windows = np.stack([np.resize(sound[begin:stop], size) for begin, stop in places])
            voices.append(self._embedder.embed(windows).astype(np.float16))
        self._spans += own  # together, so that a stop leaves none without the others
        self._windows += found
        self._voices += voices

    def _labels(self, speakers: int | None) -> npt.NDArray[np.int64]:
        """The voice of each window."""
        if not self._windows:
            return np.zeros(0, np.int64)
        voices = _rows(self._voices).astype(np.float32)
        clear = np.array([window.is_clear for window in self._windows])
        if not clear.any():
            clear[:] = True
        labels = np.full(len(voices), -1, np.int64)
        labels[clear] = cluster_voices(voices[clear], speakers)
        continues = np.array(
            [False, *(a.span == b.span for a, b in itertools.pairwise(self._windows))]
        )
        return follow_voices(voices, continues, labels)


def _rows(parts: Sequence[npt.NDArray[np.float16]]) -> npt.NDArray[np.float16]:
    found = [part for part in parts if len(part)]
    return np.concatenate(found) if found else np.zeros((0, 0), np.float16)


def _spoken(sound: Speech) -> list[Span]:
    """Where somebody speaks: Silero VAD, its spans cut closer than a recogniser wants them."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(min_silence_duration_ms=MIN_SILENCE_MS, speech_pad_ms=PAD_MS)
    found: list[Span] = get_speech_timestamps(sound, options)
    return found


def _but_the_last(spans: list[Span], length: int) -> tuple[list[Span], int]:
    """Spans that are surely whole, and up to where the block is dealt with.

    A block that is all but filled by one span is cut where it ends.
    """
    if not spans or length - spans[-1]["end"] >= RATE_HZ:
        return spans, length
    before = spans[-2]["end"] if len(spans) > 1 else 0
    used = (before + spans[-1]["start"]) // 2
    return (spans[:-1], used) if used >= RATE_HZ else (spans, length)


def _placed(start: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Windows over a span; the last one ends with it."""
    hop = round(HOP_S * RATE_HZ)
    for begin in range(start, max(start, end - size) + 1, hop):
        yield begin, min(begin + size, end)
    rest = (end - start - size) % hop
    if end - start > size and rest:
        yield end - size, end


def _turns(
    spans: Sequence[tuple[int, int]], windows: Sequence[_Window], labels: npt.NDArray[np.int64]
) -> Iterator[SpeechTurn]:
    """Turns of named speakers; pauses in which nobody else speaks are within a turn."""
    held: list[tuple[int, int, int]] = []
    for start, end, label in _pieces(spans, windows, labels):
        if held and held[-1][2] == label and start - held[-1][1] < PAUSE_S * RATE_HZ:
            start = held.pop()[0]
        held.append((start, end, label))
    names: dict[int, str] = {}
    for start, end, label in held:
        name = names.setdefault(label, f"S{len(names) + 1}")
        yield SpeechTurn(TimeRange(moment(start), moment(end)), name)


def _pieces(
    spans: Sequence[tuple[int, int]], windows: Sequence[_Window], labels: npt.NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """(start, end, voice) of all speech in order: each moment is its nearest window's."""
    centres = np.array([(window.start + window.end) / 2 for window in windows])
    owners = np.array([window.span for window in windows])
    for number, (start, end) in enumerate(spans if windows else ()):
        first, last = np.searchsorted(owners, [number, number + 1])
        if first == last:
            after = int(np.searchsorted(centres, (start + end) / 2))
            first = min(max(0, after - 1), len(windows) - 1)
            if after < len(windows) and centres[after] - end < start - centres[first]:
                first = after
            last = first + 1
        middles = ((centres[first : last - 1] + centres[first + 1 : last]) / 2).round().astype(int)
        borders = [start, *middles.tolist(), end]
        for label, (begin, stop) in zip(
            labels[first:last], itertools.pairwise(borders), strict=True
        ):
            yield begin, stop, int(label)
