"""The facade that every face calls: whole jobs in, results and events out.

from reelremix import engine

library = engine.Library.open()
result = library.clip(engine.ClipRequest("talk.mp4", out="clips"))
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from reelremix.config import Settings, expanded, load_settings
from reelremix.engine import (
    adapting,
    adding,
    choosing,
    exporting,
    feedback,
    hearing,
    pipeline,
    planning,
    preview,
    searching,
)
from reelremix.engine.adapting import Standing
from reelremix.engine.asking import perform
from reelremix.engine.choosing import Chosen
from reelremix.engine.domain.clip import Clip, ClipEntry, Rendered
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
from reelremix.engine.domain.edit import (
    ByHand,
    ManifestPlace,
    RenderRecord,
    Settle,
    Status,
)
from reelremix.engine.domain.events import (
    JobCancelled,
    JobFailed,
    JobFinished,
    JobStarted,
    StageFinished,
)
from reelremix.engine.domain.request import (
    AUTO,
    OFF,
    AddRequest,
    ClipRequest,
    EditRequest,
    ExportRequest,
    FrameOptions,
    PackageRequest,
    RenderRequest,
    ScoreRequest,
    SearchRequest,
    TranscribeOptions,
    TranscribeRequest,
)
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.exporters import Recording, find_exporter
from reelremix.engine.export.manifest import (
    FILE_NAME,
    SHEET_NAME,
    Manifest,
    RunRecord,
    StageTime,
    clips_from_dict,
    continued,
    drawn_digest,
    drawn_of,
    listed_files,
    manifest_to_bytes,
    ranking_to_dict,
    read_manifest,
    to_bytes,
    tracks_from_dict,
    updated_manifest,
    with_statuses,
)
from reelremix.engine.export.report import contact_sheet, sheet_of
from reelremix.engine.exporting import Chosen as ForExport
from reelremix.engine.exporting import ExportResult
from reelremix.engine.feedback import Import
from reelremix.engine.fetching import path_of
from reelremix.engine.finding import find_manifest
from reelremix.engine.hearing import Heard
from reelremix.engine.joblog import JobLog, Listener, Silence, Unheard
from reelremix.engine.memory import PeakMemory
from reelremix.engine.models.install import InstallOptions, install
from reelremix.engine.models.registry import InstalledModels
from reelremix.engine.music import find_music
from reelremix.engine.network import network_calls, network_mark, watch_network
from reelremix.engine.options import check_clip_request, check_output, check_select, options_of
from reelremix.engine.output_folder import OutputFolder, find_folder
from reelremix.engine.packaging import Packaged, package
from reelremix.engine.planning import Plan
from reelremix.engine.proof import Ears
from reelremix.engine.rendering import file_names, render
from reelremix.engine.reviewing import Happened, Review, in_step
from reelremix.engine.revision import as_kept, on_frames, revised, with_files, with_room
from reelremix.engine.stages.glance import Glance, glance
from reelremix.engine.stages.ingest import ingest, readable
from reelremix.engine.stages.judge import judge_selection
from reelremix.engine.stages.quotes import Spoken
from reelremix.engine.stages.selfcheck import measure
from reelremix.engine.store.artifacts import FileArtifactStore
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.store.files import write_atomically
from reelremix.engine.store.sources import LocalSourceAccess
from reelremix.engine.web import is_url
from reelremix.errors import Cancelled, ConfigError, OutputExists, ReelRemixError, UnreadableMedia

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What a clip or render job left behind."""

    folder: Path
    manifest: dict[str, Any]
    """The content of `clips.json`."""
    failed: int
    """Clips that could not be rendered."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What was changed."""

    happened: tuple[Happened, ...]
    """In the order it was done."""
    manifest: dict[str, Any]
    """The content of `clips.json`, changed."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Clips that were decided on, and what was learned."""

    clips: tuple[ClipEntry, ...]
    standing: Standing


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
        self._release_thread = release_thread
        self._running: list[JobLog] = []

    @classmethod
    def open(cls, settings: Settings | None = None) -> Library:
        """The library of this machine's user.

        Raises:
            ConfigError: the settings are wrong, or the library cannot be opened.
        """
        settings = settings or load_settings().settings
        database = Database(settings.library_file)
        catalogue = SqliteCatalogue(database)
        return cls(
            catalogue,
            FileArtifactStore(database, settings.artifacts_path),
            LocalSourceAccess(catalogue),
            InstalledModels(settings.model_roots),
            lock_dir=settings.locks_path,
            downloads_dir=settings.downloads_path,
            presets_dir=settings.presets_path,
            artifact_cap_bytes=settings.artifact_cap_mb * 1_000_000,
            release_thread=database.close_thread,
        )

    def probe(self, source: str, **run: Any) -> Source:
        """What a recording holds. Raises SourceError."""
        return self._job(source, {}, lambda job: ingest(path_of(source, job.ctx), job.ctx), **run)

    def add(self, request: AddRequest, **run: Any) -> tuple[adding.Outcome, ...]:
        """Make recordings known; what cannot be used is told in its place."""
        name = ", ".join(request.sources)
        return self._job(name, {}, lambda job: adding.add(request, job.ctx), **run)

    def transcribe(self, request: TranscribeRequest, **run: Any) -> Transcript:
        """What is said in a recording. Raises SourceError and ModelError."""

        def work(job: _Job) -> Transcript:
            opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
            with _working_on(opened, job) as subject:
                return hearing.hear(subject, request.transcribe, job.ctx).transcript

        return self._job(request.source, {}, work, **run)

    def install_model(self, name: str, options: InstallOptions, **run: Any) -> Path:
        """Fetch a model's weights and check them. Raises ModelError and ConfigError."""
        if not isinstance(self.models, InstalledModels):
            raise ConfigError("models cannot be installed here")
        models = self.models
        return self._job(
            name,
            {},
            lambda job: install(name, models, options, job.ctx.reporter, job.ctx.cancel),
            **run,
        )

    def score(self, request: ScoreRequest, **run: Any) -> dict[str, Any]:
        """The best moments of a recording or of a transcript file, as published.

        `{"version": 1, "candidates": [...], "rejected": [...], "notice": null}`; exactly as many
        candidates as asked where the material allows.
        """

        def work(job: _Job) -> dict[str, Any]:
            check_select(request.select)
            heard, duration_s = _spoken(request, job)
            transcript = heard.transcript
            ranking = choosing.rank(heard, request.select, duration_s, job.ctx)
            best = partial(choosing.select_scored, ranking.candidates, language=transcript.language)
            spoken = Spoken(ranking.sentences, transcript, duration_s)
            judged = judge_selection(
                best(request.select.count),
                best,
                spoken,
                request.select,
                job.ctx,
                words=False,
            )
            judged = choosing.trimmed_openings(judged, spoken, request.select.min_s)
            selection = judged.selection
            notice = choosing.shortfall(selection, request.select)
            if not selection.chosen:
                name = Path(request.source).name
                reason = choosing.why_nothing(transcript, request.select, name, duration_s)
                notice = ranking.nothing or reason
            return ranking_to_dict(
                selection.chosen, selection.rejected, notice, ranking.timeline, judged.judgements
            )

        return self._job(request.source, {}, work, **run)

    def search(self, request: SearchRequest, **run: Any) -> dict[str, Any]:
        """Where something is said, as published: `{"version": 1, "query", "results", "notice"}`.

        Searches every source that was transcribed so far, or those that are named.

        Raises:
            ConfigError: the question has no words, or a source is not known or not transcribed.
            SourceError: a transcript file or recording cannot be read.
        """
        return self._job("search", {}, lambda job: searching.search(request, job.ctx), **run)

    def clip(self, request: ClipRequest, **run: Any) -> ClipResult:
        """Turn a recording into clips.

        Keyword arguments: `listener`, `cancel` and `partial_files` of the run.

        Raises:
            SourceError, ModelError, ConfigError: before anything is written.
            NothingToClip: after an empty manifest with the reason was written.
            Cancelled: the user asked to stop; finished artifacts and clips are kept.
        """
        options = options_of(request)
        return self._job(request.source, options, lambda job: _clip(request, options, job), **run)

    def render(self, request: RenderRequest, **run: Any) -> ClipResult:
        """Render clips of a manifest, all or some, with changed options if asked."""
        return self._job(request.manifest, {}, lambda job: _render(request, job), **run)

    def edit(self, request: EditRequest, **run: Any) -> Edited:
        """Change a clip of a manifest, all that is asked or nothing; the manifest follows.

        Raises:
            ConfigError: it cannot be done.
            EditConflict: somebody else changed the same clip meanwhile.
        """

        def work(job: _Job) -> Edited:
            with closing(Review(Path(request.manifest), job.ctx)) as review:
                happened = perform(request, review)
                review.sync()
                return Edited(tuple(happened), dict(review.content))

        return self._job(request.manifest, {}, work, **run)

    def review(self, manifest: Path, reporter: Reporter) -> Review:
        """The clips of a manifest, to be changed one by one; to be closed when that is done.

        Raises:
            ConfigError: it cannot be read, or a clip in it cannot be used.
        """
        return Review(manifest, self._context(reporter))

    def settle(self, review: Review, ids: Sequence[str], **run: Any) -> None:
        """Frame those of these clips that are due, as the next render would."""

        def work(job: _Job) -> None:
            with _reviewed(review, job) as subject:
                preview.settle(review, ids, subject, job.ctx)

        self._job(str(review.path), {}, work, **run)

    def preview(self, review: Review, id: str, folder: Path, **run: Any) -> Path:
        """A small film of a clip as it is now. Raises RenderError and SourceError."""

        def work(job: _Job) -> Path:
            with _reviewed(review, job) as subject:
                return preview.preview(review, id, subject, folder, job.ctx)

        return self._job(str(review.path), {}, work, **run)

    def glance(self, source_id: str, span: TimeRange, count: int, cancel: CancelToken) -> Glance:
        """Small pictures and the loudness of a stretch of a known recording; no job of its own.

        Raises SourceError where the recording is not within reach.
        """
        ctx = self._context(Unheard(), cancel)
        with pipeline.reopened(source_id, None, ctx) as subject:
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
        return self._job(request.manifest, {}, lambda job: _export(request, job), **run)

    def package(self, request: PackageRequest, **run: Any) -> Packaged:
        """Check finished clips against platforms and lay out those that fit for uploading."""
        return self._job(request.manifest, {}, lambda job: _package(request, job), **run)

    def decide(self, clips: Sequence[str], *, keep: bool, **run: Any) -> Decided:
        """Record that clips are kept or dropped, all or none of them, and learn from it.

        Raises:
            ConfigError: one of them is not known, or is not the only one of that name.
        """

        def work(job: _Job) -> Decided:
            found = [feedback.find_clip(text, self.catalogue) for text in clips]
            unique = tuple({clip.id: clip for clip in found}.values())
            kind = adapting.KEPT if keep else adapting.DROPPED
            return Decided(unique, feedback.decide(unique, kind, job.ctx))

        return self._job("feedback", {}, work, **run)

    def import_results(
        self, file: Path, *, dry_run: bool, **run: Any
    ) -> tuple[Import, Standing | None]:
        """Record the results in a platform's table and learn from them; `dry_run` does neither."""

        def work(job: _Job) -> tuple[Import, Standing | None]:
            found = feedback.import_results(file, job.ctx, dry_run=dry_run)
            return found, None if dry_run else adapting.relearn(job.ctx)

        return self._job(file.name, {}, work, **run)

    def feedback_standing(self, **run: Any) -> Standing:
        """Where learning from decisions stands, learned anew."""
        return self._job("feedback", {}, lambda job: adapting.relearn(job.ctx), **run)

    def reset_feedback(self, **run: Any) -> Standing:
        """Let no decision so far count."""
        return self._job("feedback", {}, lambda job: feedback.reset(job.ctx), **run)

    def look_after(self, name: str, task: Callable[[RunContext], T], **run: Any) -> T:
        """Run what `engine.upkeep` does to a library as a job of that name."""
        return self._job(name, {}, lambda job: task(job.ctx), **run)

    def abandon(self) -> None:
        """Log that running jobs were cancelled: the process ends without waiting for them."""
        for log in tuple(self._running):
            log.emit(JobCancelled())

    def collect_artifacts(self, cap_bytes: int | None = None) -> int:
        """Drop the least recently used artifacts beyond the cap; returns bytes freed."""
        cap = self._cap_bytes if cap_bytes is None else cap_bytes
        return 0 if cap is None else self.artifacts.collect(cap)

    def _context(
        self,
        reporter: Reporter,
        cancel: CancelToken | None = None,
        partial_files: PartialFiles | None = None,
    ) -> RunContext:
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
        source: str,
        options: dict[str, Any],
        work: Callable[[_Job], T],
        *,
        listener: Listener | None = None,
        cancel: CancelToken | None = None,
        partial_files: PartialFiles | None = None,
    ) -> T:
        watch_network()
        mark = network_mark()
        log = JobLog(uuid.uuid4().hex, self.catalogue, listener or Silence())
        ctx = self._context(log, cancel, partial_files)
        self._running.append(log)
        log.emit(JobStarted(readable(source), options))
        try:
            with PeakMemory() as memory:
                job = _Job(ctx, log, memory, mark)
                result = work(job)
            self.collect_artifacts()
        except Cancelled:
            log.emit(JobCancelled())
            raise
        except ReelRemixError as exc:
            log.emit(JobFailed(exc.message, exc.hint))
            raise
        except Exception as exc:
            log.emit(JobFailed(f"{type(exc).__name__}: {exc}"))
            raise
        else:
            log.emit(JobFinished(job.usage))
            return result
        finally:
            self._running.remove(log)
            self._release_thread()


