"""`reelremix jobs`: what the daemon works on, worked on, and is going to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.diagnostics import Exit
from reelremix.cli.run import CommandRun, consider_told_by, listener_for
from reelremix.engine.domain.job import HIGHEST_PRIORITY, LOWEST_PRIORITY, JobState
from reelremix.errors import Cancelled, ConfigError, JobError, NothingToClip, ReelRemixError

if TYPE_CHECKING:
    from reelremix.daemon.client import DaemonClient
    from reelremix.daemon.protocol import JobView

jobs_app = typer.Typer(
    help="The daemon's jobs: list, watch, stop, try again.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Job = Annotated[
    str, typer.Argument(metavar="JOB", help="A job's id or its beginning.", show_default=False)
]
STATES = tuple(state.value for state in JobState)
LONGEST_NAME = 61
"""Letters of a name in a table."""
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@jobs_app.command("list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help=f"Only these: {', '.join(STATES)}.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="How many to pass over.")] = 0,
    as_json: options.Json = False,
) -> None:
    """The daemon's jobs, the newest first."""
    for name in state or ():
        if name not in STATES:
            raise ConfigError(f"--state must be one of {', '.join(STATES)} (got {name!r})")
    with _client() as client:
        page = client.jobs(state or (), limit=limit, offset=offset)
    if as_json:
        output.show_json(
            {"version": 1, "jobs": [_plain(job) for job in page.jobs], "counts": page.counts}
        )
        return
    columns = [("job", "left"), ("state", "left"), ("prio", "right"), ("queued", "left"),
               ("took", "right"), ("source", "wrap"), ("why", "wrap")]  # fmt: skip
    output.show_table(columns, [_row(job) for job in page.jobs])
    counted = ", ".join(f"{number} {name}" for name, number in sorted(page.counts.items()))
    diagnostics.say(counted or "no jobs yet; `reelremix clip` adds one while the daemon runs")


@jobs_app.command()
def show(job: Job, as_json: options.Json = False) -> None:
    """Everything about one job."""
    with _client() as client:
        found = client.job(job)
        files = client.artifacts(found.id)
    if as_json:
        listed = [{"name": f.name, "size_bytes": f.size_bytes, "kind": f.kind} for f in files]
        output.show_json({"version": 1, **_plain(found), "files": listed})
        return
    lines = [
        ("job", found.id), ("state", found.state), ("source", found.request.get("source", "")),
        ("asked by", found.origin), ("priority", str(found.priority)),
        ("queued", _when(found.created_at)), ("began", _when(found.started_at)),
        ("ended", _when(found.ended_at)), ("attempt", str(found.attempt)),
        ("folder", found.folder or "–"),
    ]  # fmt: skip
    if found.waits_for is not None:
        lines.append(("waits", found.waits_for))
    if found.failure is not None:
        lines += [("why", found.failure.message), ("hint", found.failure.hint or "–")]
    output.show_table([("", "left"), ("", "wrap")], lines)
    for file in files:
        output.show_text(output.on_one_line(f"{found.folder}/{file.name}"))


