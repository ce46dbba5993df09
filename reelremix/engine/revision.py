"""Clips of a manifest, changed as a render asks: another shape, rate, encoding or other captions.

What was decided stays decided: nothing is listened to or chosen again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reelremix.engine.captions.brand import with_own_font
from reelremix.engine.captions.preset import read_preset
from reelremix.engine.captions.style import CaptionStyle, check_platform, from_dict
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.kept import hull_of, is_heard
from reelremix.engine.domain.request import OFF, FrameOptions, RenderRequest
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track
from reelremix.engine.export.clip_reading import UNDO
from reelremix.engine.export.tracks import renumbered
from reelremix.engine.framing import captions_of, frame_clip, out_of_the_way
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.options import output_rate
from reelremix.engine.seeing import see
from reelremix.engine.stages.branding import dress_of, found_again, remember_kit, title_card_of
from reelremix.engine.stages.caption import refitted
from reelremix.errors import ConfigError

NO_CAPTIONS = "none"


@dataclass(frozen=True, slots=True)
class Revision:
    """Clips of a manifest as a render asks for them."""

    clips: tuple[Clip, ...]
    faces: Mapping[str, tuple[Track, ...]]
    """Who is seen in each clip that was framed anew, by its id; numbered after the manifest's."""


def looked_at(content: Mapping[str, Any]) -> FrameOptions:
    """How the clips of a manifest were looked at."""
    options = content.get("options", {})
    speakers = options.get("speakers") != OFF
    return FrameOptions(faces=bool(options.get("faces", True)), speaker_network=speakers)


def on_frames(clips: Sequence[Clip], subject: Subject) -> tuple[Clip, ...]:
    """The clips with their ranges on exact frame boundaries again.

    A manifest gives times to the microsecond, which may lie just before the frame they mean.
    """
    with FrameReader(subject.path, subject.presentation) as reader:
        return tuple(
            replace(
                clip,
                ranges=tuple(
                    TimeRange(reader.snap(r.start), reader.snap(r.end)) for r in clip.ranges
                ),
            )
            for clip in clips
        )


def revised(
    clips: Sequence[Clip],
    tracks: Sequence[Track],
    request: RenderRequest,
    subject: Subject,
    frame: FrameOptions,
    ctx: RunContext,
) -> Revision:
    """The clips as the request asks for them.

    Args:
        clips: from a manifest.
        tracks: the manifest's; captions keep off their faces.
        request: what to change.
        subject: the recording.
        frame: how the clips were looked at.
        ctx: the run's surroundings.

    Raises:
        ConfigError: no such rate, preset or font.
        ModelNotInstalled: another shape needs the face detector.
    """
    clips = [replace(clip, output=_output(clip.output, request, subject)) for clip in clips]
    if request.layout is not None:
        clips = [_asked(clip, request.layout) for clip in clips]
    anew = [c for c in clips if request.aspect is not None or c.framing.is_due]
    first = 1 + max((track.id for track in tracks), default=-1)
    reframed = _reframed(anew, first, frame, subject, ctx)
    faces = {clip.id: own for clip, own in reframed}
    fresh = {clip.id: clip for clip, _ in reframed}
    clips = [fresh.get(clip.id, clip) for clip in clips]
    if request.subtitles is not None:
        clips = [replace(clip, subtitles=request.subtitles) for clip in clips]
    cards = {clip.id: title_card_of(clip) for clip in clips}
    clips = [_redressed(clip, request, ctx) for clip in clips]
    captioned = []
    for clip in clips:
        seen, captions = faces.get(clip.id, tracks), clip.captions
        if clip.id in faces or _changes_captions(request):
            captions = _captions_for(clip, seen, request, ctx)
        elif captions is not None and title_card_of(clip) != cards[clip.id]:
            captions = out_of_the_way(captions, clip, seen)
        captioned.append(replace(clip, captions=captions))
    return Revision(tuple(captioned), faces)


def as_kept(clip: Clip) -> Clip:
    """The clip without the words, captions and cuts that are not in its ranges any more.

    Its `text` is what its words say now: somebody may have trimmed it, or corrected a word.
    """
    numbers = [
        n for n, w in enumerate(clip.words) if any(is_heard(w.range, kept) for kept in clip.ranges)
    ]
    words = tuple(clip.words[n] for n in numbers)
    text = join_words(word.text for word in words) if clip.words else clip.text
    tightened = clip.tightened
    if tightened is not None:
        hull = hull_of(clip.ranges)
        inside = tuple(cut for cut in tightened.removed if cut.range.overlap_s(hull) > 0)
        tightened = replace(tightened, removed=inside)
    captions = clip.captions and _of_words(clip.captions, numbers)
    return replace(clip, words=words, text=text, captions=captions, tightened=tightened)


def _of_words(captions: Captions, numbers: Sequence[int]) -> Captions:
    """The captions of the words with these numbers, which become those from 0 on."""
    now = {number: index for index, number in enumerate(numbers)}
    cues = []
    for cue in captions.cues:
        lines = tuple(tuple(now[i] for i in line if i in now) for line in cue.lines)
        lines = tuple(line for line in lines if line)
        keywords = tuple(now[i] for i in cue.keywords if i in now)
        cues += [replace(cue, lines=lines, keywords=keywords)] if lines else []
    return replace(captions, cues=tuple(cues))