class _Job:
    """One run: its surroundings and what it cost."""

    def __init__(self, ctx: RunContext, log: JobLog, memory: PeakMemory, mark: int) -> None:
        self.ctx = ctx
        self.usage: dict[str, float] = {"source_s": 0.0, "rendered_s": 0.0}
        self._log = log
        self._memory = memory
        self._mark = mark
        self._began = time.monotonic()

    def record(self, device: str, ranker: str | None) -> RunRecord:
        """What the run cost so far."""
        return RunRecord(
            wall_s=round(time.monotonic() - self._began, 3),
            stages=tuple(_stage_time(stage) for stage in self._log.stages),
            peak_rss_mb=self._memory.peak_mb,
            device=device,
            network=network_calls(self._mark),
            ranker=ranker,
        )


@contextmanager
def _working_on(opened: AbstractContextManager[Subject], job: _Job) -> Iterator[Subject]:
    """The recording, held for this run alone and counted."""
    with opened as subject, pipeline.alone_on(subject.source.id, job.ctx):
        job.usage["source_s"] = subject.presentation.duration.seconds
        yield subject


@contextmanager
def _reviewed(review: Review, job: _Job) -> Iterator[Subject]:
    """The recording of a review, held for this run alone."""
    opened = _recording_of(None, review.content, review.path, job.ctx)
    with _working_on(opened, job) as subject:
        pipeline.require_video(subject)
        yield subject


