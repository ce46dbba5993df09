"""`reelremix clip edit`: one clip of a manifest, changed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from reelremix.cli import options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.request import EditRequest
from reelremix.errors import ConfigError

WORDS, DECIDE = "Words and ends", "Decisions"


def clip_edit(
    manifest: Annotated[Path, typer.Argument(help="A clips.json, or its folder.")],
    clip: Annotated[
        str | None, typer.Argument(metavar="[CLIP]", help="The clip's rank or id.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Where it begins: +2w or -1s for words or sentences, else seconds.",
            rich_help_panel=WORDS,
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="Where it ends, in the same way.", rich_help_panel=WORDS)
    ] = None,
    cut: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a phrase, or START-END.", rich_help_panel=WORDS),
    ] = None,
    put_back: Annotated[
        list[str] | None,
        typer.Option(help="Put back what was left out in START-END.", rich_help_panel=WORDS),
    ] = None,
    correct: Annotated[
        list[str] | None,
        typer.Option(metavar="OLD=NEW", help="Correct what is read.", rich_help_panel=WORDS),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Make two of it, at a phrase or second.", rich_help_panel=WORDS),
    ] = None,
    merge: Annotated[
        str | None, typer.Option(metavar="CLIP", help="Take another in.", rich_help_panel=WORDS)
    ] = None,
    new: Annotated[
        list[str] | None,
        typer.Option(metavar="START-END", help="Make a new clip.", rich_help_panel=WORDS),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Its title.", rich_help_panel=DECIDE)] = None,
    description: Annotated[
        str | None, typer.Option(help="Its description.", rich_help_panel=DECIDE)
    ] = None,
    hashtags: Annotated[
        str | None, typer.Option(help="Its hashtags, between commas.", rich_help_panel=DECIDE)
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it.", rich_help_panel=DECIDE)] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop it.", rich_help_panel=DECIDE)] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Leave that open again.", rich_help_panel=DECIDE)
    ] = False,
    layout: Annotated[
        str | None,
        typer.Option(
            help="auto, single, split, screen, fit or center.", rich_help_panel=options.PICTURE
        ),
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(
            metavar="START-END=WHOM",
            help="Show a speaker (S1) or track (3) there.",
            rich_help_panel=options.PICTURE,
        ),
    ] = None,
    captions: Annotated[
        str | None, typer.Option(help="Caption preset, or none.", rich_help_panel=options.PICTURE)
    ] = None,
    undo: Annotated[
        int, typer.Option(min=0, help="Take back so many operations.", rich_help_panel=DECIDE)
    ] = 0,
    redo: Annotated[int, typer.Option(min=0, help="Do so many again.", rich_help_panel=DECIDE)] = 0,
    as_json: options.Json = False,
    quiet: options.QuietFlag = False,
) -> None:
    """Change a clip of MANIFEST, as the review session does: cut it, correct it, decide on it."""
    request = EditRequest(
        manifest=str(manifest),
        clip=clip,
        undo=undo,
        redo=redo,
        correct=tuple(_pair(text, "--correct") for text in correct or ()),
        put_back=tuple(options.parse_range(text, "--put-back") for text in put_back or ()),
        start=start,
        end=end,
        cut=tuple(
            options.parse_range(text, "--cut") if options.is_range(text) else text
            for text in cut or ()
        ),
        split=split,
        merge=merge,
        new=tuple(options.parse_range(text, "--new") for text in new or ()),
        title=title,
        description=description,
        hashtags=None if hashtags is None else _hashtags(hashtags),
        layout=None if layout is None else requesting.choice_of(LayoutChoice, layout, "--layout"),
        show=tuple(_shown(text) for text in show or ()),
        captions=captions,
        status=_status(keep=keep, drop=drop, reopen=reopen),
    )
    run = CommandRun()
    listener = listener_for("plain", quiet=quiet)
    edited = run.job(partial(run.library.edit, request), listener)
    touched = {id for happened in edited.happened for id in happened.clips}
    entries = [e for e in edited.manifest["clips"] if e["id"] in touched]
    if as_json:
        gone = sorted(touched - {entry["id"] for entry in entries})
        output.show_json({"version": 1, "clips": entries, "gone": gone})
        return
    _show(entries)


def _show(entries: list[dict[str, Any]]) -> None:
    columns = [("#", "right"), ("clip", "wrap"), ("length", "right"), ("status", "left"),
               ("begins", "wrap"), ("ends", "wrap")]  # fmt: skip
    rows = []
    for entry in entries:
        said = [word["text"] for word in entry["words"]]
        begins, ends = " ".join(said[:6]), " ".join(said[-6:])
        length = output.clock(entry["duration_s"])
        status = entry["status"] or "open"
        rows.append((str(entry["rank"]), entry["title"], length, status, begins, ends))
    output.show_table(columns, rows)


def _pair(text: str, option: str, form: str = "OLD=NEW") -> tuple[str, str]:
    old, mark, new = text.partition("=")
    if not mark or not old.strip():
        raise ConfigError(f"{option} must look like {form} (got {text!r})")
    return old.strip(), new.strip()


def _shown(text: str) -> tuple[Any, str]:
    span, whom = _pair(text, "--show", "START-END=WHOM")
    return options.parse_range(span, "--show"), whom


def _hashtags(text: str) -> tuple[str, ...]:
    names = (part.strip().lstrip("#") for part in text.split(","))
    return tuple(f"#{name}" for name in names if name)


def _status(*, keep: bool, drop: bool, reopen: bool) -> str | None:
    asked = [name for name, is_asked in
             (("kept", keep), ("dropped", drop), ("open", reopen)) if is_asked]  # fmt: skip
    if len(asked) > 1:
        raise ConfigError("only one of --keep, --drop and --reopen can be asked for")
    return asked[0] if asked else None
