"""`reelremix render`: clips of a manifest, all or some, as planned or with other options."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import options, output
from reelremix.cli.results import attempt
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.engine.domain.request import RenderRequest


def render(
    manifest: Annotated[Path, typer.Argument(help="A clips.json, or its folder.")],
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Clip ids or ranks.")
    ] = None,
    source: Annotated[Path | None, typer.Option(help="The recording, if it moved.")] = None,
    music: Annotated[Path | None, typer.Option(help="The clips' music, if it moved.")] = None,
    captions: options.Captions = None,
    brand: options.Brand = None,
    emoji: options.Emoji = None,
    platform: options.Platform = None,
    subtitles: options.Subtitles = None,
    aspect: options.AspectRatio = None,
    layout: options.LayoutOf = None,
    encoder: options.Encoder = None,
    encoder_preset: options.EncoderPreset = None,
    crf: options.Crf = None,
    fps: options.Fps = None,
    jobs: options.Jobs = None,
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Render the clips of MANIFEST."""
    run = CommandRun(options.typed(locals()))
    options.require_captions(captions, emoji, platform)
    request = RenderRequest(
        manifest=str(manifest),
        clip_ids=tuple(clips or ()),
        source=str(source) if source else None,
        captions=captions,
        brand=brand,
        emoji=emoji,
        platform=platform,
        subtitles=None if subtitles is None else requesting.subtitle_kinds(subtitles),
        aspect=requesting.aspect_of(run.settings) if aspect else None,
        layout=requesting.layout_of(run.settings) if layout else None,
        encoder=encoder,
        encoder_preset=encoder_preset,
        crf=crf,
        fps=fps,
        jobs=run.settings.jobs,
        overwrite=overwrite,
        music=str(music) if music else None,
    )
    listener = listener_for(progress, quiet=quiet)
    job = partial(run.library.render, request)
    report = attempt(str(manifest), partial(run.with_models, job, listener))
    if as_json:
        output.show_json({"version": 1, "runs": [report.to_dict()]})
    else:
        report.show()
    raise typer.Exit(report.code)
