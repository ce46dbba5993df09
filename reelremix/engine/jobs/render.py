"""Clips of a manifest are rendered again; the manifest follows.

What is to be changed about them is worked out in `revision`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelremix.engine import pipeline
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import ByHand, Settle
from reelremix.engine.domain.request import AUTO, RenderRequest, TranscribeOptions
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.clip_entry import drawn_of
from reelremix.engine.export.decided import Renewed, updated_manifest
from reelremix.engine.export.manifest import (
    SHEET_NAME,
    listed_files,
    manifest_at,
    read_manifest,
    to_bytes,
)
from reelremix.engine.export.report import sheet_of
from reelremix.engine.export.tracks import tracks_from_dict
from reelremix.engine.finding import clips_wanted
from reelremix.engine.jobs.films import ClipResult, filmed, remember_films
from reelremix.engine.jobs.job import Job, working_on
from reelremix.engine.music import find_music
from reelremix.engine.options import check_output
from reelremix.engine.proof import Ears
from reelremix.engine.rendering import Batch
from reelremix.engine.reviewing import in_step
from reelremix.engine.revision import as_kept, looked_at, on_frames, revised, with_files, with_room
from reelremix.engine.stages.selfcheck import measure
from reelremix.engine.store.files import write_atomically
from reelremix.errors import ConfigError, OutputExists


def render_again(request: RenderRequest, job: Job) -> ClipResult:
    """Render clips of a manifest, all or some, with changed options if asked."""
    path = manifest_at(Path(request.manifest))
    content = read_manifest(path)
    with working_on(pipeline.recording_of(request.source, content, path, job.ctx), job) as subject:
        pipeline.require_video(subject)
        pipeline.require_same(subject, content, path)
        return _render_from(path, request, subject, job)


def _render_from(path: Path, request: RenderRequest, subject: Subject, job: Job) -> ClipResult:
    in_step(path, job.ctx)
    content = read_manifest(path)  # again: a run that was waited for may have changed it
    wanted = clips_wanted(content, request.clip_ids, path)
    tracks = tracks_from_dict(content, path)
    read = on_frames(wanted, subject)
    before = tuple(as_kept(clip) for clip in read)
    needed = with_room(with_files(before, request, path, job.ctx), request, path)
    revision = revised(needed, tracks, request, subject, looked_at(content), job.ctx)
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
    batch = Batch(clips, shown, path.parent, request.jobs, music)
    rendered = filmed(batch, _ears_for(content, job.ctx), subject, job)
    _write(path, Renewed(read, clips, rendered, faces), content, job.ctx)
    in_step(path, job.ctx, adopting=ByHand() if request.changes else Settle())
    return ClipResult(path.parent, read_manifest(path), len(clips) - len(rendered))


def _write(path: Path, renewed: Renewed, since: Mapping[str, Any], ctx: RunContext) -> None:
    """Write the manifest and its sheet, and tell the library of the films."""
    with pipeline.alone_at(path, ctx):
        before = read_manifest(path)
        updated = updated_manifest(before, renewed, since=since)
        sheet = sheet_of(updated, path.parent)
        write_atomically(path.parent / SHEET_NAME, sheet.encode())
        write_atomically(path, to_bytes(updated))
    _forget_old_files(before, updated, path.parent)
    if (id := updated.get("id")) is not None:
        remember_films(str(id), renewed.now, renewed.rendered, ctx)


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


def _forget_old_files(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Remove the files that a manifest no longer lists."""
    for name in listed_files(before) - listed_files(now):
        (folder / name).unlink(missing_ok=True)
