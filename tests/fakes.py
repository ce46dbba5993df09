"""Stand-ins for what a run is given: models that say what they are told, listeners with memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Event, LoggedEvent
from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.source import Presentation, VideoFormat
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Box
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.models.faces import Face, RgbImage
from reelremix.engine.models.speech import Speech
from reelremix.engine.models.whisper import Hearing, LanguageGuess
from reelremix.engine.stages.frame import center_layout
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.errors import ModelNotInstalled

T = TypeVar("T")

PORTRAIT = OutputFormat(1080, 1920, Fraction(25))
LANDSCAPE_720 = VideoFormat(1280, 720, Fraction(25), False, 0, False, "yuv420p", 1280, 720)


class Unkept:
    """Part of a `ModelProvider` that keeps no model."""

    def loaded(self, kind: str, key: Hashable, load: Callable[[], T]) -> T:
        """Loaded anew."""
        return load()


class NoModels(Unkept):
    """`ModelProvider` of a machine without weights."""

    def folder(self, name: str) -> Path:
        """Nothing is here."""
        raise ModelNotInstalled(f"model '{name}' is not installed", name=name)


class FacesOnly(Unkept):
    """`ModelProvider` of a machine with the face detector alone."""

    def folder(self, name: str) -> Path:
        """Nothing is read from it."""
        if name != "blazeface":
            raise ModelNotInstalled(f"model '{name}' is not installed", name=name)
        return Path(name)


class Recorder:
    """`Reporter` and `Listener` that remember."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Remember."""
        self.events.append(event)

    def receive(self, logged: LoggedEvent) -> None:
        """Remember what a job logged."""
        self.events.append(logged.event)

    @property
    def types(self) -> list[str]:
        """What happened, in order, progress left out."""
        return [e.type for e in self.events if e.type != "stage_progress"]


def run_context(**more: Any) -> RunContext:
    """A run in memory, without models."""
    catalogue = MemoryCatalogue()
    surroundings: dict[str, Any] = {
        "reporter": Recorder(),
        "catalogue": catalogue,
        "artifacts": MemoryArtifactStore(),
        "sources": LocalSourceAccess(catalogue),
        "models": NoModels(),
    }
    return RunContext(**surroundings | more)


@dataclass
class FakeTranscriber:
    """`Transcriber` that hears one word in every second that is not silent."""

    language: str = "en"
    probability: float = 0.9
    name: str = "fake"
    identity: str = "fake/1"
    device: str = "cpu"
    asked: list[tuple[float, str | None]] = field(default_factory=list)
    """Seconds of speech dealt with and language of every call."""

    def prepare(self) -> None:
        """Nothing to load."""

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions, *, goes_on: bool
    ) -> Hearing:
        """The language it was made for, or the one that was given.

        Where the recording goes on, it stops in the middle of the last silent half second.
        """
        halves = range(len(speech) // 8_000)
        silent = [n for n in halves if np.abs(speech[n * 8_000 : (n + 1) * 8_000]).max() < 0.01]
        used = silent[-1] * 8_000 + 4_000 if goes_on and silent else len(speech)
        self.asked.append((used / 16_000, language))
        guess = LanguageGuess(language or self.language, 1.0 if language else self.probability)
        return Hearing(guess, used, self._segments(speech[:used]))

    def _segments(self, speech: Speech) -> Iterator[Segment]:
        for second in range(len(speech) // 16_000):
            if np.abs(speech[second * 16_000 : (second + 1) * 16_000]).max() > 0.01:
                span = TimeRange.from_seconds(second + 0.1, second + 0.9)
                yield Segment(span, f"word {second}", (Word(f"word {second}", span, 0.9),))


@dataclass
class WhiteFaces:
    """`FaceDetector` that takes every white spot for a face."""

    input_size_px: int = 160
    calls: int = 0

    def detect(self, image: RgbImage) -> list[Face]:
        """One face around all white points."""
        self.calls += 1
        rows, columns = np.nonzero(image.min(axis=2) > 200)
        if not len(rows):
            return []
        x, y = float(columns.min()), float(rows.min())
        box = Box(x, y, float(columns.max()) - x + 1, float(rows.max()) - y + 1)
        return [Face(box, 0.9, (x + box.width / 2, y + box.height * 0.8))]


def presented(path: Path, audio_stream: str | None = None) -> Presentation:
    """The chosen streams of a recording."""
    return choose_streams(probe(path, "source"), audio_stream)


def clip_of(
    presentation: Presentation,
    start_s: float,
    end_s: float,
    output: OutputFormat = PORTRAIT,
    **more: Any,
) -> Clip:
    """A clip that shows the middle of the picture."""
    span = TimeRange.from_seconds(start_s, end_s)
    layout = Layout(())
    if presentation.video is not None:
        layout = center_layout(span, presentation.picture, output)
    decided: dict[str, Any] = {
        "id": "c0ffee",
        "rank": 1,
        "ranges": (span,),
        "text": "",
        "words": (),
        "title": "A title",
        "description": "",
        "hashtags": (),
        "slug": "a-title",
        "score": None,
        "output": output,
        "layout": layout,
    }
    return Clip(**decided | more)


def spoken(*sentences: str, each_s: float = 4.0, start_s: float = 0.0) -> Transcript:
    """A transcript whose sentences follow each other, every word timed."""
    segments = []
    for index, sentence in enumerate(sentences):
        begin = start_s + index * each_s
        step = (each_s - 0.4) / len(sentence.split())
        words = tuple(
            Word(text, TimeRange.from_seconds(begin + n * step, begin + n * step + step * 0.8))
            for n, text in enumerate(sentence.split())
        )
        span = TimeRange(words[0].range.start, words[-1].range.end)
        segments.append(Segment(span, sentence, words))
    return Transcript("en", 0.99, tuple(segments), model="fake")


def gathered(pieces: Iterator[npt.NDArray[Any]] | Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Pieces of sound as one."""
    return np.concatenate(list(pieces), axis=1)


@dataclass
class LoudSounds:
    """`SoundClassifier` that takes whatever is loud for one kind of sound, the rest for speech."""

    kind: str = "applause"
    limit: float = 0.2
    """Root mean square from which a patch's middle half is that kind."""
    chance: float = 1.0
    """With what probability."""
    kinds: tuple[str, ...] = ("speech", "laughter", "applause", "cheering", "music")
    identity: str = "loud-sounds"
    window: int = 15_600
    hop: int = 7_680

    def classify(self, sound: Speech) -> npt.NDArray[np.float32]:
        """`chance` of one kind, nothing of the others."""
        patches = max(0, (len(sound) - self.window) // self.hop + 1)
        found = np.zeros((patches, len(self.kinds)), np.float32)
        for number in range(patches):
            begin = number * self.hop + self.window // 4
            middle = sound[begin : begin + self.window // 2]
            is_loud = float(np.sqrt(np.mean(middle**2))) >= self.limit
            found[number, self.kinds.index(self.kind if is_loud else "speech")] = self.chance
        return found
