"""Clips of a manifest, changed as a render asks: another shape, rate, encoding or other captions.

What was decided stays decided: nothing is listened to or chosen again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reelremix.engine.captions.style import from_dict
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.kept import neighbouring
from reelremix.engine.domain.layout import Layout
from reelremix.engine.domain.request import Aspect, FrameOptions, RenderRequest
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track
from reelremix.engine.export.manifest import renumbered
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.options import output_rate
from reelremix.engine.pipeline import see
from reelremix.engine.stages.caption import plan_captions
from reelremix.engine.stages.frame import center_layout, frame_range, merge_layouts
from reelremix.engine.stages.joins import kept_layout
from reelremix.engine.stages.place import place_captions

NO_CAPTIONS = "none"


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
    ctx: RunContext,
    *,
    faces: bool,
) -> tuple[Clip, ...]:
    """The clips as the request asks for them.

    Args:
        clips: from a manifest.
        tracks: the manifest's; captions keep off their faces.
        request: what to change.
        subject: the recording.
        ctx: the run's surroundings.
        faces: whether the clips were framed by the faces in them.

    Raises:
        ConfigError: no such rate, preset or font.
        ModelNotInstalled: another shape needs the face detector.
    """
    clips = [replace(clip, output=_output(clip.output, request, subject)) for clip in clips]
    if request.aspect is not None:
        clips = [_reshaped(clip, request.aspect, subject, ctx, faces=faces) for clip in clips]
    if request.aspect is None and request.captions is None:
        return tuple(clips)
    return tuple(
        replace(clip, captions=_captions_for(clip, tracks, request.captions)) for clip in clips
    )


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


def _reshaped(
    clip: Clip, aspect: Aspect, subject: Subject, ctx: RunContext, *, faces: bool
) -> Clip:
    picture = subject.presentation.picture
    runs = [[clip.ranges[n] for n in near] for near in neighbouring(clip.ranges)]
    spans = [TimeRange(run[0].start, run[-1].end) for run in runs]
    looks = see(spans, FrameOptions(aspect, faces=faces), subject, ctx)
    layout = merge_layouts(
        [
            frame_range(seen, picture, clip.output)
            if seen is not None
            else center_layout(span, picture, clip.output)
            for span, seen in zip(spans, looks, strict=True)
        ]
    )
    layout = kept_layout(layout, clip.ranges)
    reshaped = replace(clip, layout=layout)
    return renumbered(reshaped, (), _first_track(clip.layout, layout))[0]


def _first_track(before: Layout, now: Layout) -> int:
    """By how much a manifest has shifted the track ids of a clip: who speaks has not changed."""
    pairs = zip(before.speaking, now.speaking, strict=False)
    return next(
        (a.track - b.track for a, b in pairs if a.track is not None and b.track is not None), 0
    )


def _captions_for(clip: Clip, tracks: Sequence[Track], preset: str | None) -> Captions | None:
    """Captions set anew: in `preset`, in the clip's own without one, or none at all."""
    if preset == NO_CAPTIONS or (preset is None and clip.captions is None):
        return None
    if preset is not None:
        captions = plan_captions(clip.words, clip.ranges, clip.output, preset)
    else:
        assert clip.captions is not None
        style = from_dict(clip.captions.style)  # the preset may have changed or gone since
        captions = plan_captions(
            clip.words, clip.ranges, clip.output, clip.captions.preset, style=style
        )
    return place_captions(captions, clip.layout, tracks, clip.output)