def _stage_time(stage: StageFinished) -> StageTime:
    return StageTime(stage.stage, stage.wall_s, stage.cached)


def _spoken(request: ScoreRequest, job: _Job) -> tuple[Heard, float | None]:
    """What to score: a transcript file is read, a recording listened to."""
    path = Path(request.source)
    if not is_url(request.source) and path.suffix.lower() in (".json", ".srt", ".vtt"):
        if request.transcribe.transcript is not None:
            raise ConfigError(
                f"{path.name} is a transcript itself, so `--transcript` has nothing to add",
                hint="name the recording, or leave `--transcript` out",
            )
        options = replace(request.transcribe, transcript=request.source)
        return Heard(hearing.read_given(options), "cpu"), None
    opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
    with _working_on(opened, job) as subject:
        heard = hearing.hear(subject, request.transcribe, job.ctx)
        return heard, subject.presentation.duration.seconds


def _clip(request: ClipRequest, options: dict[str, Any], job: _Job) -> ClipResult:
    opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
    with _working_on(opened, job) as subject:
        pipeline.require_video(subject)
        out = expanded(request.out, "--out")
        with pipeline.alone_in(out, job.ctx):
            folder = find_folder(out, subject.source.name, subject.source.id)
            folder.check_options(options, overwrite=request.overwrite)
            folder.claim(options)
        try:
            check_clip_request(request, subject, job.ctx)
            return _clip_into(folder, request, options, subject, job)
        except BaseException:
            folder.release()
            raise


