"""The films of a job: rendered, heard again, and made known to the library.

Which clips are rendered, and in which shape, is decided by the jobs that ask for them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reelremix.engine.domain.clip import Clip, Rendered
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import RenderRecord
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.clip_entry import drawn_digest
from reelremix.engine.jobs.job import Job
from reelremix.engine.proof import Ears
from reelremix.engine.rendering import Batch, render


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What a clip or render job left behind."""

    folder: Path
    manifest: dict[str, Any]
    """The content of `clips.json`."""
    failed: int
    """Clips that could not be rendered."""


def filmed(batch: Batch, ears: Ears, subject: Subject, job: Job) -> dict[str, Rendered]:
    """Render clips and hear what came of them; the recogniser is made ready meanwhile."""
    rendered = render(replace(batch, nearly_done=ears.prepare), subject, job.ctx)
    return heard_again(batch, rendered, ears, job)


def heard_again(
    batch: Batch, rendered: Mapping[str, Rendered], ears: Ears, job: Job
) -> dict[str, Rendered]:
    """Hear films that were rendered, and count them."""
    job.usage["rendered_s"] = sum(c.film_duration_s for c in batch.clips if c.id in rendered)
    return ears.judged(batch.clips, rendered, batch.folder)


def remember_films(
    manifest_id: str, clips: Sequence[Clip], rendered: Mapping[str, Rendered], ctx: RunContext
) -> None:
    """Tell the library which films there are."""
    for clip in clips:
        if (film := rendered.get(clip.id)) is not None:
            is_ok = film.verdict is not None and film.verdict.ok
            at = round(time.time(), 3)
            ctx.catalogue.save_render(
                RenderRecord(
                    manifest_id, clip.id, film.video, film.sha256, drawn_digest(clip), is_ok, at
                )
            )
