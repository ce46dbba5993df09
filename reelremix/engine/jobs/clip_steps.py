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

from reelremix.config import expanded
from reelremix.engine import choosing, pipeline
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.context import ArtifactKey
from reelremix.engine.domain.job import decided_key
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.manifest import FILE_NAME, read_manifest
from reelremix.engine.hearing import Heard
from reelremix.engine.joblog import Unheard
from reelremix.engine.jobs.clip import NOTHING, Clipping, Decided, given_back, taken
from reelremix.engine.jobs.films import ClipResult, heard_again
from reelremix.engine.jobs.job import Cost, Job
from reelremix.engine.options import check_clip_request, options_of
from reelremix.engine.output_folder import OutputFolder, find_folder
from reelremix.engine.rendering import render_one
from reelremix.engine.stages.artifact import load, save
from reelremix.engine.store.files import cannot_write
from reelremix.engine.web import is_url
from reelremix.engine.workers import render_here
from reelremix.errors import JobError, OutputExists


@dataclass(frozen=True, slots=True)
class Begun:
    """Which recording it is."""

    source_id: str
    name: str
    """What it is called where it was asked for: the same content may be known by other names."""
    source_s: float
    """Its length."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """A clip that is to be rendered."""

    id: str
    frames: int
    length_s: float


@dataclass(frozen=True, slots=True)
class Outline:
    """What is left to do once everything is decided."""

    folder: str
    """Where the clips go."""
    clips: tuple[Outlined, ...]
    device: str
    """`cpu` or `cuda`: what the films are heard again on."""


class ClipSteps:
    """The steps of one job. Whoever does them holds the recording from `hear` on."""

    def __init__(self, request: ClipRequest, job: Job) -> None:
        self._request = request
        self._job = job
        self._ctx = job.ctx

    def begin(self, source_id: str | None = None) -> Begun:
        """Look at the recording, and check what is asked for.

        `source_id` is the recording's, if it is known: it may have been moved since.
        """
        with self._recording(source_id) as subject:
            pipeline.require_video(subject)
            source, out = subject.source, expanded(self._request.out, "--out")
            found = find_folder(out, source.name, source.id)
            found.check_options(self._options, overwrite=self._request.overwrite)
            check_clip_request(self._request, subject, self._ctx)
            return Begun(source.id, source.name, subject.presentation.duration.seconds)

    def hear(self, begun: Begun) -> str:
        """Take the folder, and find out what is said and heard; artifacts of that are what is left.

        Returns the folder.
        """
        with self._subject(begun) as subject:
            folder = taken(self._request, self._options, subject, self._job)
            with given_back(folder):
                self._clipping(folder, subject, self._job).heard()
            return str(folder.path.resolve())

    def decide(self, begun: Begun) -> Outline:
        """Decide everything, once for the job; what is left to render.

        The folder is taken again: it may have been given back since.
        """
        with self._subject(begun) as subject:
            folder = taken(self._request, self._options, subject, self._job)
            clipping = self._clipping(folder, subject, self._job)
            decided = load(self._ctx, self._decided_key, Decided)
            if decided is None:
                decided = clipping.decided(self._heard_before(folder, subject))
                save(self._ctx, self._decided_key, decided)
            place = str(folder.path.resolve())
            if self._request.plan_only:
                return Outline(place, (), decided.device)
            clipping.announce(decided)
            clips = decided.plan.clips
            outlined = (Outlined(c.id, c.film.total, c.film_duration_s) for c in clips)
            return Outline(place, tuple(outlined), decided.device)

    def film(self, begun: Begun, folder: str, clip_id: str) -> Rendered | None:
        """Render a clip in this process; None where it failed, which is told."""
        self._require_ours(Path(folder))
        with self._subject(begun) as subject, _writing_to(Path(folder)):
            clipping = self._clipping(self._folder(begun, folder), subject, self._job)
            batch = replace(clipping.batch(self._decided), by=render_here)
            return render_one(batch, clip_id, subject, self._ctx)

    def finish(
        self, begun: Begun, folder: str, rendered: Sequence[Rendered], costs: Sequence[Cost]
    ) -> ClipResult:
        """Hear the films again and list them.

        Raises NothingToClip where there is no clip.
        """
        films = {film.clip_id: film for film in rendered}
        if (done := self._listed_already(Path(folder), films)) is not None:
            return done
        decided = self._decided
        own = self._folder(begun, folder)
        if self._request.plan_only and decided.before is not None:
            own.release()
            return ClipResult(own.path, decided.before, 0)
        if not self._request.plan_only:
            self._require_ours(own.path)
        with self._subject(begun) as subject, _writing_to(own.path):
            clipping = self._clipping(own, subject, self._job)
            if films:
                ears = clipping.ears(decided)
                films = heard_again(clipping.batch(decided), films, ears, self._job)
            return clipping.listed(decided, films, [*costs, self._job.cost])

    def _require_ours(self, folder: Path) -> None:
        """Raise OutputExists where another run has finished in the folder meanwhile."""
        path = folder / FILE_NAME
        if path.is_file() and read_manifest(path).get("id") != self._job.id:
            raise OutputExists(
                f"{folder} holds the clips of another run, made meanwhile",
                hint=f"`reelremix jobs retry {self._job.id[:8]} --from hear`, or move them away",
            )

    def _listed_already(self, folder: Path, films: Collection[str]) -> ClipResult | None:
        """What this job has listed before, where that are the same films."""
        path = folder / FILE_NAME
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

    def _clipping(self, folder: OutputFolder, subject: Subject, job: Job) -> Clipping:
        return Clipping(self._request, self._options, folder, subject, job)

    def _heard_before(self, folder: OutputFolder, subject: Subject) -> Heard:
        """What `hear` left, without telling it again."""
        quiet = replace(self._ctx, reporter=Unheard())
        return self._clipping(folder, subject, self._job.within(quiet)).heard()

    @contextmanager
    def _subject(self, begun: Begun) -> Iterator[Subject]:
        audio = self._request.audio_stream
        with pipeline.reopened(begun.source_id, audio, self._ctx) as subject:
            yield _called(subject, begun.name)

    @contextmanager
    def _recording(self, source_id: str | None) -> Iterator[Subject]:
        asked, audio = self._request.source, self._request.audio_stream
        opened = pipeline.prepared(asked, audio, self._ctx)
        if source_id is not None and not Path(asked).exists():
            opened = pipeline.reopened(source_id, audio, self._ctx)
        with opened as subject:
            yield subject if is_url(asked) else _called(subject, Path(asked).name)

    def _folder(self, begun: Begun, place: str) -> OutputFolder:
        path = Path(place)
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
        return decided_key(self._ctx.owner, self._job.id)


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Say what is wrong with the folder that clips go into, where nobody else does."""
    try:
        yield
    except OSError as exc:
        raise cannot_write(folder, exc) from exc


def _called(subject: Subject, name: str) -> Subject:
    """The recording by a name."""
    source = replace(subject.source, name=name)
    return replace(subject, presentation=replace(subject.presentation, source=source))
