"""Rendering a set of clips: what is already there is kept, the rest goes to worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reelremix.engine.cores import side_by_side
from reelremix.engine.domain.clip import Clip, Rendered, Shown, Verdict
from reelremix.engine.domain.context import ArtifactKey, CancelToken, RunContext
from reelremix.engine.domain.events import (
    ClipFailed,
    ClipRendered,
    StageFinished,
    StageProgress,
    StageStarted,
    Warned,
)
from reelremix.engine.domain.subject import Subject
from reelremix.engine.export.clip_entry import drawn_of
from reelremix.engine.export.subtitles import WRITERS
from reelremix.engine.media.encode import EncoderSettings
from reelremix.engine.media.hardware import SOFTWARE, choose_encoder
from reelremix.engine.stages.artifact import key_for, load, save
from reelremix.engine.stages.render import RenderTask
from reelremix.engine.stages.verify import with_shown
from reelremix.engine.store.files import file_sha256, part_beside, write_atomically
from reelremix.engine.store.sources import identify_file
from reelremix.engine.workers import Outcome, render_all

Renderer = Callable[
    [Sequence[RenderTask], int, CancelToken, Callable[[RenderTask, int, int], None]],
    Iterator[Outcome],
]
VERSION = 6
"""Of what a render makes of a clip."""


@dataclass(frozen=True, slots=True)
class _RenderRecord:
    """What a finished render left behind."""

    video_sha256: str
    gain_db: float | None
    verdict: Verdict
    """On the file alone: what the clip shows may be measured otherwise another time."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Clips that are rendered together, and how."""

    clips: Sequence[Clip]
    shown: Mapping[str, Shown]
    """What each clip shows, by its id."""
    folder: Path
    """Where the files go."""
    jobs: int = 0
    """Clips rendered at once; 0 chooses by the number of cores."""
    music: Mapping[str, Path] = field(default_factory=dict)
    """Where the clips' music is, by its SHA-256."""
    by: Renderer = render_all
    """Who renders: processes of our own, unless this is one already."""
    nearly_done: Callable[[], None] = lambda: None
    """Called, if anything is to be rendered, when too few clips are left to keep all processes
    busy."""


def file_names(clip: Clip) -> dict[str, str]:
    """Names of a clip's files in its folder."""
    stem = f"{clip.rank:02d}-{clip.slug}"
    names = {"video": f"{stem}.mp4", "thumbnail": f"{stem}.jpg"}
    return names | {f"subtitles.{kind}": f"{stem}.{kind}" for kind in _sidecars(clip)}


def _sidecars(clip: Clip) -> tuple[str, ...]:
    return clip.subtitles if clip.words else ()


def render(batch: Batch, subject: Subject, ctx: RunContext) -> dict[str, Rendered]:
    """Write the clips' files; those already there are kept. Failed clips are missing in the result.

    Raises:
        RenderError: the encoder asked for does not exist.
        Cancelled: the user asked to stop; finished clips are kept.
    """
    began = time.monotonic()
    ctx.reporter.emit(StageStarted("render"))
    encoders = _encoders(batch.clips, ctx)
    rendered: dict[str, Rendered] = {}
    waiting: list[Clip] = []
    for clip in batch.clips:
        encoder = encoders[clip.output.encoder]
        record = _already_rendered(clip, encoder, subject, batch.folder, ctx)
        if record is None:
            waiting.append(clip)
        else:
            rendered[clip.id] = _finished(clip, record, batch.shown[clip.id], ctx)
    if waiting:
        rendered |= _RenderRun(batch, waiting, encoders, subject, ctx).rendered()
    wall_s = round(time.monotonic() - began, 3)
    ctx.reporter.emit(StageFinished("render", wall_s, cached=not waiting))
    return rendered


def render_one(batch: Batch, clip_id: str, subject: Subject, ctx: RunContext) -> Rendered | None:
    """Write the files of one clip of a batch, as if all were written; None where that failed.

    Raises as `render` does.
    """
    clip = next(clip for clip in batch.clips if clip.id == clip_id)
    encoders = _encoders([clip], ctx)
    record = _already_rendered(clip, encoders[clip.output.encoder], subject, batch.folder, ctx)
    if record is not None:
        return _finished(clip, record, batch.shown[clip.id], ctx)
    return _RenderRun(batch, [clip], encoders, subject, ctx).rendered().get(clip_id)


