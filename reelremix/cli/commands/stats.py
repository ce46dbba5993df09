"""`reelremix stats`: what the daemon got done, and what that took."""

from __future__ import annotations

from typing import Annotated

import typer

from reelremix.cli import options, output
from reelremix.cli.run import CommandRun


def stats(
    days: Annotated[float, typer.Option(min=0.01, max=3650, help="Of how many days.")] = 30.0,
    as_json: options.Json = False,
) -> None:
    """Throughput, stage times, failures and disk of the daemon's jobs."""
    from reelremix.daemon.stats import stats_of
    from reelremix.engine import codec
    from reelremix.engine.store.factory import open_stores

    settings = CommandRun().settings
    found = stats_of(open_stores(settings), settings, days)
    if as_json:
        output.show_json({"version": 1, **codec.to_plain(found)})
        return
    jobs = ", ".join(f"{number} {state}" for state, number in found.jobs.items()) or "none"
    output.show_text(f"jobs of the last {days:g} days: {jobs}")
    if found.realtime is not None:
        output.show_text(
            f"{found.source_s / 3600:.2f} h of recordings became {found.rendered_s / 60:.1f} min of"
            f" clips in {found.work_s / 3600:.2f} h: {found.realtime:.1f}x realtime"
        )
    columns = [("stage", "left"), ("times", "right"), ("ready before", "right"),
               ("median", "right"), ("in all", "right")]  # fmt: skip
    rows = [
        (s.stage, str(s.times), str(s.cached), f"{s.median_s:.2f} s", f"{s.total_s:.1f} s")
        for s in found.stages
    ]
    if rows:
        output.show_table(columns, rows)
    if found.failures:
        output.show_table(
            [("failed", "right"), ("because", "wrap")],
            [(str(f.times), f.message) for f in found.failures],
        )
    output.show_text(
        f"disk: artifacts {found.artifacts_bytes / 1e6:.0f} MB, library"
        f" {found.library_bytes / 1e6:.0f} MB; {found.free_bytes / 1e9:.1f} GB free"
    )
