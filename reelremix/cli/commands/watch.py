"""`reelremix watch`: folders whose recordings are clipped by themselves."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.daemon.client import DaemonClient
    from reelremix.daemon.protocol import NewWatch, WatchView
    from reelremix.engine.domain.context import CancelToken

watch_app = typer.Typer(
    help="Folders whose recordings are clipped by themselves, by the daemon.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Named = Annotated[
    str,
    typer.Argument(
        metavar="WATCH", help="Its id or the beginning of it, or its folder.", show_default=False
    ),
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
    brand: options.Brand = None,
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
        options=_in_full(wanted),
        ignore=[*IGNORED, *(ignore or ())],
        when_done="move" if move else "leave",
        recursive=recursive,
        notify=notify,
        webhook=webhook,
    )
    run = CommandRun()
    with _client(run) as client:
        if _is_folder(place):  # of any other the daemon says what is wrong
            run.with_models(partial(_check, run, new), listener_for(None, quiet=True))
        added = client.watch(new)
    if as_json:
        output.show_json({"version": 1, **_plain(added)})
    else:
        output.show_text(output.on_one_line(f"{added.id} watches {added.folder}"))


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
        output.show_text(output.on_one_line(f"{gone.folder} is watched no longer"))


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


def _check(run: CommandRun, new: NewWatch, *, cancel: CancelToken, **_: Any) -> None:
    """Whether recordings could be clipped as the folder wants it, before one after another fails.

    Raises what `clip` raises in its place.
    """
    from reelremix.daemon.folder_settings import settings_of
    from reelremix.engine.domain.watch import Watch
    from reelremix.engine.requesting import clip_request

    watch = Watch("", new.folder, 0.0, dict(new.options))
    request = clip_request(settings_of(watch).settings, str(Path(new.folder) / "recording.mp4"))
    run.library.check(request, cancel, has_source=False)


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # no file can have that name
        return False


def _in_full(wanted: dict[str, Any]) -> dict[str, Any]:
    """Folders and files in full: the daemon is elsewhere."""
    from reelremix.cli.places import full_model, full_path, full_preset

    kinds = {"out": full_path, "captions": full_preset, "brand": full_preset, "model": full_model}
    return {name: kinds[name](v) if name in kinds else v for name, v in wanted.items()}


def _id_of(client: DaemonClient, named: str) -> str:
    """The id of a watch that is named by its folder, or by its id or the beginning of that.

    Raises ConfigError.
    """
    if not named:
        raise ConfigError("an empty name stands for no watch", hint="`reelremix watch list`")
    place = str((Path.cwd() / Path(named).expanduser()).resolve())
    watches = client.watches()
    for watch in watches:
        if watch.id == named or watch.folder == place:
            return watch.id
    begun = [watch.id for watch in watches if watch.id.startswith(named)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise ConfigError(
            f"{named!r} is the beginning of several watches: {', '.join(begun)}", hint="write more"
        )
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
