"""`reelremix export`: clips of a manifest as editors, players and spreadsheets read them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine.domain.request import ExportRequest


def export(
    manifest: Annotated[Path, typer.Argument(metavar="CLIPS", help="A clips.json, or its folder.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="otio, fcpxml, premiere, edl, resolve, srt, vtt, ass, csv, json, html, or"
            " another that is installed.",
            show_default=False,
            rich_help_panel=options.FILES,
        ),
    ],
    clips: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CLIP]...", help="Clip ids or ranks; none takes all that were not dropped."
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Where to write.",
            show_default="export/ beside clips.json",
            rich_help_panel=options.FILES,
        ),
    ] = None,
    source: Annotated[Path | None, typer.Option(help="The recording, if it moved.")] = None,
    conform: Annotated[
        str | None,
        typer.Option(
            metavar="RATE|auto",
            help="Refer to copies at a constant rate, for recordings whose rate varies.",
            show_default="refer to the recording",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace files of other content.", rich_help_panel=options.FILES
        ),
    ] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Hand the clips of CLIPS over to an editor, a player or a spreadsheet."""
    run = CommandRun()
    request = ExportRequest(
        manifest=str(manifest),
        to=to,
        clip_ids=tuple(clips or ()),
        out=out,
        source=str(source) if source else None,
        conform=conform,
        overwrite=overwrite,
    )
    result = run.job(partial(run.library.export, request), listener_for(progress, quiet=quiet))
    if as_json:
        output.show_json(result.to_dict())
        return
    for path in (*result.files, *result.media):
        output.show_text(str(path))
    if not quiet:
        for note in result.notes:
            diagnostics.say(diagnostics.one_line(note))
