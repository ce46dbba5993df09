"""`reelremix library list`, `show` and `search`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.domain.rows import Order


def list_(
    clips: Annotated[bool, typer.Option("--clips", help="List clips, not recordings.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Only clips of this recording: an id, a path or a name.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only clips that are kept, dropped or open.")
    ] = None,
    text: Annotated[str, typer.Option(help="Only what has this in its name or title.")] = "",
    sort: Annotated[
        str | None,
        typer.Option(help="time, name (recordings) or score (clips).", show_default="time"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Rows to pass over.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Show the recordings seen so far, or the clips made of them, the latest first."""
    from reelremix.engine.domain.rows import ClipFilter, Standing
    from reelremix.engine.upkeep.listing import Page, list_clips, list_sources, sources_named
    from reelremix.engine.upkeep.shelf import open_shelf

    page, order = Page(limit, offset), _order(sort, clips=clips)
    if not clips and (source or status):
        raise ConfigError("--source and --status are of clips", hint="add `--clips`")
    with open_shelf(CommandRun().settings) as shelf:
        if not clips:
            found = list_sources(shelf.catalogue, text, order, page)
        else:
            standing = requesting.choice_of(Standing, status, "--status") if status else None
            ids = [row.id for row in sources_named(shelf.catalogue, source)] if source else [None]
            if len(ids) != 1:
                raise ConfigError(
                    f"--source {source} stands for {len(ids)} recordings",
                    hint="`reelremix library list` shows their ids",
                )
            wanted = ClipFilter(ids[0], standing, text, order)
            found = list_clips(shelf.catalogue, wanted, page)
    if as_json:
        output.show_json(found)
        return
    (_show_clips if clips else _show_sources)(found["clips" if clips else "sources"])
    if found["next_offset"] is not None:
        diagnostics.say(f"there is more: --offset {found['next_offset']}")


def show(
    named: Annotated[
        str,
        typer.Argument(
            metavar="ID|PATH|NAME", help="A recording, or the id of a clip.", show_default=False
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Show everything about a recording, or about a clip."""
    from reelremix.engine.upkeep.listing import show as found_as
    from reelremix.engine.upkeep.shelf import open_shelf

    with open_shelf(CommandRun().settings) as shelf:
        found = found_as(shelf.catalogue, named)
    if as_json:
        output.show_json(found)
    elif found["kind"] == "source":
        _show_source(found)
    else:
        _show_clip(found)


def search(
    query: Annotated[
        str, typer.Argument(help="What to look for, in plain words.", show_default=False)
    ],
    count: Annotated[int, typer.Option(min=1, max=100, help="Most results to show.")] = 10,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Find clips by the words and the meaning of their titles and what is said in them."""
    from reelremix.engine.upkeep.clip_search import search_clips

    run = CommandRun()

    def work(**job: Any) -> dict[str, Any]:
        library = run.library
        return library.look_after("search", lambda ctx: search_clips(query, count, ctx), **job)

    found = run.job(work, listener_for(progress, quiet=quiet))
    if as_json:
        output.show_json(found)
    elif found["clips"]:
        _show_found(found["clips"])
    if found["notice"]:
        diagnostics.say(diagnostics.one_line(found["notice"]))
        raise typer.Exit(diagnostics.Exit.PARTIAL)


def _order(sort: str | None, *, clips: bool) -> Order:
    from reelremix.engine.domain.rows import Order

    order = requesting.choice_of(Order, sort, "--sort") if sort else Order.TIME
    if order is (Order.NAME if clips else Order.SCORE):
        able = "time or score" if clips else "time or name"
        raise ConfigError(f"--sort must be {able} here (got {sort!r})")
    return order


def _show_sources(rows: list[dict[str, Any]]) -> None:
    columns = [("source", "wrap"), ("length", "right"), ("clips", "right"), ("kept", "right"),
               ("id", "left")]  # fmt: skip
    output.show_table(columns, [
        (r["name"], _clock(r["duration_s"]), str(r["clips"]), str(r["kept"]), r["id"][:12])
        for r in rows
    ])  # fmt: skip


def _show_clips(rows: list[dict[str, Any]]) -> None:
    columns = [("clip", "wrap"), ("score", "right"), ("status", "left"), ("from", "right"),
               ("length", "right"), ("source", "wrap"), ("id", "left")]  # fmt: skip
    output.show_table(columns, [
        (r["title"], output.percent(r["total"]), r["status"], _clock(r["start_s"]),
         _clock(r["duration_s"]), r["source"]["name"] or r["source"]["id"][:12], r["id"])
        for r in rows
    ])  # fmt: skip


def _show_found(rows: list[dict[str, Any]]) -> None:
    columns = [("#", "right"), ("score", "right"), ("clip", "wrap"), ("says", "wrap"),
               ("source", "wrap"), ("id", "left")]  # fmt: skip
    output.show_table(columns, [
        (str(r["rank"]), output.percent(r["score"]), r["title"], r["match"]["quote"],
         r["source"]["name"] or r["source"]["id"][:12], r["id"])
        for r in rows
    ], [r["match"]["words"] for r in rows])  # fmt: skip


def _show_source(found: dict[str, Any]) -> None:
    lines = [f"{found['name']}  {_clock(found['duration_s'])}", f"id {found['id']}"]
    lines += [f"at {p['path']}{'' if p['is_there'] else ' (gone)'}" for p in found["places"]]
    lines += [
        f"stream {s['index']}: {s['kind']}, {s['codec']}"
        + (f", {s['language']}" if s["language"] else "")
        for s in found["streams"]
    ]
    spoken = found["transcript"]
    lines.append(
        f"transcript: {spoken['words']} words, {spoken['language'] or 'unknown language'},"
        f" model {spoken['model'] or 'unknown'}" if spoken else "never transcribed"
    )  # fmt: skip
    lines += [
        f"manifest {m['path']}{'' if m['is_there'] else ' (gone)'}: {m['edits']} edits,"
        f" {len(m['renders'])} films"
        for m in found["manifests"]
    ]
    output.show_text("\n".join(lines))
    if found["clips"]:
        _show_clips(found["clips"])


def _show_clip(found: dict[str, Any]) -> None:
    ranges = ", ".join(f"{_clock(a)} to {_clock(b)}" for a, b in found["ranges"])
    lines = [
        found["title"],
        f"id {found['id']}, {found['status']}, score {output.percent(found['total'])}",
        f"of {found['source']['name'] or found['source']['id']}: {ranges}",
        *(f"{own['at']}  {own['kind']}" for own in found["decisions"]),
        *(f"{own['at']}  {own['op']} in {own['manifest']}" for own in found["edits"]),
        *(f"{own['at']}  {own['video']}{'' if own['is_ok'] else ' (to be checked)'}"
          for own in found["renders"]),
        "",
        found["text"],
    ]  # fmt: skip
    output.show_text("\n".join(lines))


def _clock(seconds: float | None) -> str:
    return "unknown" if seconds is None else output.clock(seconds)