def _encoders(clips: Sequence[Clip], ctx: RunContext) -> dict[str, str]:
    """The encoder behind each that is asked for. Raises RenderError."""
    found: dict[str, str] = {}
    for wanted in dict.fromkeys(clip.output.encoder for clip in clips):
        encoder = choose_encoder(wanted)
        found[wanted] = encoder.name
        if encoder.notice:
            ctx.reporter.emit(Warned(encoder.notice, f"`--encoder {SOFTWARE}` says it outright"))
    return found


class _RenderRun:
    """One round of rendering: tasks, progress and what came of them."""

    def __init__(
        self,
        batch: Batch,
        clips: Sequence[Clip],
        encoders: Mapping[str, str],
        subject: Subject,
        ctx: RunContext,
    ) -> None:
        """Prepare to render those clips of a batch whose films are not there."""
        self._batch = batch
        self._clips = {clip.id: clip for clip in clips}
        self._encoders = encoders
        self._subject = subject
        self._folder = batch.folder
        self._ctx = ctx
        self._identity = identify_file(subject.path)
        self._done: dict[str, int] = {}
        self._total = sum(clip.film.total for clip in clips)
        planned = len(batch.clips)
        self._jobs, cores = parallel_jobs(batch.jobs, planned)
        threads = {
            clip.id: _threads(index, planned, self._jobs, cores)
            for index, clip in enumerate(batch.clips)
        }
        self._tasks = [self._task(clip, threads[clip.id]) for clip in clips]

    def rendered(self) -> dict[str, Rendered]:
        """Render everything; clips that fail are reported and left out."""
        results: dict[str, Rendered] = {}
        few = max(1, self._jobs - 1)
        began = time.monotonic()
        for task in self._tasks:
            self._ctx.partial_files.add(Path(task.video))
            self._ctx.partial_files.add(Path(task.thumbnail))
        if len(self._tasks) <= few:
            self._batch.nearly_done()
        try:
            outcomes = self._batch.by(self._tasks, self._jobs, self._ctx.cancel, self._tell)
            for ended, outcome in enumerate(outcomes, start=1):
                if ended == len(self._tasks) - few:
                    self._batch.nearly_done()
                finished = self._take(outcome, time.monotonic() - began)
                if finished is not None:
                    results[finished.clip_id] = finished
        finally:
            for task in self._tasks:
                for name in (task.video, task.thumbnail):
                    Path(name).unlink(missing_ok=True)
                    self._ctx.partial_files.discard(Path(name))
        return results

    def _take(self, outcome: Outcome, wall_s: float) -> Rendered | None:
        clip = self._clips[outcome.task.clip.id]
        if outcome.error is not None:
            self._ctx.reporter.emit(ClipFailed(clip.id, outcome.error, outcome.hint))
            return None
        fault = self._fault(outcome.verdict)
        if fault is not None:
            self._ctx.reporter.emit(ClipFailed(clip.id, fault, "try it once more"))
            return None
        assert outcome.verdict is not None
        if outcome.notice is not None:
            self._ctx.reporter.emit(Warned(outcome.notice, "the film is complete all the same"))
        names = file_names(clip)
        digest = file_sha256(Path(outcome.task.video))
        Path(outcome.task.thumbnail).replace(self._folder / names["thumbnail"])
        Path(outcome.task.video).replace(self._folder / names["video"])
        _write_subtitles(clip, self._folder)
        encoder = SOFTWARE if outcome.notice else self._encoders[clip.output.encoder]
        key = _render_key(clip, encoder, self._subject, self._ctx)
        record = _RenderRecord(digest, outcome.gain_db, outcome.verdict)
        save(self._ctx, key, record)
        return _finished(clip, record, self._batch.shown[clip.id], self._ctx, wall_s)

    def _fault(self, verdict: Verdict | None) -> str | None:
        """Why a film that was written does not count."""
        if verdict is None or verdict.is_unreadable:
            return "what was written cannot be opened again"
        try:
            unchanged = identify_file(self._subject.path) == self._identity
        except OSError:
            unchanged = False
        return None if unchanged else f"{self._subject.source.name} changed while it was read"

    def _tell(self, task: RenderTask, done: int, total: int) -> None:
        self._done[task.clip.id] = done
        finished = sum(self._done.values())
        self._ctx.reporter.emit(StageProgress("render", finished, self._total, "frames"))

    def _task(self, clip: Clip, threads: int) -> RenderTask:
        names, output = file_names(clip), clip.output
        encoder = self._encoders[output.encoder]
        used = clip.mix.music
        music = self._batch.music[used.sha256] if used is not None else None
        return RenderTask(
            source=str(self._subject.path.resolve()),
            presentation=self._subject.presentation,
            clip=clip,
            settings=EncoderSettings(
                encoder, output.encoder_preset, output.crf, threads if encoder == SOFTWARE else 0
            ),
            video=str(part_beside(self._folder / names["video"]).resolve()),
            thumbnail=str(part_beside(self._folder / names["thumbnail"]).resolve()),
            decoder_threads=threads,
            music=str(music.resolve()) if music is not None else None,
        )


