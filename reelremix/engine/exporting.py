"""Handing clips over to other programs: which clips, on which frames of which file, where to.

What each format looks like belongs to its exporter.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted, Warned
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.request import AUTO, ExportRequest
from reelremix.engine.domain.source import Presentation, StreamKind
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.timecode import (
    COMMON_RATES,
    drops,
    editing_rate,
    frame_of,
    may_drop,
    nearest_rate,
)
from reelremix.engine.export.exporters import Document, Exporter, Material, Recording
from reelremix.engine.export.names import is_plain_name, slug
from reelremix.engine.export.sequence import Media, sequence_of
from reelremix.engine.export.xmltext import plain_line
from reelremix.engine.media.audio import PROGRAMME
from reelremix.engine.media.conform import SUFFIX, with_handles, write_constant
from reelremix.engine.media.timecode import start_timecode
from reelremix.engine.store.files import cannot_write, replacing, write_atomically
from reelremix.errors import ConfigError, OutputExists

STAGE = "conform"
MEDIA_FOLDER = "media"
"""Beside the exported files, for copies at a constant rate."""
HANDLE_S = 2
"""How much more of the recording a copy has on either side of a clip, to trim it by."""
CONFORM_HINT = "`--conform auto` writes copies that have none of this, and refers to those"


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export left behind."""

    format: str
    files: tuple[Path, ...]
    """In the order they were written; the first is the one to import."""
    media: tuple[Path, ...]
    """Copies at a constant rate."""
    clips: tuple[str, ...]
    """Ids of the clips in it."""
    notes: tuple[str, ...]
    """What the format does not carry."""
    warnings: tuple[str, ...]
    """What may put cuts or pictures elsewhere in an editor than here."""

    def to_dict(self) -> dict[str, Any]:
        """The published form."""
        return {
            "version": 1,
            "format": self.format,
            "files": [str(path) for path in self.files],
            "media": [str(path) for path in self.media],
            "clips": list(self.clips),
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """The clips to be exported, and the manifest they are from."""

    path: Path
    """Of the manifest."""
    content: Mapping[str, Any]
    clips: tuple[Clip, ...]

    @property
    def entries(self) -> tuple[Mapping[str, Any], ...]:
        """The clips as the manifest has them."""
        by_id = {entry["id"]: entry for entry in self.content["clips"]}
        return tuple(by_id[clip.id] for clip in self.clips)


def check(request: ExportRequest, exporter: Exporter) -> None:
    """Raise ConfigError for copies that nothing would refer to."""
    if request.conform is not None and exporter.recording is not Recording.NEEDED:
        raise ConfigError(
            f"`--conform` makes copies for editors, and `--to {request.to}` refers to no media",
            hint="leave it out, or export for an editor",
        )


def export(
    request: ExportRequest,
    exporter: Exporter,
    chosen: Chosen,
    subject: Subject | None,
    ctx: RunContext,
) -> ExportResult:
    """Write the clips as another program reads them.

    Args:
        request: what was asked for.
        exporter: who writes the format.
        chosen: the clips.
        subject: the recording; None where it is not wanted or, if it only helps, not found.
        ctx: the run's surroundings.

    Raises:
        ConfigError: there are no clips, or the files cannot be written.
        OutputExists: another file is there already.
        SourceError, RenderError: a copy cannot be made of the recording.
        Cancelled: the user asked to stop.
    """
    if not chosen.clips:
        raise ConfigError(
            f"{chosen.path} has no clips to export",
            hint="name dropped ones by their rank to export them all the same",
        )
    target = _target(request, exporter, chosen)
    media = _Medias(request, chosen.clips, subject, target.folder, ctx)
    material = _material(chosen, media.of_clips(), subject)
    documents = list(exporter.documents(material, target.file))
    _refuse_replacing(documents, target.folder, request)
    media.write()
    for document in documents:
        ctx.cancel.raise_if_set()
        write_atomically(target.folder / document.name, document.content)
    for warning in media.warnings:
        ctx.reporter.emit(Warned(warning, CONFORM_HINT))
    return ExportResult(
        request.to,
        tuple(target.folder / document.name for document in documents),
        media.paths,
        tuple(clip.id for clip in chosen.clips),
        tuple(exporter.notes(material)),
        media.warnings,
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Where files go."""

    folder: Path
    file: str | None
    """The name of the one file that was asked for."""


def _target(request: ExportRequest, exporter: Exporter, chosen: Chosen) -> _Target:
    """A folder where the user named one, or the format has several files; else a file."""
    if request.out is None:
        return _Target(chosen.path.parent / exporter.folder, None)
    path = expanded(request.out, "--out")
    is_folder = path.is_dir() or request.out.endswith(("/", "\\")) or not path.suffix
    return _Target(path, None) if is_folder else _Target(path.parent, path.name)


def _refuse_replacing(documents: Sequence[Document], folder: Path, request: ExportRequest) -> None:
    """Raise OutputExists where a file would be replaced by another content."""
    names = [document.name for document in documents]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise ConfigError(f"two clips would both be written to {doubled}")
    for document in documents:
        if not is_plain_name(document.name):
            raise ConfigError(f"the exporter '{request.to}' would write outside of {folder}")
        path = folder / document.name
        if path.is_dir():
            raise ConfigError(f"{path} is a folder", hint="`--out` takes another name")
        if not request.overwrite and path.exists() and path.read_bytes() != document.content:
            raise OutputExists(f"{path} exists", hint="`--overwrite` replaces it")


def _material(chosen: Chosen, media: Sequence[Media] | None, subject: Subject | None) -> Material:
    names = _names(chosen.clips)
    sequences = (
        sequence_of(clip, its, name)
        for clip, its, name in zip(chosen.clips, media or (), names, strict=False)
    )
    stem = Path(str(chosen.content["source"]["name"])).stem
    return Material(
        slug(stem), chosen.clips, chosen.entries, chosen.content, chosen.path.parent,
        tuple(sequences),
    )  # fmt: skip


def _names(clips: Sequence[Clip]) -> list[str]:
    """The clips' titles with their ranks, which make them unique."""
    return [plain_line(f"{clip.rank:02d} {clip.title or clip.slug}") for clip in clips]


class _Medias:
    """The files that clips refer to: the recording, or a copy for each clip."""

    def __init__(
        self,
        request: ExportRequest,
        clips: Sequence[Clip],
        subject: Subject | None,
        folder: Path,
        ctx: RunContext,
    ) -> None:
        self._request, self._clips, self._subject, self._ctx = request, clips, subject, ctx
        self._folder = folder / MEDIA_FOLDER
        self._rate = _conform_rate(request.conform, subject)
        self._media: list[Media] = []
        self.warnings: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The copies."""
        if self._rate is None:
            return ()
        return tuple(media.path for media in self._media if media.path is not None)

    def of_clips(self) -> Sequence[Media] | None:
        """The file of each clip, as an editor sees it; None without a recording."""
        if self._subject is None:
            return None
        if self._rate is not None:
            self._media = [self._copy_of(clip, self._subject, self._rate) for clip in self._clips]
        else:
            described = recording_media(self._subject)
            self._media = [described] * len(self._clips)
            self.warnings = tuple(_doubts(self._subject.presentation, described.rate))
        return self._media

    def write(self) -> None:
        """Make the copies that are not there yet."""
        if self._rate is None or self._subject is None:
            return
        began = time.monotonic()
        self._ctx.reporter.emit(StageStarted(STAGE))
        done, total = 0, sum(media.frames for media in self._media)
        for clip, media in zip(self._clips, self._media, strict=True):
            assert media.path is not None
            if self._request.overwrite or not media.path.is_file():
                self._write(clip, media, done, total)
            done += media.frames
        took = round(time.monotonic() - began, 3)
        self._ctx.reporter.emit(StageFinished(STAGE, took, cached=False))

    def _write(self, clip: Clip, media: Media, done: int, total: int) -> None:
        assert self._subject is not None and media.path is not None

        def progress(frames: int, _: int) -> None:
            self._ctx.reporter.emit(StageProgress(STAGE, done + frames, total, "frames"))

        try:
            media.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise cannot_write(media.path, exc) from exc
        with replacing(media.path, self._ctx.partial_files) as part:
            write_constant(
                self._subject.path, self._subject.presentation,
                with_handles(hull_of(clip.ranges), self._subject.presentation, HANDLE_S),
                media.rate, part, self._ctx.cancel, progress,
            )  # fmt: skip

    def _copy_of(self, clip: Clip, subject: Subject, rate: Fraction) -> Media:
        shown = subject.presentation
        stretch = with_handles(hull_of(clip.ranges), shown, HANDLE_S)
        mark = _digest(shown.source.id, stretch, rate)
        name = f"{clip.rank:02d}-{clip.slug}-{mark}{SUFFIX}"
        return Media(
            name=name,
            path=self._folder / name,
            rate=rate,
            frames=max(1, round((stretch.end - stretch.start).exact * rate)),
            size=(shown.picture.width_px // 2 * 2, shown.picture.height_px // 2 * 2),
            first_s=stretch.start.exact,
            drop=may_drop(rate),
            channels=PROGRAMME.channels if shown.audio is not None else 0,
            sound_rate_hz=PROGRAMME.rate_hz,
        )


def _digest(source_id: str, stretch: TimeRange, rate: Fraction) -> str:
    """Tells copies apart, so that one that is there already can be used again."""
    about = f"{source_id} {stretch.start.exact} {stretch.end.exact} {rate}"
    return hashlib.sha256(about.encode()).hexdigest()[:8]


def recording_media(subject: Subject) -> Media:
    """The recording as an editor sees it: its first picture is frame 0, or what it counts it as."""
    shown = subject.presentation
    assert shown.video is not None
    rate = nearest_rate(shown.picture.frame_rate)
    told = start_timecode(subject.path, shown.video.index)
    start = frame_of(told, rate) if told is not None else None
    is_dropping = drops(told) if told is not None and start is not None else True
    length = shown.picture_end.exact - shown.picture_start.exact
    channels, first_channel, rate_hz = _sound(shown)
    return Media(
        name=subject.path.name,
        path=subject.path,
        rate=rate,
        frames=max(1, round(length * rate)),
        size=(shown.picture.width_px, shown.picture.height_px),
        first_s=shown.picture_start.exact,
        start=start or 0,
        drop=may_drop(rate) and is_dropping,
        channels=channels,
        first_channel=first_channel,
        sound_rate_hz=rate_hz,
    )


def _sound(shown: Presentation) -> tuple[int, int, int]:
    """Channels of the chosen sound, where they begin among all of the file, and their rate."""
    if shown.audio is None or shown.audio.audio is None:
        return 0, 1, PROGRAMME.rate_hz
    before = [s for s in shown.source.of_kind(StreamKind.AUDIO) if s.index < shown.audio.index]
    first = 1 + sum(stream.audio.channels for stream in before if stream.audio is not None)
    return shown.audio.audio.channels, first, shown.audio.audio.rate_hz


def _doubts(shown: Presentation, rate: Fraction) -> Iterator[str]:
    """What may put cuts elsewhere in an editor than here."""
    name = shown.source.name
    picture = shown.picture
    if picture.is_variable_rate:
        yield f"{name} has a variable frame rate: cuts may drift in editors"
    elif editing_rate(picture.frame_rate) is None:
        yield f"{name} has {float(picture.frame_rate):.3f} frames a second, which no editor has"
    if shown.picture_start.exact * rate >= Fraction(1, 2):
        late = f"{shown.picture_start.seconds:.3f} s after its sound"
        yield f"the picture of {name} begins {late}: editors differ in what is first"
    if picture.rotation_deg:
        turn = f"{picture.rotation_deg} degrees"
        yield f"{name} is to be turned by {turn} when it is shown, which Premiere may not do"
    if picture.sample_aspect_ratio != 1:
        yield f"the pixels of {name} are not square: framing is meant for its picture set right"
    streams = shown.source.of_kind(StreamKind.AUDIO)
    if shown.audio is not None and len(streams) > 1 and streams[0].index != shown.audio.index:
        yield f"clips use audio stream {shown.audio.index} of {name}: choose it in the editor too"


def _conform_rate(wanted: str | None, subject: Subject | None) -> Fraction | None:
    """Frames a second of the copies; None where none are wanted. Raises ConfigError."""
    if wanted is None or subject is None:
        return None
    if wanted == AUTO:
        return nearest_rate(subject.presentation.picture.frame_rate)
    try:
        given = Fraction(wanted)
    except (ValueError, ZeroDivisionError) as exc:
        raise ConfigError(
            f"--conform must be auto or a rate, such as 29.97 (got {wanted!r})"
        ) from exc
    rate = next((r for r in COMMON_RATES if abs(r - given) < Fraction(5, 1000)), None)
    rate = rate or editing_rate(given)
    if rate is None:
        raise ConfigError(
            f"--conform {wanted} is no rate that editors have",
            hint="auto takes the nearest; 23.976, 24, 25, 29.97, 30, 50, 59.94 and 60 are common",
        )
    return rate