def _clip_into(
    folder: OutputFolder,
    request: ClipRequest,
    options: dict[str, Any],
    subject: Subject,
    job: _Job,
) -> ClipResult:
    ranges = request.select.ranges
    heard = hearing.hear(
        subject, request.transcribe, job.ctx, with_sounds=not ranges, ranges=ranges
    )
    chosen = choosing.choose(heard, request.select, subject, job.ctx)
    plan = planning.plan(chosen, heard.transcript, request, subject, job.ctx)
    resumed: Mapping[str, Any] = {}
    if folder.finished is not None and not request.overwrite:
        resumed = folder.finished
        folder.check_clips(plan.clips)
        plan = replace(plan, clips=with_statuses(plan.clips, resumed))
        if request.plan_only:
            folder.release()
            return ClipResult(folder.path, dict(folder.finished), 0)
    files = {name for clip in plan.clips for name in file_names(clip).values()}
    files = {SHEET_NAME} if request.plan_only else files | {SHEET_NAME}
    folder.announce(options, files)
    rendered = _rendered(request, plan, heard, subject, folder, job)
    manifest = _manifest(request, options, subject, heard, chosen, plan, rendered, job)
    manifest = continued(manifest, resumed)
    sheet = contact_sheet(manifest, folder.path)
    write_atomically(folder.path / SHEET_NAME, sheet.encode())
    path = folder.finish(manifest_to_bytes(manifest), files)
    place = ManifestPlace(manifest.id, subject.source.id, str(path.resolve()))
    job.ctx.catalogue.remember_manifest(place)
    _remember_films(manifest.id, plan.clips, rendered, job.ctx)
    if not plan.clips:
        raise choosing.nothing_to_clip(chosen.notice or "nothing was found", folder.path)
    failed = 0 if request.plan_only else len(plan.clips) - len(rendered)
    return ClipResult(folder.path, read_manifest(path), failed)