def parallel_jobs(wanted: int, clips: int) -> tuple[int, int]:
    """How many processes to render with, and the cores they share."""
    best, cores = side_by_side()
    return max(1, min(wanted or best, clips)), cores


def _threads(index: int, clips: int, jobs: int, cores: int) -> int:
    """Threads for one clip: clips of the last, incomplete round share all cores.

    Depends on the position alone, so that a resumed run encodes as an undisturbed one would.
    """
    last_round = clips % jobs
    at_once = last_round if last_round and index >= clips - last_round else jobs
    return max(1, cores // at_once)


def _already_rendered(
    clip: Clip, encoder: str, subject: Subject, folder: Path, ctx: RunContext
) -> _RenderRecord | None:
    """The record of an earlier render whose files are still there, unchanged."""
    names = file_names(clip)
    if not all((folder / names[kind]).is_file() for kind in ("video", "thumbnail")):
        return None
    key = _render_key(clip, encoder, subject, ctx)
    record = load(ctx, key, _RenderRecord)
    if record is None or file_sha256(folder / names["video"]) != record.video_sha256:
        return None
    _write_subtitles(clip, folder)
    return record


def _render_key(clip: Clip, encoder: str, subject: Subject, ctx: RunContext) -> ArtifactKey:
    return key_for(
        ctx,
        "render",
        VERSION,
        source=subject.source.id,
        audio=subject.presentation.audio.index if subject.presentation.audio else None,
        clip=drawn_of(clip),
        encoder=encoder,
    )


def _finished(
    clip: Clip, record: _RenderRecord, shown: Shown, ctx: RunContext, wall_s: float | None = None
) -> Rendered:
    """Tell of a film that is there, and of what is wrong with it.

    `wall_s` says when it was done, in this round; None where it was there before.
    """
    names, verdict = file_names(clip), with_shown(record.verdict, shown)
    ctx.reporter.emit(
        ClipRendered(clip.id, names["video"], round(wall_s or 0.0, 3), wall_s is None)
    )
    if verdict.notes:
        told = f"{names['video']}: {'; '.join(verdict.notes)}"
        ctx.reporter.emit(Warned(told, "watch it before use"))
    sidecars = tuple(names[f"subtitles.{kind}"] for kind in _sidecars(clip))
    first, gain_db = sidecars[0] if sidecars else None, record.gain_db
    return Rendered(
        clip.id,
        names["video"],
        names["thumbnail"],
        first,
        gain_db,
        verdict,
        sidecars,
        record.video_sha256,
    )


def _write_subtitles(clip: Clip, folder: Path) -> None:
    names = file_names(clip)
    for kind in _sidecars(clip):
        text = WRITERS[kind](clip)
        write_atomically(folder / names[f"subtitles.{kind}"], text.encode())
