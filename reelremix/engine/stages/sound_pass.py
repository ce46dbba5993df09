"""One pass over the sound of a source for everyone who listens to it.

Speech is recognised in windows (`stages.transcribe`); what is decoded for them is handed on to
`Ear`s, which hear the source from its start to its end: sounds (`stages.listen`) and voices
(`stages.diarize`). What the windows leave out, because they are known from an earlier run or
because a transcript was given, is decoded for the ears alone. What an ear has learned is kept in
parts, so that a stopped run goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageProgress
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.media.audio import read_speech
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.engine.stages.artifact import key_for, load, save, sound_of
from reelremix.errors import Cancelled

SLICE_S = 10
"""Sound handed to an ear between two looks at whether the run is to stop."""
PART_S = 520
"""Decoded at once for the ears alone."""

HALF_MICROSECONDS = Timestamp(0).time_base / 2
"""Half a microsecond: a sample at 16 kHz is exactly 125 of them."""


class Ear(Protocol):
    """Hears the sound of a source once, in order."""

    stage: str
    identity: str
    """Changes whenever the same sound could teach other things."""
    part_type: type[Any]
    """Of what `take_part` gives: a dataclass with `start` and `end` in samples."""

    @property
    def heard(self) -> int:
        """Samples of the source taken so far."""

    def feed(self, start: Timestamp, sound: Speech) -> None:
        """Take the next piece, passing over what was heard before.

        Raises:
            ValueError: there is sound missing before it.
        """

    def take_part(self) -> Any | None:
        """What was learned since the last part; None where that is nothing."""

    def add_part(self, part: Any) -> None:
        """Know what `take_part` gave once; sound is then needed from its `end`."""


def moment(samples: int) -> Timestamp:
    """A place in the recording."""
    return Timestamp(samples * 125, HALF_MICROSECONDS)


class EarFailed(Exception):
    """An ear broke off while something else was going on; `cause` is what stopped it."""

    def __init__(self, cause: Exception) -> None:
        """Carry the error to whoever asked for the ear."""
        super().__init__(str(cause))
        self.cause = cause


class SoundPass:
    """Decodes a source for a recogniser's windows and for ears; a context manager.

    Ears hear a window before the recogniser has it. Beside the recogniser, on the same two cores,
    both took longer (61 and 55 s for ten minutes) and 240 MB more.
    """

    def __init__(
        self, path: Path, presentation: Presentation, ears: Sequence[Ear], ctx: RunContext
    ) -> None:
        """Begin a pass; what ears learned in an earlier run is looked up first."""
        self._path = path
        self._presentation = presentation
        self._ears = tuple(ears)
        self._ctx = ctx
        self.seconds = {ear.stage: 0.0 for ear in ears}
        """What each ear's hearing took so far."""
        for ear in self._ears:
            self._recall(ear)

    def __enter__(self) -> SoundPass:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keep()

    def window(self, span: TimeRange) -> Speech:
        """The samples of a window, which the ears hear too.

        Raises:
            UnreadableMedia: the file cannot be read.
            EarFailed: an ear could not go on.
            Cancelled: the user asked to stop.
        """
        self._catch_up(span.start, tell=False)
        speech = self._decoded(span)
        for ear in self._ears:
            self._give(ear, round(span.start.exact * RATE_HZ), speech, tell=False)
        self._keep()
        return speech

    def finish(self) -> None:
        """Let the ears hear whatever is left.

        Raises:
            UnreadableMedia: the file cannot be read.
            EarFailed: an ear could not go on.
            Cancelled: the user asked to stop.
        """
        self._catch_up(self._presentation.duration, tell=True)

    def _catch_up(self, end: Timestamp, *, tell: bool) -> None:
        """Let every ear hear what it missed before `end`, decoded for all of them together."""
        samples = round(end.exact * RATE_HZ)
        while self._ears and (at := min(ear.heard for ear in self._ears)) < samples:
            stop = min(at + PART_S * RATE_HZ, samples)
            speech = self._decoded(TimeRange(moment(at), moment(stop)))
            for ear in self._ears:
                self._give(ear, at, speech, tell=tell)
            self._keep()

    def _give(self, ear: Ear, first: int, speech: Speech, *, tell: bool) -> None:
        total_s = self._presentation.duration.seconds
        for at in range(0, len(speech), SLICE_S * RATE_HZ):
            self._ctx.cancel.raise_if_set()
            piece = speech[at : at + SLICE_S * RATE_HZ]
            began = time.monotonic()
            try:
                ear.feed(moment(first + at), piece)
            except Cancelled:
                raise
            except Exception as exc:  # whatever it is, it is none of the recogniser's
                raise EarFailed(exc) from exc
            self.seconds[ear.stage] += time.monotonic() - began
            if tell:
                done_s = min((first + at + len(piece)) / RATE_HZ, total_s)
                told = StageProgress(self._ears[0].stage, done_s, total_s, "s")
                self._ctx.reporter.emit(told)

    def _decoded(self, span: TimeRange) -> Speech:
        return read_speech(self._path, self._presentation, span, self._ctx.cancel)

    def _key(self, ear: Ear, start: int) -> ArtifactKey:
        sound = sound_of(self._presentation)
        return key_for(
            self._ctx, f"{ear.stage}-part", 1, **sound, identity=ear.identity, start=start
        )

    def _recall(self, ear: Ear) -> None:
        at = 0
        while (part := load(self._ctx, self._key(ear, at), ear.part_type)) is not None:
            ear.add_part(part)
            at = part.end

    def _keep(self) -> None:
        for ear in self._ears:
            if (part := ear.take_part()) is not None:
                save(self._ctx, self._key(ear, part.start), part)