@jobs_app.command()
def watch(
    job: Job,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Follow a job until it has ended. Ctrl-C stops watching, not the job."""
    from reelremix.cli.remote import error_in, follow

    run = CommandRun()
    listener = listener_for(progress, quiet=quiet)
    with _client(run) as client:
        found = client.job(job)

        def work(*, listener: Any, cancel: Any, partial_files: Any) -> None:
            follow(client, found.id, listener.receive, cancel, stops_job=False)

        try:
            run.job(work, listener)
        except Cancelled:
            diagnostics.say(
                f"the job goes on; `reelremix jobs watch {found.id[:8]}` looks again,"
                f" `jobs cancel {found.id[:8]}` ends it"
            )
            raise typer.Exit(Exit.CANCELLED) from None
        ended = client.job(found.id)
    if as_json:
        output.show_json({"version": 1, **_plain(ended)})
    else:
        folder = f" {ended.folder}" if ended.folder else ""
        output.show_text(output.on_one_line(ended.state + folder))
    error = error_in(ended)
    consider_told_by(listener, error)
    raise typer.Exit(_exit_code(ended, error))


def _exit_code(job: JobView, error: ReelRemixError | None) -> Exit:
    """Say why a job failed, and how the command that did it in its place would have ended."""
    if isinstance(error, NothingToClip):
        diagnostics.say_nothing_found(error)
    elif error is not None:
        diagnostics.say_error(error)
    if error is not None:
        return diagnostics.exit_code(error)
    if job.state == JobState.CANCELLED:
        return Exit.CANCELLED
    return Exit.OK if job.state == JobState.SUCCEEDED else Exit.PARTIAL


@jobs_app.command()
def cancel(job: Job, as_json: options.Json = False) -> None:
    """Stop a job for good; what it has finished is kept."""
    with _client() as client:
        _say(client.cancel(job), as_json=as_json, stops=True)


@jobs_app.command()
def pause(job: Job, as_json: options.Json = False) -> None:
    """Stop a job until `resume`."""
    with _client() as client:
        _say(client.pause(job), as_json=as_json, stops=True)


@jobs_app.command()
def resume(job: Job, as_json: options.Json = False) -> None:
    """Go on with a paused job, where it was."""
    with _client() as client:
        _say(client.resume(job), as_json=as_json)


@jobs_app.command()
def retry(
    job: Job,
    stage: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="STAGE",
            help="begin, hear, decide, film or finish; else where it failed.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Try a job that failed or was cancelled again."""
    with _client() as client:
        _say(client.retry(job, stage), as_json=as_json)


@jobs_app.command()
def priority(
    job: Job,
    value: Annotated[
        int,
        typer.Argument(
            metavar="PRIORITY",
            min=LOWEST_PRIORITY,
            max=HIGHEST_PRIORITY,
            help="0 to 9; higher goes first.",
            show_default=False,
        ),
    ],
    as_json: options.Json = False,
) -> None:
    """Let a job go before or behind others."""
    with _client() as client:
        _say(client.prioritise(job, value), as_json=as_json)


@jobs_app.command()
def purge(
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB...]", help="These.", show_default=False)
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="All that ended so.", show_default=False),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="All that ended longer ago: 12h, 7d.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that have ended.")] = False,
    as_json: options.Json = False,
) -> None:
    """Forget jobs that have ended. Their clips stay."""
    if not (jobs or state or older_than or everything):
        raise ConfigError(
            "nothing says which jobs to forget",
            hint="name some, or use `--state`, `--older-than` or `--all`",
        )
    with _client() as client:
        gone = client.purge(jobs or (), state or (), _seconds(older_than))
    if as_json:
        output.show_json({"version": 1, "forgotten": gone})
    else:
        output.show_text(f"forgot {gone} {'job' if gone == 1 else 'jobs'}")


@contextmanager
def _client(run: CommandRun | None = None) -> Iterator[DaemonClient]:
    """The daemon; what it refuses to do with a job is the fault of what was typed."""
    from reelremix.daemon.client import DaemonClient

    with DaemonClient((run or CommandRun()).settings) as client:
        try:
            yield client
        except JobError as exc:
            diagnostics.say_error(exc)
            raise typer.Exit(Exit.USAGE) from exc


def _say(job: JobView, *, as_json: bool, stops: bool = False) -> None:
    if as_json:
        output.show_json({"version": 1, **_plain(job)})
    else:
        is_stopping = stops and job.state == JobState.RUNNING
        output.show_text(f"{job.id[:8]} {'is being stopped' if is_stopping else job.state}")


def _plain(job: JobView) -> dict[str, Any]:
    from reelremix.engine import codec

    plain: dict[str, Any] = codec.to_plain(job)
    return plain


def _row(job: JobView) -> tuple[str, ...]:
    took = "–"
    if job.started_at is not None and job.ended_at is not None:
        took = f"{job.ended_at - job.started_at:.1f} s"
    why = job.failure.message if job.failure is not None else job.waits_for or ""
    when = _when(job.created_at)
    return job.id[:8], job.state, str(job.priority), when, took, _in_a_row(job.name), why


def _in_a_row(name: str) -> str:
    """A name that may be long, as a table has it; `jobs show` has it whole."""
    kept = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[:kept]}…{name[-kept:]}"


def _when(at: float | None) -> str:
    if at is None:
        return "–"
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _seconds(age: str | None) -> float:
    """An age such as 12h. Raises ConfigError."""
    if age is None:
        return 0.0
    number, unit = age[:-1], age[-1:]
    if unit not in UNITS or not (number.isascii() and number.isdigit()):
        raise ConfigError(f"--older-than must be a number and s, m, h, d or w (got {age!r})")
    return float(int(number) * UNITS[unit])
