"""Hearing finished films again, with the recogniser that heard the recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reelremix.engine.domain.clip import Clip, Rendered
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.memory import give_back_freed_memory
from reelremix.engine.models.whisper import choose_whisper
from reelremix.engine.stages.artifact import key_for, load, save, stage
from reelremix.engine.stages.ends import STAGE, VERSION, Ends, hear_ends
from reelremix.engine.store.files import file_sha256
from reelremix.errors import ModelError


def with_ends_heard(
    clips: Sequence[Clip],
    rendered: Mapping[str, Rendered],
    folder: Path,
    language: str | None,
    options: TranscribeOptions,
    ctx: RunContext,
) -> dict[str, Rendered]:
    """The records, their verdicts saying whether each film begins and ends with its words.

    A recogniser that is not here leaves that unknown, since what was rendered is whole without it.
    """
    films = [
        (folder / rendered[clip.id].video, clip)
        for clip in clips
        if clip.words and clip.id in rendered and rendered[clip.id].verdict is not None
    ]
    if not films:
        return dict(rendered)
    try:
        found = _ends(films, language, options, ctx)
    except ModelError as exc:
        ctx.reporter.emit(Warned(f"the ends of the clips were not heard: {exc.message}", exc.hint))
        return dict(rendered)
    judged = {
        clip.id: _judged(rendered[clip.id], clip, ends, ctx)
        for (_, clip), ends in zip(films, found, strict=True)
    }
    return {**rendered, **judged}


def _ends(
    films: Sequence[tuple[Path, Clip]],
    language: str | None,
    options: TranscribeOptions,
    ctx: RunContext,
) -> list[Ends]:
    transcriber = choose_whisper(options.model, options.device, ctx.models).transcriber
    with stage(ctx, STAGE):
        keys = [
            key_for(ctx, STAGE, VERSION, film=file_sha256(video), model=transcriber.identity)
            for video, _ in films
        ]
        known = [load(ctx, key, Ends) for key in keys]
        missing = [n for n, ends in enumerate(known) if ends is None]
        if missing:
            heard = hear_ends([films[n] for n in missing], transcriber, language, options, ctx)
            for n, ends in zip(missing, heard, strict=True):
                known[n] = ends
                save(ctx, keys[n], ends)
    del transcriber
    give_back_freed_memory()
    return [ends for ends in known if ends is not None]


def _judged(rendered: Rendered, clip: Clip, ends: Ends, ctx: RunContext) -> Rendered:
    assert rendered.verdict is not None
    notes = [
        f"its {name} word, “{word.text}”, is not heard again"
        for name, word, is_heard in (
            ("first", clip.words[0], ends.first),
            ("last", clip.words[-1], ends.last),
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