def with_room(clips: Sequence[Clip], request: RenderRequest, manifest: Path) -> tuple[Clip, ...]:
    """The clips with captions that have room for their words, which somebody may have changed.

    Raises ConfigError for a style that cannot be drawn.
    """
    return tuple(
        clip if clip.captions is None or request.captions is not None else _roomy(clip, manifest)
        for clip in clips
    )


def _roomy(clip: Clip, manifest: Path) -> Clip:
    assert clip.captions is not None
    try:
        style = own_style(clip)
    except ConfigError as exc:
        told = f"{manifest}: clip {clip.id!r} cannot be used: {exc.message}"
        raise ConfigError(told, hint=exc.hint or UNDO) from exc
    captions = refitted(clip.captions, clip.words, clip.ranges, clip.output, style)
    return replace(clip, captions=captions)


def own_style(clip: Clip) -> CaptionStyle:
    """The style that a clip's captions were set in."""
    assert clip.captions is not None
    assets = clip.brand.assets if clip.brand is not None else ()
    return with_own_font(from_dict(clip.captions.style), assets)


def _asked(clip: Clip, layout: LayoutChoice) -> Clip:
    return replace(clip, framing=replace(clip.framing, wanted=layout))


def with_files(
    clips: Sequence[Clip], request: RenderRequest, manifest: Path, ctx: RunContext
) -> tuple[Clip, ...]:
    """The clips with the files they still need of their brand kits, and where those are.

    Raises ConfigError for a file that is missing or no longer what it was.
    """
    return tuple(
        replace(clip, brand=found_again(_kept(clip, request), manifest, ctx)) for clip in clips
    )


def _kept(clip: Clip, request: RenderRequest) -> Brand | None:
    """The clip's kit without the files that only what is to be replaced needs."""
    if clip.brand is None:
        return None
    kit = clip.brand if request.brand is None else Brand("")
    font = clip.captions.style.get("font") if clip.captions and request.captions is None else ""
    needed = [a for a in clip.brand.assets if a.file in kit.files or Path(a.file).name == font]
    kept = replace(kit, assets=tuple(needed))
    return None if kept.is_empty else kept


def _changes_captions(request: RenderRequest) -> bool:
    return not (request.captions is None and request.emoji is None and request.platform is None)


def _redressed(clip: Clip, request: RenderRequest, ctx: RunContext) -> Clip:
    """The clip with another brand kit, where one is asked for or other captions bring theirs."""
    captions = None if request.captions == NO_CAPTIONS else request.captions
    if captions is None and request.brand is None:
        return clip
    kit = dress_of(captions, request.brand, ctx.presets_dir).brand
    remember_kit(kit, ctx)
    kept = clip.brand.assets if clip.brand is not None else ()
    if request.brand is None:
        return replace(clip, brand=kit or clip.brand)
    kit = kit or Brand("")
    kit = replace(kit, assets=tuple(dict.fromkeys((*kit.assets, *kept))))
    return replace(clip, brand=None if kit.is_empty else kit)


def _output(output: OutputFormat, request: RenderRequest, subject: Subject) -> OutputFormat:
    width, height = (
        request.aspect.size_px if request.aspect else (output.width_px, output.height_px)
    )
    rate = output.frame_rate
    if request.fps is not None:
        rate = output_rate(request.fps, subject.presentation.picture)
    return OutputFormat(
        width,
        height,
        rate,
        request.encoder or output.encoder,
        request.encoder_preset or output.encoder_preset,
        output.crf if request.crf is None else request.crf,
    )


def _reframed(
    clips: Sequence[Clip], first: int, frame: FrameOptions, subject: Subject, ctx: RunContext
) -> list[tuple[Clip, tuple[Track, ...]]]:
    """The clips framed anew, in their shape and as is wanted of them, and the faces in each.

    Tracks are numbered from `first` on.
    """
    looks = see([hull_of(clip.ranges) for clip in clips], frame, subject, ctx)
    reframed = []
    for clip, seen in zip(clips, looks, strict=True):
        clip, tracks = renumbered(*frame_clip(clip, seen, subject.presentation.picture), first)
        first += len(tracks)
        reframed.append((clip, tracks))
    return reframed


def _captions_for(
    clip: Clip, tracks: Sequence[Track], request: RenderRequest, ctx: RunContext
) -> Captions | None:
    """Captions set anew: in another preset, in the clip's own without one, or none at all."""
    if request.captions == NO_CAPTIONS or (request.captions is None and clip.captions is None):
        return None
    check_platform(request.platform)
    if request.captions is not None:
        worn = read_preset(request.captions, ctx.presets_dir)
        preset, style = worn.name, worn.style
    else:
        assert clip.captions is not None
        preset = clip.captions.preset  # the preset may have changed or gone since
        style = own_style(clip)
    if request.emoji is not None:
        style = replace(style, emoji=request.emoji)
    if request.platform is not None:
        style = replace(style, platform=request.platform)
    return captions_of(clip, tracks, preset, style)