def _rendered(
    request: ClipRequest,
    plan: Plan,
    heard: Heard,
    subject: Subject,
    folder: OutputFolder,
    job: _Job,
) -> dict[str, Rendered]:
    if request.plan_only or not plan.clips:
        return {}
    shown = plan.shown
    given = request.sound.music
    music = find_music(plan.clips, given, folder.path, job.ctx)
    again = replace(request.transcribe, device=heard.device)
    ears = Ears(heard.transcript.language, again, job.ctx)
    rendered = render(plan.clips, shown, request.encode.jobs, subject, folder.path, job.ctx, music,
                      ears.prepare)  # fmt: skip
    job.usage["rendered_s"] = sum(c.film_duration_s for c in plan.clips if c.id in rendered)
    return ears.judged(plan.clips, rendered, folder.path)


def _manifest(
    request: ClipRequest,
    options: dict[str, Any],
    subject: Subject,
    heard: Heard,
    chosen: Chosen,
    plan: Plan,
    rendered: dict[str, Rendered],
    job: _Job,
) -> Manifest:
    return Manifest(
        id=uuid.uuid4().hex,
        options=options,
        presentation=subject.presentation,
        transcript=heard.transcript,
        run=job.record(heard.device, chosen.ranker),
        clips=plan.clips,
        rendered=rendered,
        tracks=plan.tracks,
        rejected=chosen.rejected,
        notice=chosen.notice,
        timeline=chosen.timeline,
        source_path=str(subject.path.resolve()) if request.absolute_paths else None,
    )


