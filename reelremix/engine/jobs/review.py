"""Work on the clips of one manifest: all that is asked, or one after the other in a session."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelremix.engine import pipeline
from reelremix.engine import preview as previewing
from reelremix.engine.asking import perform
from reelremix.engine.domain.request import EditRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.jobs.job import Job, working_on
from reelremix.engine.reviewing import Happened, Review
from reelremix.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Edited:
    """What was changed."""

    happened: tuple[Happened, ...]
    """In the order it was done."""
    manifest: dict[str, Any]
    """The content of `clips.json`, changed."""


def edit(request: EditRequest, job: Job) -> Edited:
    """Change a clip of a manifest, all that is asked or nothing; the manifest follows."""
    with closing(Review(Path(request.manifest), job.ctx)) as review:
        folder = review.path.resolve().parent
        if not os.access(folder, os.W_OK):
            raise ConfigError(
                f"{folder} cannot be written to, so nothing was changed",
                hint="copy the folder to a place of your own, and edit the copy",
            )
        happened = perform(request, review)
        review.sync()
        return Edited(tuple(happened), dict(review.content))


def settle(review: Review, ids: Sequence[str], job: Job) -> None:
    """Frame those of these clips that are due, as the next render would."""
    with _recording(review, job) as subject:
        previewing.settle(review, ids, subject, job.ctx)


def preview(review: Review, id: str, folder: Path, job: Job) -> Path:
    """A small film of a clip as it is now."""
    with _recording(review, job) as subject:
        return previewing.preview(review, id, subject, folder, job.ctx)


@contextmanager
def _recording(review: Review, job: Job) -> Iterator[Subject]:
    """The recording of a review, held for this run alone."""
    opened = pipeline.recording_of(None, review.content, review.path, job.ctx)
    with working_on(opened, job) as subject:
        pipeline.require_video(subject)
        yield subject
