"""Speech of a source as timed words, window by window.

Windows end in silence, after as many full parts as the recogniser takes at once, so memory is
bounded and a stopped run goes on where it was. Each window is an artifact of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.models.speech import Speech
from reelremix.engine.models.whisper import LANGUAGE_FLOOR, Hearing, LanguageGuess, Transcriber
from reelremix.engine.stages.artifact import key_for, load, save, sound_of
from reelremix.engine.stages.sound_pass import SoundPass, moment
from reelremix.engine.stages.word_onsets import levels_of, on_their_onsets

STAGE = "transcribe"
VERSION = 5
WINDOW_S = 520
"""Read at once: mostly a little more than sixteen parts of 30 s, two full batches of eight."""


@dataclass(frozen=True, slots=True)
class Window:
    """The words of one window; times are on the source's clock."""

    range: TimeRange
    language: str
    language_probability: float
    segments: tuple[Segment, ...]


def transcript_key(
    ctx: RunContext, presentation: Presentation, options: TranscribeOptions, model: str
) -> ArtifactKey:
    """Key of the whole transcript; `model` is the transcriber's identity."""
    return key_for(ctx, STAGE, VERSION, **_inputs(presentation, options, model))


def transcribe(
    sound: SoundPass,
    presentation: Presentation,
    options: TranscribeOptions,
    transcriber: Transcriber,
    ctx: RunContext,
) -> Transcript:
    """Transcribe the chosen audio stream, window by window of the pass over its sound.

    Raises:
        UnreadableMedia: the file cannot be read.
        ModelError: the model failed.
        Cancelled: the user asked to stop; finished windows are kept.
    """
    listener = _Listener(sound, presentation, options, transcriber, ctx)
    windows = list(listener.windows())
    language, probability = _main_language(windows)
    if windows and probability < LANGUAGE_FLOOR and options.language is None:
        ctx.reporter.emit(
            Warned(
                f"the language is uncertain: {language} with probability {probability:.2f}",
                "say which it is with `--language CODE`",
            )
        )
    return Transcript(
        language=language if windows else options.language,
        language_probability=probability if windows else None,
        segments=tuple(segment for window in windows for segment in window.segments),
        model=transcriber.name,
    )


class _Listener:
    """Walks through a source window by window."""

    def __init__(
        self,
        sound: SoundPass,
        presentation: Presentation,
        options: TranscribeOptions,
        transcriber: Transcriber,
        ctx: RunContext,
    ) -> None:
        self._sound = sound
        self._presentation = presentation
        self._options = options
        self._transcriber = transcriber
        self._ctx = ctx
        self._inputs = _inputs(presentation, options, transcriber.identity)
        self._believed = options.language
        """The last language heard with certainty, to fall back on."""

    def windows(self) -> Iterator[Window]:
        """All windows that hold speech, stored ones first looked up."""
        end = self._presentation.duration
        start = Timestamp(0)
        while (end - start).seconds > 0.02:
            self._ctx.cancel.raise_if_set()
            window = self._window(TimeRange(start, end))
            if window.segments:
                yield window
            if self._options.language is None and window.language_probability >= LANGUAGE_FLOOR:
                self._believed = window.language
            start = window.range.end
            self._tell(start)

    def _window(self, rest: TimeRange) -> Window:
        key = key_for(
            self._ctx,
            "transcribe-window",
            VERSION,
            start=rest.start,
            believed=self._believed,
            **self._inputs,
        )
        window = load(self._ctx, key, Window)
        if window is None:
            window = self._listen(rest)
            save(self._ctx, key, window)
        return window

    def _listen(self, rest: TimeRange) -> Window:
        self._transcriber.prepare()
        longest = Timestamp.from_seconds(WINDOW_S)
        end = min(rest.end, rest.start + longest)
        speech = self._sound.window(TimeRange(rest.start, end))
        goes_on = end < rest.end
        hearing = self._hear(speech, self._options.language, goes_on=goes_on)
        guess = hearing.guess
        is_doubtful = bool(guess.language) and guess.probability < LANGUAGE_FLOOR
        if is_doubtful and self._believed is not None:
            hearing = self._hear(speech, self._believed, goes_on=goes_on)
            guess = LanguageGuess(self._believed, min(hearing.guess.probability, LANGUAGE_FLOOR))
        if goes_on:
            end = rest.start + moment(hearing.used)
        kept, levels = [], levels_of(speech)
        for segment in hearing.segments:
            self._ctx.cancel.raise_if_set()
            kept.append(_shifted(on_their_onsets(segment, levels), rest.start))
            self._tell(kept[-1].range.end)
        window = TimeRange(rest.start, end)
        return Window(window, guess.language, guess.probability, tuple(kept))

    def _hear(self, speech: Speech, language: str | None, *, goes_on: bool) -> Hearing:
        return self._transcriber.transcribe(speech, language, self._options, goes_on=goes_on)

    def _tell(self, at: Timestamp) -> None:
        total = self._presentation.duration.seconds
        self._ctx.reporter.emit(StageProgress(STAGE, min(at.seconds, total), total, "s"))


def _inputs(
    presentation: Presentation, options: TranscribeOptions, model: str
) -> dict[str, object]:
    return {
        **sound_of(presentation),
        "model": model,
        "language": options.language,
        "prompt": options.initial_prompt,
        "vocabulary": options.vocabulary,
        "beam_size": options.beam_size,
        "batch_size": options.batch_size,
    }


def _main_language(windows: list[Window]) -> tuple[str, float]:
    """The language with the most speech, and its mean probability weighted by speech."""
    spoken: dict[str, float] = {}
    certain: dict[str, float] = {}
    for window in windows:
        seconds = sum(segment.range.duration_s for segment in window.segments)
        spoken[window.language] = spoken.get(window.language, 0.0) + seconds
        weight = seconds * window.language_probability
        certain[window.language] = certain.get(window.language, 0.0) + weight
    if not spoken:
        return "", 0.0
    language = max(spoken, key=lambda name: spoken[name])
    return language, round(certain[language] / max(spoken[language], 1e-9), 4)


def _shifted(segment: Segment, by: Timestamp) -> Segment:
    return replace(
        segment,
        range=_moved(segment.range, by),
        words=tuple(_moved_word(word, by) for word in segment.words),
    )


def _moved_word(word: Word, by: Timestamp) -> Word:
    return replace(word, range=_moved(word.range, by))


def _moved(span: TimeRange, by: Timestamp) -> TimeRange:
    return TimeRange.from_seconds(span.start.exact + by.exact, span.end.exact + by.exact)