def _render(request: RenderRequest, job: _Job) -> ClipResult:
    path = _manifest_path(request.manifest)
    content = read_manifest(path)
    with _working_on(_recording_of(request.source, content, path, job.ctx), job) as subject:
        pipeline.require_video(subject)
        _require_same(subject, content, path)
        return _render_from(path, request, subject, job)


def _manifest_path(named: str) -> Path:
    path = Path(named)
    return path / FILE_NAME if path.is_dir() else path


def _require_same(subject: Subject, content: dict[str, Any], path: Path) -> None:
    """Raise UnreadableMedia for another recording than the one a manifest was made from."""
    if subject.source.id != content["source"]["id"]:
        raise UnreadableMedia(
            f"{subject.source.name} is not the recording {path} was made from",
            hint="name the right one with `--source FILE`",
        )


def _package(request: PackageRequest, job: _Job) -> Packaged:
    path = _manifest_path(request.manifest)
    in_step(path, job.ctx)
    return package(request, job.ctx)


def _export(request: ExportRequest, job: _Job) -> ExportResult:
    exporter = find_exporter(request.to)
    exporting.check(request, exporter)
    path = _manifest_path(request.manifest)
    in_step(path, job.ctx)
    content = read_manifest(path)
    wanted = _wanted(clips_from_dict(content, path), request.clip_ids, path)
    chosen = ForExport(path, content, tuple(as_kept(clip) for clip in wanted))
    with ExitStack() as stack:
        subject = None
        needed = exporter.recording is Recording.NEEDED
        if needed or exporter.recording is Recording.HELPS:
            try:
                opened = _recording_of(request.source, content, path, job.ctx)
                subject = stack.enter_context(opened)
                pipeline.require_video(subject)
                _require_same(subject, content, path)
            except UnreadableMedia:
                if needed or request.source is not None:
                    raise
                subject = None
        return exporting.export(request, exporter, chosen, subject, job.ctx)


def _render_from(path: Path, request: RenderRequest, subject: Subject, job: _Job) -> ClipResult:
    in_step(path, job.ctx)
    content = read_manifest(path)  # again: a run that was waited for may have changed it
    wanted = _wanted(clips_from_dict(content, path), request.clip_ids, path)
    tracks = tracks_from_dict(content, path)
    read = on_frames(wanted, subject)
    before = tuple(as_kept(clip) for clip in read)
    needed = with_room(with_files(before, request, path, job.ctx), request, path)
    options = content.get("options", {})
    frame = FrameOptions(
        faces=bool(options.get("faces", True)), speaker_network=options.get("speakers") != OFF
    )
    revision = revised(needed, tracks, request, subject, frame, job.ctx)
    clips, faces = revision.clips, revision.faces
    for clip in clips:
        draws = clip.captions is not None or (clip.brand is not None and clip.brand.draws)
        check_output(clip.output, request.jobs, draws=draws)
    if not request.overwrite and request.changes:
        _refuse_replacing(needed, clips, content, path)
    shown = {c.id: measure(c, faces.get(c.id, tracks)) for c in clips}
    if request.music is not None and not any(clip.mix.music for clip in clips):
        raise ConfigError(
            "--music says where the clips' music is, and these clips have none",
            hint="`reelremix clip --music FILE` puts music under them",
        )
    music = find_music(clips, request.music, path.parent, job.ctx)
    ears = _ears_for(content, job.ctx)
    rendered = render(clips, shown, request.jobs, subject, path.parent, job.ctx, music,
                      ears.prepare)  # fmt: skip
    job.usage["rendered_s"] = sum(c.film_duration_s for c in clips if c.id in rendered)
    rendered = ears.judged(clips, rendered, path.parent)
    with pipeline.alone_at(path, job.ctx):
        before_it = read_manifest(path)
        updated = updated_manifest(before_it, read, clips, rendered, faces, since=content)
        sheet = sheet_of(updated, path.parent)
        write_atomically(path.parent / SHEET_NAME, sheet.encode())
        write_atomically(path, to_bytes(updated))
    _forget_old_files(before_it, updated, path.parent)
    if (id := updated.get("id")) is not None:
        _remember_films(str(id), clips, rendered, job.ctx)
    in_step(path, job.ctx, adopting=ByHand() if request.changes else Settle())
    return ClipResult(path.parent, read_manifest(path), len(clips) - len(rendered))


