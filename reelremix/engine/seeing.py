"""What is seen in chosen ranges, and how it is framed: looking, who speaks, layouts.

Looking needs a face detector; telling which of several faces speaks is done by a network where that
is installed, and by how mouths move where it is not, which is told.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from queue import Queue

import psutil

from reelremix.engine.domain.choice import LayoutChoice, Zoom
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted, Warned
from reelremix.engine.domain.layout import Layout, Pin
from reelremix.engine.domain.request import FrameOptions
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.models.active_speaker import LIGHT_ASD, ActiveSpeaker, LightAsd, Loaded
from reelremix.engine.models.faces import BlazeFace
from reelremix.engine.options import FACE_MODEL
from reelremix.engine.stages.artifact import load, save
from reelremix.engine.stages.frame import Room, center_layout, fit_layout, frame_range
from reelremix.engine.stages.joins import kept_layout
from reelremix.engine.stages.look import Eyes, Look, look, look_key
from reelremix.engine.stages.mouths import MouthMotion
from reelremix.engine.stages.pins import pinned
from reelremix.engine.stages.punch import hide_jumps, stress_sentences
from reelremix.engine.stages.who_speaks import attribute
from reelremix.errors import ModelError, ModelNotInstalled

MOST_LOOKERS = 4
"""Ranges looked at side by side."""
BY_MOTION = "which of several faces speaks is judged by how mouths move: {}"
NO_TORCH = "PyTorch is not installed"
TORCH_HINT = "`pip install 'reelremix[speaker]'` adds it"


@dataclass(frozen=True, slots=True)
class Framed:
    """One range as it is shown."""

    layout: Layout
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class _Judging:
    """Who tells which face speaks."""

    identity: str
    folder: str | None
    """Of the network's weights; None judges by motion, ..."""
    why_not: Warned | None = None
    """... and says why."""

    def judge(self, threads: int) -> ActiveSpeaker:
        """It; the network is loaded when it is first needed."""
        folder = self.folder
        return MouthMotion() if folder is None else Loaded(lambda: LightAsd(folder, threads))


def see(
    spans: Sequence[TimeRange], options: FrameOptions, subject: Subject, ctx: RunContext
) -> list[Look | None]:
    """Shots and faces of each range; None throughout when faces are switched off."""
    if not options.faces or not spans:
        return [None] * len(spans)
    began = time.monotonic()
    ctx.reporter.emit(StageStarted("look"))
    judging = _judging(options, ctx)
    try:
        looks, is_known = _seen(spans, judging, subject, ctx)
    except ModelError as exc:
        if judging.folder is None:
            raise
        why = Warned(BY_MOTION.format(exc.message), exc.hint)
        judging = _Judging(MouthMotion.identity, None, why)
        looks, is_known = _seen(spans, judging, subject, ctx)
    if judging.why_not is not None and any(t.talk for seen in looks if seen for t in seen.tracks):
        ctx.reporter.emit(judging.why_not)
    ctx.reporter.emit(StageFinished("look", round(time.monotonic() - began, 3), is_known))
    return looks


def _seen(
    spans: Sequence[TimeRange], judging: _Judging, subject: Subject, ctx: RunContext
) -> tuple[list[Look | None], bool]:
    """What is seen in each range, and whether all of that was known."""
    keys = [
        look_key(ctx, subject.presentation, span, FACE_MODEL, judging.identity) for span in spans
    ]
    looks = [load(ctx, key, Look) for key in keys]
    missing = [number for number, seen in enumerate(looks) if seen is None]
    for number, seen in _looked([spans[n] for n in missing], judging, subject, ctx):
        looks[missing[number]] = seen
        save(ctx, keys[missing[number]], seen)
        done = len(spans) - looks.count(None)
        ctx.reporter.emit(StageProgress("look", done, len(spans), "clips"))
    return looks, not missing


def framed(
    seen: Look | None,
    span: TimeRange,
    words: Sequence[Word],
    picture: VideoFormat,
    output: OutputFormat,
    choice: LayoutChoice,
    pins: Sequence[Pin] = (),
) -> Framed:
    """The layout of one range; where nobody looked its middle, or all of it if that is asked.

    `pins` say who is to be shown when, whoever speaks; where nobody looked they count for nothing.
    """
    if seen is None and choice is LayoutChoice.FIT:
        return Framed(fit_layout(span, picture, output), ())
    if seen is None:
        return Framed(center_layout(span, picture, output), ())
    attributed = attribute(seen, words)
    room = Room(picture, output)
    asked = pinned(seen.shots, attributed.tracks, pins)
    layout = frame_range(
        seen.shots, attributed.tracks, attributed.speaking, room, choice, pinned=asked
    )
    return Framed(layout, attributed.tracks)


def cut_layout(
    layout: Layout,
    ranges: Sequence[TimeRange],
    words: Sequence[Word],
    picture: VideoFormat,
    zoom: Zoom,
) -> Layout:
    """The layout of the kept ranges, with the punch-ins that are asked for."""
    kept = kept_layout(layout, ranges)
    if zoom is Zoom.EMPHASIS:
        kept = stress_sentences(kept, words, picture)
    return kept if zoom is Zoom.OFF else hide_jumps(kept, picture)


def _judging(options: FrameOptions, ctx: RunContext) -> _Judging:
    if not options.speaker_network:
        return _Judging(MouthMotion.identity, None)
    if importlib.util.find_spec("torch") is None:
        return _Judging(MouthMotion.identity, None, Warned(BY_MOTION.format(NO_TORCH), TORCH_HINT))
    try:
        return _Judging(LightAsd.identity, str(ctx.models.folder(LIGHT_ASD)))
    except ModelNotInstalled as exc:
        why = Warned(BY_MOTION.format(exc.message), exc.hint)
        return _Judging(MouthMotion.identity, None, why)


def _looked(
    spans: Sequence[TimeRange], judging: _Judging, subject: Subject, ctx: RunContext
) -> Iterator[tuple[int, Look]]:
    """Looks at ranges side by side, as they are ready: one decoder alone leaves cores idle.

    The longest come first, so that none is left over for one core at the end.
    """
    if not spans:
        return
    cores = psutil.cpu_count(logical=False) or 1
    workers = min(len(spans), MOST_LOOKERS, cores)
    judge = judging.judge(max(1, cores // workers))
    waiting_eyes: Queue[Eyes] = Queue()
    for _ in range(workers):  # here, because loading one hides this process's stderr for a moment
        waiting_eyes.put(Eyes(BlazeFace(ctx.models.folder(FACE_MODEL)), judge))

    def look_at(span: TimeRange) -> Look:
        eyes = waiting_eyes.get()
        try:
            return look(subject.path, subject.presentation, span, eyes, ctx)
        finally:
            waiting_eyes.put(eyes)

    with ThreadPoolExecutor(workers, "look") as pool:
        longest_first = sorted(enumerate(spans), key=lambda item: -item[1].duration_s)
        waiting = {pool.submit(look_at, span): number for number, span in longest_first}
        try:
            for finished in as_completed(waiting):
                yield waiting[finished], finished.result()
        finally:
            pool.shutdown(cancel_futures=True)
