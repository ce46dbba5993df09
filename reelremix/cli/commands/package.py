"""`reelremix package`: finished clips, checked and laid out for uploading."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine.domain.request import PackageRequest

if TYPE_CHECKING:
    from reelremix.engine.packaging import Packaged


def package(
    manifest: Annotated[Path, typer.Argument(help="A clips.json, or its folder.")],
    clips: Annotated[
        list[str] | None, typer.Argument(metavar="[CLIP]...", help="Clip ids or ranks.")
    ] = None,
    platforms: Annotated[
        str,
        typer.Option("--for", metavar="NAME,...", help="shorts, reels, tiktok, linkedin, x."),
    ] = "shorts,reels,tiktok",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to write into.", show_default="post, beside the manifest"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier package.")
    ] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Check rendered clips against what platforms take, and lay them out for uploading.

    What does not fit is told and left out; nothing is shortened.
    """
    run = CommandRun()
    request = PackageRequest(
        manifest=str(manifest),
        platforms=tuple(name.strip().lower() for name in platforms.split(",") if name.strip()),
        clip_ids=tuple(clips or ()),
        out=str(out) if out else None,
        overwrite=overwrite,
    )
    job = partial(run.library.package, request)
    packaged = run.job(job, listener_for(progress, quiet=quiet))
    if as_json:
        output.show_json(packaged.document)
    else:
        _show(packaged)
    if packaged.left_out or not packaged.document["posts"]:
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _show(packaged: Packaged) -> None:
    document = packaged.document
    if document["posts"]:
        columns = [("platform", "left"), ("clip", "right"), ("file", "left"), ("advice", "wrap")]
        output.show_table(columns, [
            (post["platform"], str(post["rank"]), str(packaged.folder / post["files"]["video"]),
             "; ".join(post["advice"]) or "–")
            for post in document["posts"]
        ])  # fmt: skip
    for item in document["left_out"]:
        for problem in item["problems"]:
            what = f"clip {item['rank']} is not packaged for {item['platform']}"
            diagnostics.say_warning(f"{what}: {problem['message']}", problem["hint"])
    for clip in document["dropped"]:
        diagnostics.say(f"clip {clip} was dropped, and is left out")
