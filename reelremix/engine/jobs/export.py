"""Clips leave: to another program, or ready to be posted; first their manifest is in step.

What formats and platforms want is for `exporting` and `packaging` to know.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from reelremix.engine import exporting, packaging, pipeline
from reelremix.engine.domain.request import ExportRequest, PackageRequest
from reelremix.engine.export.exporters import Recording, find_exporter
from reelremix.engine.export.manifest import manifest_at, read_manifest
from reelremix.engine.exporting import Chosen as ForExport
from reelremix.engine.exporting import ExportResult
from reelremix.engine.finding import clips_wanted
from reelremix.engine.jobs.job import Job
from reelremix.engine.packaging import Packaged
from reelremix.engine.reviewing import in_step
from reelremix.engine.revision import as_kept
from reelremix.errors import UnreadableMedia


def export(request: ExportRequest, job: Job) -> ExportResult:
    """Hand clips of a manifest over to another program."""
    exporter = find_exporter(request.to)
    exporting.check(request, exporter)
    path = manifest_at(Path(request.manifest))
    in_step(path, job.ctx)
    content = read_manifest(path)
    wanted = clips_wanted(content, request.clip_ids, path)
    chosen = ForExport(path, content, tuple(as_kept(clip) for clip in wanted))
    with ExitStack() as stack:
        subject = None
        needed = exporter.recording is Recording.NEEDED
        if needed or exporter.recording is Recording.HELPS:
            try:
                opened = pipeline.recording_of(request.source, content, path, job.ctx)
                subject = stack.enter_context(opened)
                pipeline.require_video(subject)
                pipeline.require_same(subject, content, path)
            except UnreadableMedia:
                if needed or request.source is not None:
                    raise
                subject = None
        return exporting.export(request, exporter, chosen, subject, job.ctx)


def package(request: PackageRequest, job: Job) -> Packaged:
    """Check finished clips against platforms and lay out those that fit."""
    path = manifest_at(Path(request.manifest))
    in_step(path, job.ctx)
    return packaging.package(request, job.ctx)
