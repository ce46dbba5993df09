"""A clip job in steps that are done apart: each in whatever process, and again if need be.

What a step leaves behind is found by the steps after it: a transcript and what is decided as
artifacts, films in their folder. A step that is done already returns at once. Who does them, in
which order and how often, is for the daemon to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from reelremix.engine import choosing, pipeline
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.manifest import FILE_NAME, read_manifest
from reelremix.engine.hearing import Heard
from reelremix.engine.joblog import Unheard
from reelremix.engine.jobs.clip import NOTHING, Clipping, Decided, claimed
from reelremix.engine.jobs.films import ClipResult, heard_again
from reelremix.engine.jobs.job import Cost, Job
from reelremix.engine.options import options_of
from reelremix.engine.output_folder import OutputFolder
from reelremix.engine.rendering import render_one
from reelremix.engine.stages.artifact import key_for, load, save
from reelremix.engine.workers import render_here
from reelremix.errors import JobError

DECIDED = "decided"
VERSION = 1
"""Of what is kept as decided."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Which recording it is, and where its clips go."""

    source_id: str
    folder: str
    source_s: float
    """Its length."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """A clip that is to be rendered."""

    id: str
    frames: int
    length_s: float


class ClipSteps:
    """The steps of one job."""

    def __init__(self, request: ClipRequest, job: Job) -> None:
        self._request = request
        self._job = job
        self._ctx = job.ctx

    def begin(self, source_id: str | None = None) -> Begun:
        """Look at the recording, check what is asked for, and take the folder.

        `source_id` is the recording's, if it is known: it may have been moved since.
        """
        with self._recording(source_id) as subject:
            folder = claimed(self._request, self._options, subject, self._job)
            place = str(folder.path.resolve())
            return Begun(subject.source.id, place, subject.presentation.duration.seconds)

    def hear(self, begun: Begun) -> None:
        """Find out what is said and heard; the artifacts of that are what is left."""
        with self._clipping(begun) as clipping:
            clipping.heard()

    def decide(self, begun: Begun) -> tuple[Outlined, ...]:
        """Decide everything, once for the job; what is left to render."""
        with self._clipping(begun) as clipping:
            decided = load(self._ctx, self._decided_key, Decided)
            if decided is None:
                decided = clipping.decided(self._heard_before(begun))
                save(self._ctx, self._decided_key, decided)
            if self._request.plan_only:
                return ()
            clipping.announce(decided)
            return tuple(
                Outlined(clip.id, clip.film.total, clip.film_duration_s)
                for clip in decided.plan.clips
            )

    def film(self, begun: Begun, clip_id: str) -> Rendered | None:
        """Render a clip in this process; None where it failed, which is told."""
        with self._clipping(begun) as clipping:
            batch = replace(clipping.batch(self._decided), by=render_here)
            return render_one(batch, clip_id, clipping.subject, self._ctx)

    def finish(
        self, begun: Begun, rendered: Sequence[Rendered], costs: Sequence[Cost]
    ) -> ClipResult:
        """Hear the films again and list them.

        Raises NothingToClip where there is no clip.
        """
        if (done := self._listed_already(begun, {film.clip_id for film in rendered})) is not None:
            return done
        decided = self._decided
        with self._clipping(begun) as clipping:
            if self._request.plan_only and decided.before is not None:
                self.give_back(begun)
                return ClipResult(Path(begun.folder), decided.before, 0)
            films = {film.clip_id: film for film in rendered}
            if films:
                ears = clipping.ears(decided)
                films = heard_again(clipping.batch(decided), films, ears, self._job)
            return clipping.listed(decided, films, [*costs, self._job.cost])

    def give_back(self, begun: Begun) -> None:
        """Leave the folder as it was, if nothing was changed in it."""
        self._folder(begun).release()

    def forget(self) -> None:
        """Let what was decided be decided anew."""
        self._ctx.artifacts.delete(self._decided_key)

    def _listed_already(self, begun: Begun, films: Collection[str]) -> ClipResult | None:
        """What this job has listed before, where that are the same films."""
        path = Path(begun.folder) / FILE_NAME
        if not path.is_file():
            return None
        content = read_manifest(path)
        if content.get("id") != self._job.id:
            return None
        clips = content["clips"]
        listed = {clip["id"] for clip in clips if (clip.get("files") or {}).get("video")}
        if listed != set(films):
            return None
        if not clips:
            raise choosing.nothing_to_clip(content.get("notice") or NOTHING, path.parent)
        failed = 0 if self._request.plan_only else len(clips) - len(listed)
        return ClipResult(path.parent, content, failed)

    @contextmanager
    def _clipping(self, begun: Begun) -> Iterator[Clipping]:
        audio = self._request.audio_stream
        with pipeline.reopened(begun.source_id, audio, self._ctx) as subject:
            folder = self._folder(begun)
            yield Clipping(self._request, self._options, folder, subject, self._job)

    def _heard_before(self, begun: Begun) -> Heard:
        """What `hear` left, without telling it again."""
        audio, quiet = self._request.audio_stream, replace(self._ctx, reporter=Unheard())
        with pipeline.reopened(begun.source_id, audio, quiet) as subject:
            job = self._job.within(quiet)
            return Clipping(self._request, self._options, self._folder(begun), subject, job).heard()

    @contextmanager
    def _recording(self, source_id: str | None) -> Iterator[Subject]:
        asked, audio = self._request.source, self._request.audio_stream
        opened = pipeline.prepared(asked, audio, self._ctx)
        if source_id is not None and not Path(asked).exists():
            opened = pipeline.reopened(source_id, audio, self._ctx)
        with opened as subject:
            yield subject

    def _folder(self, begun: Begun) -> OutputFolder:
        path = Path(begun.folder)
        finished = read_manifest(path / FILE_NAME) if (path / FILE_NAME).is_file() else None
        return OutputFolder(path, begun.source_id, finished)

    @cached_property
    def _options(self) -> dict[str, object]:
        return options_of(self._request)

    @cached_property
    def _decided(self) -> Decided:
        decided = load(self._ctx, self._decided_key, Decided)
        if decided is None:
            raise JobError(
                "what was decided about the clips is no longer kept",
                hint=f"`reelremix jobs retry {self._job.id} --from decide` decides it anew",
            )
        return decided

    @property
    def _decided_key(self) -> ArtifactKey:
        return key_for(self._ctx, DECIDED, VERSION, job=self._job.id)
