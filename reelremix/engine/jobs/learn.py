"""What the owner decided, and what platforms report, is recorded and learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reelremix.engine import adapting, feedback
from reelremix.engine.adapting import Standing
from reelremix.engine.domain.clip import ClipEntry
from reelremix.engine.feedback import Import
from reelremix.engine.jobs.job import Job


@dataclass(frozen=True, slots=True)
class Decided:
    """Clips that were decided on, and what was learned."""

    clips: tuple[ClipEntry, ...]
    standing: Standing


def decide(clips: Sequence[str], job: Job, *, keep: bool) -> Decided:
    """Record that clips are kept or dropped, all or none of them, and learn from it."""
    found = [feedback.find_clip(text, job.ctx.catalogue) for text in clips]
    unique = tuple({clip.id: clip for clip in found}.values())
    kind = adapting.KEPT if keep else adapting.DROPPED
    return Decided(unique, feedback.decide(unique, kind, job.ctx))


def import_results(file: Path, job: Job, *, dry_run: bool) -> tuple[Import, Standing | None]:
    """Record the results in a platform's table and learn from them; `dry_run` does neither."""
    found = feedback.import_results(file, job.ctx, dry_run=dry_run)
    return found, None if dry_run else adapting.relearn(job.ctx)
