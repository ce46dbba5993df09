"""The facade that every face calls: whole jobs in, results and events out.

What a job does is in `jobs`; here is only what there is to call, and over which stores.

from reelremix import engine

library = engine.Library.open()
result = library.clip(engine.ClipRequest("talk.mp4", out="clips"))
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reelremix.config import Settings, load_settings
from reelremix.engine import adapting, adding, feedback, pipeline, searching
from reelremix.engine.adapting import Standing
from reelremix.engine.domain.context import (
    ArtifactStore,
    CancelToken,
    Catalogue,
    ModelProvider,
    PartialFiles,
    Reporter,
    RunContext,
    SourceAccess,
)
from reelremix.engine.domain.events import JobCancelled, JobStarted
from reelremix.engine.domain.request import (
    AddRequest,
    ClipRequest,
    EditRequest,
    ExportRequest,
    PackageRequest,
    RenderRequest,
    ScoreRequest,
    SearchRequest,
    TranscribeRequest,
)
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.exporting import ExportResult
from reelremix.engine.feedback import Import
from reelremix.engine.fetching import path_of
from reelremix.engine.finding import find_manifest
from reelremix.engine.joblog import JobLog, Listener, Silence, Unheard
from reelremix.engine.jobs.clip import check_ahead, check_apart, make_clips
from reelremix.engine.jobs.export import export, package
from reelremix.engine.jobs.films import ClipResult
from reelremix.engine.jobs.job import Job, carry_out
from reelremix.engine.jobs.learn import Decided, decide, import_results
from reelremix.engine.jobs.render import render_again
from reelremix.engine.jobs.review import Edited, edit, preview, settle
from reelremix.engine.jobs.score import score
from reelremix.engine.jobs.transcribe import transcribe
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.options import options_of
from reelremix.engine.packaging import Packaged
from reelremix.engine.reviewing import Review
from reelremix.engine.stages.glance import Glance, glance
from reelremix.engine.stages.ingest import ingest, readable
from reelremix.engine.store.factory import open_stores
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.models.install import InstallOptions

T = TypeVar("T")


class Library:
    """Everything one user keeps on this machine, and the jobs over it."""

    def __init__(
        self,
        catalogue: Catalogue,
        artifacts: ArtifactStore,
        sources: SourceAccess,
        models: ModelProvider,
        *,
        lock_dir: Path | None = None,
        downloads_dir: Path | None = None,
        presets_dir: Path | None = None,
        artifact_cap_bytes: int | None = None,
        release_thread: Callable[[], None] = lambda: None,
    ) -> None:
        """Work over the given stores.

        `release_thread` is called when a job ends, in its thread, to give back what that holds.
        """
        self.catalogue = catalogue
        self.artifacts = artifacts
        self.sources = sources
        self.models = models
        self._lock_dir = lock_dir
        self._downloads_dir = downloads_dir
        self._presets_dir = presets_dir
        self._cap_bytes = artifact_cap_bytes
        self.release_thread = release_thread
        self._running: list[JobLog] = []

    @classmethod
    def open(cls, settings: Settings | None = None, models: ModelProvider | None = None) -> Library:
        """The library of this machine's user.

        Args:
            settings: None reads them.
            models: finds weights; None looks where the settings say, and keeps no model loaded.

        Raises:
            ConfigError: the settings are wrong, or the library cannot be opened.
        """
        settings = settings or load_settings().settings
        stores = open_stores(settings)
        return cls(
            stores.catalogue,
            stores.artifacts,
            stores.sources,
            models or InstalledModels(settings.model_roots),
            lock_dir=settings.locks_path,
            downloads_dir=settings.downloads_path,
            presets_dir=settings.presets_path,
            artifact_cap_bytes=settings.artifact_cap_mb * 1_000_000,
            release_thread=stores.release_thread,
        )

    def probe(self, source: str, **run: Any) -> Source:
        """What a recording holds. Raises SourceError."""
        return self._job(source, lambda job: ingest(path_of(source, job.ctx), job.ctx), **run)

    def add(self, request: AddRequest, **run: Any) -> tuple[adding.Outcome, ...]:
        """Make recordings known; what cannot be used is told in its place."""
        name = ", ".join(request.sources)
        return self._job(name, lambda job: adding.add(request, job.ctx), **run)

    def transcribe(self, request: TranscribeRequest, **run: Any) -> Transcript:
        """What is said in a recording. Raises SourceError and ModelError."""
        return self._job(request.source, partial(transcribe, request), **run)

    def install_model(self, name: str, options: InstallOptions, **run: Any) -> Path:
        """Fetch a model's weights and check them. Raises ModelError and ConfigError."""
        if not isinstance(self.models, InstalledModels):
            raise ConfigError("models cannot be installed here")
        from reelremix.engine.models.install import install  # deferred: httpx, 0.1 s

        models = self.models
        return self._job(
            name,
            lambda job: install(name, models, options, job.ctx.reporter, job.ctx.cancel),
            **run,
        )

    def score(self, request: ScoreRequest, **run: Any) -> dict[str, Any]:
        """The best moments of a recording or of a transcript file, as published.

        `{"version": 1, "candidates": [...], "rejected": [...], "notice": null}`; exactly as many
        candidates as asked where the material allows.
        """
        return self._job(request.source, partial(score, request), **run)

    def search(self, request: SearchRequest, **run: Any) -> dict[str, Any]:
        """Where something is said, as published: `{"version": 1, "query", "results", "notice"}`.

        Searches every source that was transcribed so far, or those that are named.

        Raises:
            ConfigError: the question has no words, or a source is not known or not transcribed.
            SourceError: a transcript file or recording cannot be read.
        """
        return self._job("search", lambda job: searching.search(request, job.ctx), **run)

    def clip(self, request: ClipRequest, **run: Any) -> ClipResult:
        """Turn a recording into clips.

        Keyword arguments: `listener`, `cancel` and `partial_files` of the run.

        Raises:
            SourceError, ModelError, ConfigError: before anything is written.
            NothingToClip: after an empty manifest with the reason was written.
            Cancelled: the user asked to stop; finished artifacts and clips are kept.
        """
        options = options_of(request)
        return self._job(
            request.source, partial(make_clips, request, options), options=options, **run
        )

    def check(
        self, request: ClipRequest, cancel: CancelToken | None = None, *, has_source: bool = True
    ) -> None:
        """Whether `clip` would begin, as far as can be told at once; nothing is left behind.

        `has_source` says that the recording is there already. Raises what `clip` does.
        """
        ctx = self.context(Unheard(), cancel)
        try:
            if has_source:
                check_ahead(request, options_of(request), ctx)
            else:
                check_apart(request, ctx)
        finally:
            self.release_thread()

    def render(self, request: RenderRequest, **run: Any) -> ClipResult:
        """Render clips of a manifest, all or some, with changed options if asked."""
        return self._job(request.manifest, partial(render_again, request), **run)

    def edit(self, request: EditRequest, **run: Any) -> Edited:
        """Change a clip of a manifest, all that is asked or nothing; the manifest follows.

        Raises:
            ConfigError: it cannot be done.
            EditConflict: somebody else changed the same clip meanwhile.
        """
        return self._job(request.manifest, partial(edit, request), **run)

    def review(self, manifest: Path, reporter: Reporter) -> Review:
        """The clips of a manifest, to be changed one by one; to be closed when that is done.

        Raises:
            ConfigError: it cannot be read, or a clip in it cannot be used.
        """
        return Review(manifest, self.context(reporter))

    def settle(self, review: Review, ids: Sequence[str], **run: Any) -> None:
        """Frame those of these clips that are due, as the next render would."""
        self._job(str(review.path), partial(settle, review, ids), **run)

    def preview(self, review: Review, id: str, folder: Path, **run: Any) -> Path:
        """A small film of a clip as it is now. Raises RenderError and SourceError."""
        return self._job(str(review.path), partial(preview, review, id, folder), **run)

    def glance(
        self, source: Mapping[str, Any], span: TimeRange, count: int, cancel: CancelToken
    ) -> Glance:
        """Small pictures and the loudness of a stretch of a manifest's source; no job of its own.

        Raises SourceError where the recording is not within reach.
        """
        ctx = self.context(Unheard(), cancel)
        audio = pipeline.audio_of(source)
        with pipeline.reopened(str(source["id"]), audio, ctx) as subject:
            return glance(subject.path, subject.presentation, span, count, ctx)

    def find_manifest(self, named: str) -> Path:
        """The manifest that a path, a recording, or the name or id of a source stands for.

        Raises ConfigError where there is none, or more than one.
        """
        return find_manifest(named, self.catalogue)

    def export(self, request: ExportRequest, **run: Any) -> ExportResult:
        """Hand clips of a manifest over to another program.

        Raises:
            ConfigError: the manifest, the format or the place to write to is wrong.
            SourceError: the recording is needed and cannot be found or read.
            ModelError: a library that the format needs is not installed.
        """
        return self._job(request.manifest, partial(export, request), **run)

    def package(self, request: PackageRequest, **run: Any) -> Packaged:
        """Check finished clips against platforms and lay out those that fit for uploading."""
        return self._job(request.manifest, partial(package, request), **run)

    def decide(self, clips: Sequence[str], *, keep: bool, **run: Any) -> Decided:
        """Record that clips are kept or dropped, all or none of them, and learn from it.

        Raises:
            ConfigError: one of them is not known, or is not the only one of that name.
        """
        return self._job("feedback", partial(decide, clips, keep=keep), **run)

    def import_results(
        self, file: Path, *, dry_run: bool, **run: Any
    ) -> tuple[Import, Standing | None]:
        """Record the results in a platform's table and learn from them; `dry_run` does neither."""
        return self._job(file.name, partial(import_results, file, dry_run=dry_run), **run)

    def feedback_standing(self, **run: Any) -> Standing:
        """Where learning from decisions stands, learned anew."""
        return self._job("feedback", lambda job: adapting.relearn(job.ctx), **run)

    def reset_feedback(self, **run: Any) -> Standing:
        """Let no decision so far count."""
        return self._job("feedback", lambda job: feedback.reset(job.ctx), **run)

    def look_after(self, name: str, task: Callable[[RunContext], T], **run: Any) -> T:
        """Run what `engine.upkeep` does to a library as a job of that name."""
        return self._job(name, lambda job: task(job.ctx), **run)

    def abandon(self) -> None:
        """Log that running jobs were cancelled: the process ends without waiting for them."""
        for log in tuple(self._running):
            log.emit(JobCancelled())

    def collect_artifacts(self, cap_bytes: int | None = None) -> int:
        """Drop the least recently used artifacts beyond the cap; returns bytes freed."""
        cap = self._cap_bytes if cap_bytes is None else cap_bytes
        return 0 if cap is None else self.artifacts.collect(cap)

    def context(
        self,
        reporter: Reporter,
        cancel: CancelToken | None = None,
        partial_files: PartialFiles | None = None,
    ) -> RunContext:
        """The surroundings of what is done outside a job."""
        return RunContext(
            reporter=reporter,
            catalogue=self.catalogue,
            artifacts=self.artifacts,
            sources=self.sources,
            models=self.models,
            cancel=cancel or CancelToken(),
            partial_files=partial_files or PartialFiles(),
            lock_dir=self._lock_dir,
            downloads_dir=self._downloads_dir,
            presets_dir=self._presets_dir,
        )

    def _job(
        self,
        name: str,
        work: Callable[[Job], T],
        *,
        options: Mapping[str, Any] | None = None,
        listener: Listener | None = None,
        cancel: CancelToken | None = None,
        partial_files: PartialFiles | None = None,
    ) -> T:
        """Do a job about something of that name, and keep the artifacts within their cap."""

        def whole(job: Job) -> T:
            result = work(job)
            self.collect_artifacts()
            return result

        log = JobLog(uuid.uuid4().hex, self.catalogue, listener or Silence())
        ctx = self.context(log, cancel, partial_files)
        self._running.append(log)
        try:
            return carry_out(whole, JobStarted(readable(name), dict(options or {})), log, ctx)
        finally:
            self._running.remove(log)
            self.release_thread()
