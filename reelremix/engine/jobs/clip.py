"""A recording becomes clips: a folder with films, a contact sheet and a manifest.

How each step is done belongs to `hearing`, `choosing`, `planning` and `rendering`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine import choosing, hearing, pipeline, planning
from reelremix.engine.choosing import Chosen
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.edit import ManifestPlace
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.manifest import (
    SHEET_NAME,
    Manifest,
    continued,
    manifest_to_bytes,
    read_manifest,
    with_statuses,
)
from reelremix.engine.export.report import contact_sheet
from reelremix.engine.hearing import Heard
from reelremix.engine.jobs.films import ClipResult, filmed, remember_films
from reelremix.engine.jobs.job import Job, working_on
from reelremix.engine.music import find_music
from reelremix.engine.options import check_clip_request
from reelremix.engine.output_folder import OutputFolder, find_folder
from reelremix.engine.planning import Plan
from reelremix.engine.proof import Ears
from reelremix.engine.rendering import Batch, file_names
from reelremix.engine.store.files import write_atomically


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
        pipeline.require_video(subject)
        out = expanded(request.out, "--out")
        with pipeline.alone_in(out, job.ctx):
            folder = find_folder(out, subject.source.name, subject.source.id)
            folder.check_options(options, overwrite=request.overwrite)
            folder.claim(options)
        try:
            check_clip_request(request, subject, job.ctx)
            return _Clipping(request, options, folder, subject, job).result()
        except BaseException:
            folder.release()
            raise


class _Clipping:
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
        self._subject = subject
        self._job = job
        self._ctx = job.ctx

    def result(self) -> ClipResult:
        """Everything from listening to the manifest."""
        request, folder = self._request, self._folder
        ranges = request.select.ranges
        heard = hearing.hear(
            self._subject, request.transcribe, self._ctx, with_sounds=not ranges, ranges=ranges
        )
        chosen = choosing.choose(heard, request.select, self._subject, self._ctx)
        plan = planning.plan(chosen, heard.transcript, request, self._subject, self._ctx)
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
        folder.announce(self._options, files)
        rendered = self._rendered(plan, heard)
        manifest = continued(self._manifest(heard, chosen, plan, rendered), resumed)
        path = self._written(manifest, files)
        if not plan.clips:
            raise choosing.nothing_to_clip(chosen.notice or "nothing was found", folder.path)
        failed = 0 if request.plan_only else len(plan.clips) - len(rendered)
        return ClipResult(folder.path, read_manifest(path), failed)

    def _rendered(self, plan: Plan, heard: Heard) -> dict[str, Rendered]:
        request, folder = self._request, self._folder.path
        if request.plan_only or not plan.clips:
            return {}
        music = find_music(plan.clips, request.sound.music, folder, self._ctx)
        again = replace(request.transcribe, device=heard.device)
        ears = Ears(heard.transcript.language, again, self._ctx)
        batch = Batch(plan.clips, plan.shown, folder, request.encode.jobs, music)
        return filmed(batch, ears, self._subject, self._job)

    def _manifest(
        self, heard: Heard, chosen: Chosen, plan: Plan, rendered: dict[str, Rendered]
    ) -> Manifest:
        place = str(self._subject.path.resolve()) if self._request.absolute_paths else None
        return Manifest(
            id=uuid.uuid4().hex,
            options=self._options,
            presentation=self._subject.presentation,
            transcript=heard.transcript,
            run=self._job.record(heard.device, chosen.ranker),
            clips=plan.clips,
            rendered=rendered,
            tracks=plan.tracks,
            rejected=chosen.rejected,
            notice=chosen.notice,
            timeline=chosen.timeline,
            source_path=place,
        )

    def _written(self, manifest: Manifest, files: set[str]) -> Path:
        """Write the manifest and its sheet, and tell the library of both."""
        sheet = contact_sheet(manifest, self._folder.path)
        write_atomically(self._folder.path / SHEET_NAME, sheet.encode())
        path = self._folder.finish(manifest_to_bytes(manifest), files)
        place = ManifestPlace(manifest.id, self._subject.source.id, str(path.resolve()))
        self._ctx.catalogue.remember_manifest(place)
        remember_films(manifest.id, manifest.clips, manifest.rendered, self._ctx)
        return path
