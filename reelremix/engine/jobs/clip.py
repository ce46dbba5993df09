"""A recording becomes clips: a folder with films, a contact sheet and a manifest.

How each step is done belongs to `hearing`, `choosing`, `planning` and `rendering`; how the steps
are done apart from each other, in whatever processes, to `clip_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine import choosing, hearing, pipeline, planning
from reelremix.engine.bounds import check_bounds
from reelremix.engine.domain.candidate import Rejection
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import ManifestPlace
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.timeline import Timeline
from reelremix.engine.export.manifest import (
    SHEET_NAME,
    Manifest,
    TranscriptRecord,
    continued,
    manifest_to_bytes,
    read_manifest,
    with_statuses,
)
from reelremix.engine.export.report import contact_sheet
from reelremix.engine.hearing import Heard
from reelremix.engine.jobs.films import ClipResult, filmed, remember_films
from reelremix.engine.jobs.job import Cost, Job, run_record, working_on
from reelremix.engine.media.probe import choose_streams
from reelremix.engine.music import find_music
from reelremix.engine.options import check_clip_request, check_named
from reelremix.engine.output_folder import OutputFolder, check_writable, find_folder
from reelremix.engine.planning import Plan
from reelremix.engine.proof import Ears
from reelremix.engine.rendering import Batch, file_names
from reelremix.engine.stages.ingest import looked_at
from reelremix.engine.store.files import write_atomically
from reelremix.engine.web import Web, is_url, require_http

NOTHING = "nothing was found"


@dataclass(frozen=True, slots=True)
class Decided:
    """All that is decided about a recording's clips: they are rendered and listed from it alone."""

    plan: Plan
    spoken: TranscriptRecord
    device: str
    """`cpu` or `cuda`: what its words were heard on."""
    rejected: tuple[Rejection, ...]
    notice: str | None
    timeline: Timeline | None
    ranker: str | None
    before: dict[str, Any] | None
    """The manifest of an earlier run that this one goes on with."""


def check_ahead(request: ClipRequest, options: Mapping[str, Any], ctx: RunContext) -> None:
    """Whether `make_clips` would begin, as far as can be told at once.

    The recording is not read whole, and one on the web is not fetched.

    Raises:
        SourceError, ModelError, ConfigError, RenderError: as `make_clips` would.
    """
    if is_url(request.source):
        require_http(request.source)
        Web(ctx.cancel)  # says so where nothing is installed that fetches
        check_apart(request, ctx)
        return
    path = Path(request.source)
    described = looked_at(path, ctx)
    subject = Subject(path, choose_streams(described, request.audio_stream))
    pipeline.require_video(subject)
    out = expanded(request.out, "--out")
    with pipeline.alone_in(out, ctx):
        if described.id:
            folder = find_folder(out, described.name, described.id)
            folder.check_options(options, overwrite=request.overwrite)
        check_writable(out)
    check_clip_request(request, subject, ctx)


def check_apart(request: ClipRequest, ctx: RunContext) -> None:
    """The same for a recording that is not there yet: all that is asked for besides it."""
    check_bounds(request)
    check_writable(expanded(request.out, "--out"))
    check_named(request, ctx, hears=request.transcribe.transcript is None)


def make_clips(request: ClipRequest, options: dict[str, Any], job: Job) -> ClipResult:
    """Hear, choose, plan and render the clips of a recording, and list them in a manifest.

    Args:
        request: what was asked for.
        options: the same as it is published.
        job: the run.

    Raises:
        NothingToClip: after an empty manifest with the reason was written.
    """
    opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
    with working_on(opened, job) as subject:
        folder = claimed(request, options, subject, job)
        with given_back(folder):
            clipping = Clipping(request, options, folder, subject, job)
            heard = clipping.heard()
            decided = clipping.decided(heard)
            if request.plan_only and decided.before is not None:
                folder.release()
                return ClipResult(folder.path, decided.before, 0)
            rendered = {} if request.plan_only else clipping.filmed(decided)
            return clipping.listed(decided, rendered, [job.cost])


def claimed(
    request: ClipRequest, options: Mapping[str, Any], subject: Subject, job: Job
) -> OutputFolder:
    """The folder that the clips go into, taken for this run once the request makes sense."""
    pipeline.require_video(subject)
    folder = taken(request, options, subject, job)
    with given_back(folder):
        check_clip_request(request, subject, job.ctx)
    return folder


def taken(
    request: ClipRequest, options: Mapping[str, Any], subject: Subject, job: Job
) -> OutputFolder:
    """The folder that the clips go into, taken for this run."""
    out = expanded(request.out, "--out")
    with pipeline.alone_in(out, job.ctx):
        folder = find_folder(out, subject.source.name, subject.source.id)
        folder.check_options(options, overwrite=request.overwrite)
        folder.claim(options)
    return folder


