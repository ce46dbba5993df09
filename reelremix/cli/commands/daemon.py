"""`reelremix daemon`: the process that works on jobs behind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.errors import ReelRemixError

if TYPE_CHECKING:
    from reelremix.daemon.address import Address

daemon_app = typer.Typer(
    help="Work on jobs behind: queued, resumed, watched folders, models that stay loaded.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
DAY_S, HOUR_S, MINUTE_S = 86_400, 3600, 60


@daemon_app.command()
def start(
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal, for supervisors.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Start the daemon, and wait until it answers."""
    from reelremix.daemon import lifecycle

    settings = CommandRun().settings
    if foreground:
        from reelremix.daemon.logs import log_to

        log_to(settings.daemon_path, foreground=True)
        try:
            lifecycle.run(settings)
        except ReelRemixError as exc:
            diagnostics.say_error(exc)
            os._exit(diagnostics.exit_code(exc))  # past threads that wait for work
    _say(lifecycle.start(settings), as_json=as_json)


@daemon_app.command()
def stop(as_json: options.Json = False) -> None:
    """End the daemon; what is under way is gone on with by the next one."""
    from reelremix.daemon import lifecycle

    was_running = lifecycle.stop(CommandRun().settings)
    if as_json:
        output.show_json({"version": 1, "was_running": was_running})
    else:
        output.show_text("the daemon has ended" if was_running else "no daemon runs")


@daemon_app.command()
def restart(as_json: options.Json = False) -> None:
    """End the daemon, if one runs, and start it anew."""
    from reelremix.daemon import lifecycle

    settings = CommandRun().settings
    lifecycle.stop(settings)
    _say(lifecycle.start(settings), as_json=as_json)


@daemon_app.command()
def status(as_json: options.Json = False) -> None:
    """What the daemon is doing."""
    from reelremix.daemon.client import DaemonClient
    from reelremix.engine import codec

    with DaemonClient(CommandRun().settings) as client:
        found = client.status()
    if as_json:
        output.show_json({**codec.to_plain(found), "version": 1, "reelremix": found.version})
        return
    jobs = ", ".join(f"{number} {state}" for state, number in sorted(found.jobs.items()))
    output.show_text(
        f"ReelRemix {found.version}, process {found.pid}, for {told_time(found.uptime_s)};"
        f" {found.rss_mb} MB"
    )
    output.show_text(f"jobs: {jobs or 'none'}")
    output.show_text(
        f"memory of its processes: {found.held_mb} of {found.limit_mb} MB;"
        f" {found.listeners} listening"
    )
    columns = [("process", "right"), ("does", "left"), ("step", "left"), ("job", "left"),
               ("MB", "right"), ("GPU", "left")]  # fmt: skip
    output.show_table(columns, [_worker(one) for one in found.workers])


@daemon_app.command()
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more comes.")] = False,
    as_json: options.Json = False,
) -> None:
    """What the daemon logged last."""
    from reelremix.daemon.logs import entries, told

    for entry in entries(CommandRun().settings.daemon_path, lines, follow=follow):
        output.show_text(entry if as_json else told(entry))


@daemon_app.command()
def install(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be written.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Start the daemon whenever you log in: a systemd user unit, or a launchd agent."""
    from reelremix.daemon import units

    service = units.service_for(os.environ)
    if dry_run:
        output.show_text(service.content.decode())
        return
    left = units.install(service)
    if as_json:
        output.show_json({"version": 1, "file": str(service.file), "left_to_type": left})
        return
    output.show_text(str(service.file))
    if left is not None:
        diagnostics.say_warning("the service is written but does not run yet", f"type `{left}`")


@daemon_app.command()
def uninstall(as_json: options.Json = False) -> None:
    """End that service and take it away. Jobs and clips stay."""
    from reelremix.daemon import units

    service = units.service_for(os.environ)
    was_there = units.uninstall(service)
    if as_json:
        output.show_json({"version": 1, "file": str(service.file), "was_there": was_there})
    else:
        output.show_text(f"{service.file} is gone" if was_there else "no service is installed")


def _say(address: Address, *, as_json: bool) -> None:
    if as_json:
        output.show_json({"version": 1, "port": address.port, "pid": address.pid})
    else:
        output.show_text(f"the daemon answers on port {address.port} (process {address.pid})")


def _worker(one: dict[str, Any]) -> tuple[str, ...]:
    is_there = one["pid"] is not None
    return (
        str(one["pid"]) if is_there else "–",
        "listens" if one["role"] == "hear" else "works",
        one["step"] or ("waits" if is_there else "not started"),
        (one["job_id"] or "")[:8],
        str(one["rss_mb"]) if is_there else "–",
        one["device"] or "–",
    )


def told_time(seconds: float) -> str:
    """A length of time for people."""
    for size, name in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} s"