def _remember_films(
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


def _forget_old_files(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Remove the files that a manifest no longer lists."""
    for name in listed_files(before) - listed_files(now):
        (folder / name).unlink(missing_ok=True)


def _ears_for(content: dict[str, Any], ctx: RunContext) -> Ears:
    """The ears that a manifest was made with."""
    options, transcript = content.get("options", {}), content.get("transcript") or {}
    heard = TranscribeOptions(
        model=str(options.get("model", AUTO)),
        initial_prompt=options.get("initial_prompt"),
        device=str(options.get("device", AUTO)),
        vocabulary=tuple(options.get("vocabulary", ())),
        transcript=options.get("transcript"),
    )
    return Ears(transcript.get("language"), heard, ctx)


def _wanted(clips: tuple[Clip, ...], ids: tuple[str, ...], path: Path) -> tuple[Clip, ...]:
    """The clips named by id or rank; without names, all that were not dropped."""
    if not ids:
        left = tuple(clip for clip in clips if clip.status is not Status.DROPPED)
        if clips and not left:
            raise ConfigError(f"every clip of {path} is dropped", hint="name one to render it")
        return left
    named = {clip.id: clip for clip in clips} | {str(clip.rank): clip for clip in clips}
    unknown = [name for name in ids if name not in named]
    if unknown:
        listed = ", ".join(f"{clip.rank} ({clip.id})" for clip in clips)
        raise ConfigError(f"{path} has no clip {unknown[0]!r}; it has: {listed}")
    return tuple({named[name].id: named[name] for name in ids}.values())


@contextmanager
def _recording_of(
    named: str | None, content: Mapping[str, Any], path: Path, ctx: RunContext
) -> Iterator[Subject]:
    """The recording of a manifest: as named, where it was last seen, or beside the manifest."""
    source_id, name = str(content["source"]["id"]), str(content["source"]["name"])
    stream = content["source"].get("audio_stream")
    audio = None if stream is None else str(stream)
    with ExitStack() as stack:
        if named is not None:
            yield stack.enter_context(pipeline.prepared(named, audio, ctx))
            return
        try:
            subject = stack.enter_context(pipeline.reopened(source_id, audio, ctx))
        except UnreadableMedia as exc:
            places = (path.parent / name, path.parent.parent / name, Path(name))
            beside = next((place for place in places if place.is_file()), None)
            if beside is None:
                raise UnreadableMedia(
                    f"the recording {name} that {path} was made from is not to be found",
                    hint="name its place with `--source FILE`",
                ) from exc
            subject = stack.enter_context(pipeline.prepared(str(beside), audio, ctx))
        yield subject


def _refuse_replacing(
    before: Sequence[Clip], now: Sequence[Clip], content: dict[str, Any], path: Path
) -> None:
    """Raise OutputExists where a file that is there would be replaced by a different film."""
    changed = {b.id for b, n in zip(before, now, strict=True) if drawn_of(b) != drawn_of(n)}
    for entry in content["clips"]:
        name = (entry.get("files") or {}).get("video")
        if entry["id"] in changed and name and (path.parent / name).is_file():
            raise OutputExists(
                f"{path.parent / name} was rendered with other options",
                hint="`--overwrite` replaces it",
            )
