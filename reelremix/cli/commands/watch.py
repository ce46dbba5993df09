"""`reelremix watch`: folders whose recordings are clipped by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.daemon.client import DaemonClient
    from reelremix.daemon.protocol import WatchView

watch_app = typer.Typer(
    help="Folders whose recordings are clipped by themselves, by the daemon.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Named = Annotated[
    str, typer.Argument(metavar="WATCH", help="Its id, or its folder.", show_default=False)
]
TAKING = "Taking"


@watch_app.command()
def add(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where recordings arrive.", show_default=False)
    ],
    preset: Annotated[
        str | None,
        typer.Option(help="Caption preset of the clips, or none.", show_default=False),
    ] = None,
    out: options.Out = None,
    count: options.Count = None,
    minimum: options.MinLength = None,
    maximum: options.MaxLength = None,
    tighten: options.TightenLevel = None,
    aspect: options.AspectRatio = None,
    layout: options.LayoutOf = None,
    model: options.Model = None,
    language: options.Language = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Names to pass over, such as *-raw.mp4, besides those of downloads.",
            rich_help_panel=TAKING,
            show_default=False,
        ),
    ] = None,
    move: Annotated[
        bool,
        typer.Option(
            "--move/--leave",
            help="Put recordings into done or failed afterwards.",
            rich_help_panel=TAKING,
        ),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Folders inside too.", rich_help_panel=TAKING)
    ] = False,
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Say on the desktop when one is done.",
                     rich_help_panel=TAKING),
    ] = False,
    webhook: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="An address that is told when one is done, signed.",
            rich_help_panel=TAKING,
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:  # fmt: skip
    """Watch a folder: every recording that arrives becomes clips."""
    from reelremix.daemon.protocol import NewWatch
    from reelremix.engine.domain.watch import IGNORED

    place = Path.cwd() / folder.expanduser()
    given = {"captions": preset, **options.typed(locals())}
    wanted = {name: value for name, value in given.items() if value is not None}
    new = NewWatch(
        folder=str(place.resolve()),
        options=_with_places(wanted),
        ignore=[*IGNORED, *(ignore or ())],
        when_done="move" if move else "leave",
        recursive=recursive,
        notify=notify,
        webhook=webhook,
    )
    run = CommandRun()
    if preset is not None and preset != "none":
        from reelremix.engine.stages.branding import dress_of

        dress_of(preset, None, run.settings.presets_path)  # before it fails every recording
    with _client(run) as client:
        added = client.watch(new)
    if as_json:
        output.show_json({"version": 1, **_plain(added)})
    else:
        output.show_text(f"{added.id} watches {added.folder}")


@watch_app.command("list")
def list_(as_json: options.Json = False) -> None:
    """Watched folders, and what each is doing."""
    with _client() as client:
        found = client.watches()
    if as_json:
        output.show_json({"version": 1, "watches": [_plain(watch) for watch in found]})
        return
    columns = [("watch", "left"), ("state", "left"), ("waiting", "right"), ("taken", "right"),
               ("folder", "wrap"), ("settings", "wrap"), ("trouble", "wrap")]  # fmt: skip
    output.show_table(columns, [_row(watch) for watch in found])


@watch_app.command()
def remove(watch: Named, as_json: options.Json = False) -> None:
    """Watch a folder no longer. Its clips stay."""
    with _client() as client:
        gone = client.unwatch(_id_of(client, watch))
    if as_json:
        output.show_json({"version": 1, **_plain(gone)})
    else:
        output.show_text(f"{gone.folder} is watched no longer")


@watch_app.command()
def pause(watch: Named, as_json: options.Json = False) -> None:
    """Take no recordings from a folder for a while."""
    _pause(watch, paused=True, as_json=as_json)


@watch_app.command()
def resume(watch: Named, as_json: options.Json = False) -> None:
    """Take recordings from a folder again."""
    _pause(watch, paused=False, as_json=as_json)


def _pause(named: str, *, paused: bool, as_json: bool) -> None:
    with _client() as client:
        found = client.pause_watch(_id_of(client, named), paused=paused)
    if as_json:
        output.show_json({"version": 1, **_plain(found)})
    else:
        output.show_text(f"{found.id} is {'paused' if paused else 'watching'}")


def _with_places(wanted: dict[str, Any]) -> dict[str, Any]:
    """Folders and files in full: the daemon is elsewhere."""
    if "out" in wanted:
        wanted["out"] = str(Path.cwd() / Path(wanted["out"]).expanduser())
    return wanted


def _id_of(client: DaemonClient, named: str) -> str:
    """The id of a watch that is named by it, or by its folder. Raises ConfigError."""
    if not named:
        raise ConfigError("an empty name stands for no watch", hint="`reelremix watch list`")
    place = str((Path.cwd() / Path(named).expanduser()).resolve())
    for watch in client.watches():
        if watch.id == named or watch.folder == place:
            return watch.id
    raise ConfigError(
        f"{named} is neither a watch's id nor a folder that is watched",
        hint="`reelremix watch list` shows them",
    )


def _client(run: CommandRun | None = None) -> DaemonClient:
    from reelremix.daemon.client import DaemonClient

    return DaemonClient((run or CommandRun()).settings)


def _plain(watch: WatchView) -> dict[str, Any]:
    from reelremix.engine import codec

    plain: dict[str, Any] = codec.to_plain(watch)
    return plain


def _row(watch: WatchView) -> tuple[str, ...]:
    settings = ", ".join(f"{name} {value}" for name, value in sorted(watch.options.items()))
    trouble = watch.last_error or watch.reason or ""
    waiting, taken = str(watch.waiting), str(watch.taken)
    return watch.id, watch.state, waiting, taken, watch.folder, settings, trouble
