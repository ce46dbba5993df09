"""Hearing finished films again, with the recogniser that heard the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.engine.domain.clip import Clip, Rendered
from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.kept import heard_words
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.transcript import Word
from reelremix.engine.memory import give_back_freed_memory
from reelremix.engine.models.whisper import Transcriber, choose_whisper
from reelremix.engine.stages.artifact import key_for, load, save, stage
from reelremix.engine.stages.ends import (
    STAGE,
    VERSION,
    Ends,
    FilmEnds,
    Said,
    compared,
    hear_ends,
    read_ends,
)
from reelremix.engine.store.files import file_sha256
from reelremix.errors import ModelError, SourceError, UnreadableMedia


@dataclass(frozen=True, slots=True)
class _Film:
    """A film that can be read."""

    clip: Clip
    key: ArtifactKey
    said: Said | None
    """What is heard at its ends; None where it was not heard yet."""
    sound: FilmEnds


class Ears:
    """Hears finished films again, as the recording was heard.

    Where the words were brought nothing is heard: whoever brings them may have no recogniser.
    """

    def __init__(self, language: str | None, options: TranscribeOptions, ctx: RunContext) -> None:
        self._language = language
        self._options = options
        self._ctx = ctx
        self._chosen: Transcriber | None = None

    def prepare(self) -> None:
        """Begin to load the recogniser; if it is not here, that is told when it is needed."""
        if self._options.transcript is None:
            with suppress(ModelError):
                self._transcriber().prepare()

    def judged(
        self, clips: Sequence[Clip], rendered: Mapping[str, Rendered], folder: Path
    ) -> dict[str, Rendered]:
        """The records, their verdicts saying whether each film begins and ends with its words.

        A recogniser that is not here leaves that unknown, since what was rendered is whole without
        it; so does a film that cannot be read, for itself.
        """
        films = [
            (folder / rendered[clip.id].video, clip)
            for clip in clips
            if _words_of(clip) and clip.id in rendered and rendered[clip.id].verdict is not None
        ]
        if not films or self._options.transcript is not None:
            return dict(rendered)
        try:
            said = self._said(films)
        except ModelError as exc:
            told = f"the ends of the clips were not heard: {exc.message}"
            self._ctx.reporter.emit(Warned(told, exc.hint))
            return dict(rendered)
        judged = {
            clip.id: _judged(
                rendered[clip.id], clip, compared(said[clip.id], _words_of(clip)), self._ctx
            )
            for _, clip in films
            if clip.id in said
        }
        return {**rendered, **judged}

    def _transcriber(self) -> Transcriber:
        if self._chosen is None:
            model, device = self._options.model, self._options.device
            self._chosen = choose_whisper(model, device, self._ctx.models).transcriber
        return self._chosen

    def _said(self, films: Sequence[tuple[Path, Clip]]) -> dict[str, Said]:
        """What is heard at the ends of the films that can be read, by clip id."""
        transcriber = self._transcriber()
        how = _how(transcriber, self._language, self._options)
        with stage(self._ctx, STAGE):
            opened = [_opened(film, how, self._ctx) for film in films]
            known = {film.clip.id: film.said for film in opened if film and film.said}
            waiting = [film for film in opened if film and film.said is None]
            known |= self._heard(waiting, transcriber)
        self._chosen = None
        del transcriber
        give_back_freed_memory()
        return known

    def _heard(self, waiting: Sequence[_Film], transcriber: Transcriber) -> dict[str, Said]:
        """Films heard quickly; where a word is missing then, with the care the recording had."""
        heard: dict[str, Said] = {}
        options, quick = self._options, replace(self._options, beam_size=1)
        for care in dict.fromkeys((quick, options)):
            sounds = [film.sound for film in waiting]
            found = hear_ends(sounds, transcriber, self._language, care, self._ctx)
            doubtful = []
            for film, said in zip(waiting, found, strict=True):
                heard[film.clip.id] = said
                if care != options and compared(said, _words_of(film.clip)).misses:
                    doubtful.append(film)
                else:
                    save(self._ctx, film.key, said)
            waiting = doubtful
        return heard


def _how(
    transcriber: Transcriber, language: str | None, options: TranscribeOptions
) -> dict[str, object]:
    """All that what is heard depends on, besides the film."""
    return {
        "model": transcriber.identity,
        "language": language,
        "initial_prompt": options.initial_prompt,
        "vocabulary": options.vocabulary,
        "batch_size": options.batch_size,
        "beam_size": options.beam_size,
    }


def _opened(film: tuple[Path, Clip], how: Mapping[str, object], ctx: RunContext) -> _Film | None:
    """A film with what is known of it, else with its sound; None where it cannot be read."""
    video, clip = film
    try:
        key = key_for(ctx, STAGE, VERSION, film=_digest(video), **how)
        said = load(ctx, key, Said)
        sound = read_ends(video, clip, ctx) if said is None else ()
    except SourceError as exc:
        told = f"the ends of {video.name} were not heard: {exc.message}"
        ctx.reporter.emit(Warned(told, "watch it before use"))
        return None
    return _Film(clip, key, said, sound)


def _digest(video: Path) -> str:
    try:
        return file_sha256(video)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise UnreadableMedia(f"{video} cannot be read: {reason}") from exc


def _words_of(clip: Clip) -> tuple[Word, ...]:
    """The clip's words as far as they are heard: somebody may have trimmed it."""
    return heard_words(clip.words, clip.ranges)


def _judged(rendered: Rendered, clip: Clip, ends: Ends, ctx: RunContext) -> Rendered:
    assert rendered.verdict is not None
    words = _words_of(clip)
    notes = [
        f"its {name} word, “{word.text}”, is not heard again"
        for name, word, is_heard in (
            ("first", words[0], ends.first),
            ("last", words[-1], ends.last),
        )
        if is_heard is False
    ]
    if notes:
        told = f"{rendered.video}: {'; '.join(notes)}"
        ctx.reporter.emit(Warned(told, "listen to its ends before use"))
    verdict = replace(
        rendered.verdict,
        ok=rendered.verdict.ok and not notes,
        notes=(*rendered.verdict.notes, *notes),
        first_word_heard=ends.first,
        last_word_heard=ends.last,
    )
    return replace(rendered, verdict=verdict)
