"""What operations on the clips of a manifest draw on: what is said, and where it may be cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.corrections import corrected
from reelremix.engine.domain.edit import Correction
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Segment, Transcript
from reelremix.engine.pipeline import audio_of, reopened
from reelremix.engine.stages.censor import WordList, word_list
from reelremix.engine.stages.cuts import Spoken
from reelremix.engine.stages.propose import split_sentences
from reelremix.errors import SourceError

RELINK = "`reelremix library relink FOLDER` finds it again where it is now"


@dataclass(frozen=True)
class Material:
    """What operations draw on besides the clips."""

    source_id: str
    transcript: Transcript
    """What is said in the whole recording, as far as that is known."""
    spoken: Spoken
    """The same, to cut between."""
    picture: VideoFormat
    tracks: Sequence[Track]
    censor: Censor
    censor_words: WordList
    manifest: Path
    """The presets and files of brand kits are looked for beside it too."""

    def corrected(self, corrections: Sequence[Correction]) -> Material:
        """The same after corrections."""
        transcript = corrected(self.transcript, corrections)
        spoken = replace(self.spoken, words=transcript.timed_words)
        return replace(self, transcript=transcript, spoken=spoken)

    @cached_property
    def sentences(self) -> Sequence[Sentence]:
        """All sentences of the recording."""
        return split_sentences(self.transcript)


class Frames:
    """Where the frames of a manifest's recording begin; may be asked from any thread."""

    def __init__(self, source: Mapping[str, Any], ctx: RunContext) -> None:
        """Of a manifest's source; the recording is opened when it is first asked about."""
        self._source = source
        self._ctx = ctx
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._snap: Callable[[Timestamp], Timestamp] | None = None

    def snap(self, moment: Timestamp) -> Timestamp:
        """The frame boundary nearest to a moment; of the nominal rate where the file is gone."""
        with self._lock:  # a reader is for one thread at a time
            if self._snap is None:
                self._snap = self._opened()
            return self._snap(moment)

    def close(self) -> None:
        """Let go of the recording."""
        with self._lock:
            self._stack.close()
            self._snap = None

    def _opened(self) -> Callable[[Timestamp], Timestamp]:
        from reelremix.engine.media.decode import FrameReader  # deferred: FFmpeg, 100 ms

        source, ctx = self._source, self._ctx
        try:
            subject = self._stack.enter_context(reopened(str(source["id"]), audio_of(source), ctx))
            reader = self._stack.enter_context(FrameReader(subject.path, subject.presentation))
        except SourceError as exc:
            ctx.reporter.emit(
                Warned(f"cuts are set by the frame rate alone: {exc.message}", RELINK)
            )
            rate = Fraction(source["frame_rate"])
            return lambda moment: Timestamp(round(moment.exact * rate), 1 / rate)
        return reader.snap


def material_of(
    content: Mapping[str, Any],
    path: Path,
    said: Transcript | None,
    clips: Sequence[Clip],
    tracks: Sequence[Track],
    frames: Frames,
) -> Material:
    """The material for a manifest.

    Args:
        content: of it.
        path: of it.
        said: in the recording, as far as the library knows.
        clips: as they are now; where the library does not know, they tell what is said.
        tracks: who is seen.
        frames: of the recording.

    Raises:
        ConfigError: the list of censored words cannot be read.
    """
    source, options = content["source"], content.get("options", {})
    transcript = said or _said_in(clips, content)
    mode = Censor(options.get("censor", Censor.OFF))
    own = options.get("censor_words")
    hides = mode is not Censor.OFF
    rate = Fraction(source["frame_rate"])
    end = Timestamp.from_seconds(float(source["duration_s"]))
    return Material(
        source_id=str(source["id"]),
        transcript=transcript,
        spoken=Spoken(transcript.timed_words, frames.snap, end, 1 / rate),
        picture=_picture(source),
        tracks=tracks,
        censor=mode,
        censor_words=(
            word_list(transcript.language, Path(own) if own else None) if hides else WordList()
        ),
        manifest=path,
    )


def _said_in(clips: Sequence[Clip], content: Mapping[str, Any]) -> Transcript:
    """What is known of a recording that the library knows nothing of."""
    words = {word.range: word for clip in clips for word in clip.words}
    ordered = sorted(words.values(), key=lambda word: word.range.start)
    language = (content.get("transcript") or {}).get("language")
    segments = tuple(Segment(w.range, w.text, (w,), w.speaker) for w in ordered)
    return Transcript(language, None, segments)


def _picture(source: Mapping[str, Any]) -> VideoFormat:
    width, height = int(source["width_px"]), int(source["height_px"])
    rate = Fraction(source["frame_rate"])
    return VideoFormat(width, height, rate, False, 0, False, "yuv420p", width, height)
