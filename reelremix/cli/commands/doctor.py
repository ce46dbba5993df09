"""`reelremix doctor`: what is here, what is missing, and what to type."""

from __future__ import annotations

import typer

from reelremix.cli import options, output
from reelremix.cli.diagnostics import Exit
from reelremix.cli.run import CommandRun


def doctor(as_json: options.Json = False) -> None:
    """Check FFmpeg, encoders, GPU, models, captions and paths."""
    from reelremix.engine.checkup import check_machine

    findings = check_machine(CommandRun().settings)
    if as_json:
        output.show_json({"version": 1, "findings": [
            {"name": f.name, "ok": f.is_ok, "detail": f.detail, "hint": f.hint,
             "required": f.is_required} for f in findings
        ]})  # fmt: skip
    else:
        columns = [("", "left"), ("check", "left"), ("found", "wrap"), ("to do", "wrap")]
        output.show_table(columns, [
            ("ok" if f.is_ok else ("!!" if f.is_required else "--"), f.name, f.detail,
             f.hint or "") for f in findings
        ])  # fmt: skip
    if any(f.is_required and not f.is_ok for f in findings):
        raise typer.Exit(Exit.MODEL)