@contextmanager
def given_back(folder: OutputFolder) -> Iterator[None]:
    """Give a folder back where the block fails before anything was changed in it."""
    try:
        yield
    except BaseException:
        folder.release()
        raise


class Clipping:
    """One recording on its way to clips in a folder."""

    def __init__(
        self,
        request: ClipRequest,
        options: dict[str, Any],
        folder: OutputFolder,
        subject: Subject,
        job: Job,
    ) -> None:
        self._request = request
        self._options = options
        self._folder = folder
        self.subject = subject
        self._job = job
        self._ctx = job.ctx

    def heard(self) -> Heard:
        """What is said and heard in it."""
        ranges = self._request.select.ranges
        return hearing.hear(
            self.subject,
            self._request.transcribe,
            self._ctx,
            with_sounds=not ranges,
            ranges=ranges,
        )

    def decided(self, heard: Heard) -> Decided:
        """Which clips, and everything about them."""
        request, folder = self._request, self._folder
        chosen = choosing.choose(heard, request.select, self.subject, self._ctx)
        plan = planning.plan(chosen, heard.transcript, request, self.subject, self._ctx)
        before = None
        if folder.finished is not None and not request.overwrite:
            before = dict(folder.finished)
            folder.check_clips(plan.clips)
            plan = replace(plan, clips=with_statuses(plan.clips, before))
        return Decided(
            plan=plan,
            spoken=TranscriptRecord.of(heard.transcript),
            device=heard.device,
            rejected=chosen.rejected,
            notice=chosen.notice,
            timeline=chosen.timeline,
            ranker=chosen.ranker,
            before=before,
        )

    def filmed(self, decided: Decided) -> dict[str, Rendered]:
        """Render the clips and hear what came of them."""
        self.announce(decided)
        if not decided.plan.clips:
            return {}
        return filmed(self.batch(decided), self.ears(decided), self.subject, self._job)

    def announce(self, decided: Decided) -> None:
        """Note which files the folder is going to hold; what an earlier run listed is no more."""
        self._folder.announce(self._options, self._files(decided))

    def batch(self, decided: Decided) -> Batch:
        """The clips as they are to be rendered."""
        plan, folder = decided.plan, self._folder.path
        music = find_music(plan.clips, self._request.sound.music, folder, self._ctx)
        return Batch(plan.clips, plan.shown, folder, self._request.encode.jobs, music)

    def ears(self, decided: Decided) -> Ears:
        """The ears that the recording was heard with."""
        again = replace(self._request.transcribe, device=decided.device)
        return Ears(decided.spoken.language, again, self._ctx)

    def listed(
        self, decided: Decided, rendered: Mapping[str, Rendered], costs: Sequence[Cost]
    ) -> ClipResult:
        """Write the manifest and its sheet, and tell the library of both.

        Raises NothingToClip where it lists no clip.
        """
        if self._request.plan_only:
            self.announce(decided)
        clips = decided.plan.clips
        manifest = self._manifest(decided, rendered, costs)
        sheet = contact_sheet(manifest, self._folder.path)
        write_atomically(self._folder.path / SHEET_NAME, sheet.encode())
        path = self._folder.finish(manifest_to_bytes(manifest), self._files(decided))
        place = ManifestPlace(manifest.id, self.subject.source.id, str(path.resolve()))
        self._ctx.catalogue.remember_manifest(place)
        remember_films(manifest.id, clips, rendered, self._ctx)
        if not clips:
            raise choosing.nothing_to_clip(decided.notice or NOTHING, self._folder.path)
        failed = 0 if self._request.plan_only else len(clips) - len(rendered)
        return ClipResult(self._folder.path, read_manifest(path), failed)

    def _files(self, decided: Decided) -> set[str]:
        if self._request.plan_only:
            return {SHEET_NAME}
        return {SHEET_NAME}.union(*(file_names(c).values() for c in decided.plan.clips))

    def _manifest(
        self, decided: Decided, rendered: Mapping[str, Rendered], costs: Sequence[Cost]
    ) -> Manifest:
        place = str(self.subject.path.resolve()) if self._request.absolute_paths else None
        manifest = Manifest(
            id=self._job.id,
            options=self._options,
            presentation=self.subject.presentation,
            spoken=decided.spoken,
            run=run_record(costs, decided.device, decided.ranker),
            clips=decided.plan.clips,
            rendered=rendered,
            tracks=decided.plan.tracks,
            rejected=decided.rejected,
            notice=decided.notice,
            timeline=decided.timeline,
            source_path=place,
        )
        return continued(manifest, decided.before or {})
