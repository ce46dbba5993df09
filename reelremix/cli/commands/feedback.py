"""`reelremix feedback`: what you keep, what you drop, and what comes of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun, listener_for
from reelremix.errors import ConfigError

if TYPE_CHECKING:
    from reelremix.engine.adapting import Standing
    from reelremix.engine.feedback import Import
    from reelremix.engine.stages.learning import Measured

feedback_app = typer.Typer(
    help="Say which clips are good; the ranking learns from it on this machine.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Clips = Annotated[
    list[str],
    typer.Argument(
        metavar="CLIP...",
        help="Clip ids or their beginnings, files of clips, or FOLDER#RANK.",
        show_default=False,
    ),
]

PLATFORMS = {"youtube": "YouTube", "tiktok": "TikTok", "other": "a platform"}


@feedback_app.command()
def keep(
    clips: Clips,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Say that clips are good. The last decision about a clip counts."""
    _decide(clips, progress, keep=True, as_json=as_json, quiet=quiet)


@feedback_app.command()
def drop(
    clips: Clips,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Say that clips are not worth keeping. Their files stay."""
    _decide(clips, progress, keep=False, as_json=as_json, quiet=quiet)


@feedback_app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A CSV from YouTube Studio or TikTok.", show_default=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be recorded.")
    ] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Learn from how published clips did: views and how long people watched."""
    run = CommandRun()
    job = partial(run.library.import_results, file, dry_run=dry_run)
    found, standing = run.job(job, listener_for(progress, quiet=quiet))
    if as_json:
        learning = _standing(standing) if standing else None
        output.show_json({"version": 1, "dry_run": dry_run, **_found(found), "learning": learning})
    else:
        _show_import(found, dry_run=dry_run)
        if standing:
            output.show_text(_outcome(standing))
    if not found.results:
        diagnostics.say_warning(
            f"{file.name} has no rows"
            if not found.rows
            else f"no row of {file.name} with a result names a clip of the library",
            "rows are matched by a clip's title, file name or id in the title of the video",
        )
        raise typer.Exit(diagnostics.Exit.PARTIAL)


@feedback_app.command()
def status(
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Show what was decided, and whether a ranking of your own is in use and why."""
    run = CommandRun()
    standing = run.job(run.library.feedback_standing, listener_for(progress, quiet=quiet))
    if as_json:
        output.show_json({"version": 1, **_standing(standing)})
        return
    _show_standing(standing)


@feedback_app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Forget what was learned: no decision so far counts any more. Clips and files stay."""
    run = CommandRun()
    listener = listener_for(progress, quiet=quiet)
    before = run.job(run.library.feedback_standing, listener)
    forgotten = f"{before.kept} kept, {before.dropped} dropped and {before.imported} imported clips"
    if before.learned.is_adopted:
        forgotten += ", and your own ranking"
    if not yes and not _agrees(forgotten):
        raise typer.Exit(diagnostics.Exit.OK)
    standing = run.job(run.library.reset_feedback, listener)
    if as_json:
        output.show_json({"version": 1, "forgotten": _counts(before), **_standing(standing)})
        return
    output.show_text(f"forgot {forgotten}; the shipped ranking ranks")


def _decide(
    clips: list[str], progress: str | None, *, keep: bool, as_json: bool, quiet: bool
) -> None:
    run = CommandRun()
    job = partial(run.library.decide, clips, keep=keep)
    decided = run.job(job, listener_for(progress, quiet=quiet))
    word = "kept" if keep else "dropped"
    if as_json:
        rows = [{"id": c.id, "title": c.title, "source": c.source_id} for c in decided.clips]
        learning = _standing(decided.standing)
        output.show_json({"version": 1, "decision": word, "clips": rows, "learning": learning})
        return
    lines = [f"{word} {diagnostics.one_line(clip.title)} ({clip.id})" for clip in decided.clips]
    output.show_text("\n".join([*lines, _outcome(decided.standing)]))


def _agrees(forgotten: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(
            f"`feedback reset` forgets {forgotten}, which needs a yes", hint="`--yes` says so"
        )
    diagnostics.say(f"Forget {forgotten}? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _outcome(standing: Standing) -> str:
    """What came of learning, in one line."""
    learned = standing.learned
    if learned.is_adopted:
        return f"your own ranking is in use, learned from {learned.decisions} decisions"
    return f"the shipped ranking stays; yours is not used, because {learned.why_not}"


def _show_standing(standing: Standing) -> None:
    learned = standing.learned
    rows = [("kept", str(standing.kept)), ("dropped", str(standing.dropped)),
            ("imported results", str(standing.imported)),
            ("learned from", f"{learned.decisions} on {learned.sources} recordings")]  # fmt: skip
    rows += [("left out", f"{number} {reason}") for reason, number in standing.left_out]
    for name, measured in (("shipped", learned.shipped), ("yours", learned.personal)):
        if measured is not None:
            rows.append((f"held out, {name}", _figures(measured)))
    if learned.confidence is not None:
        rows.append(("yours is better in", f"{100 * learned.confidence:.0f} % of samples"))
    rows.append(("ranking", _outcome(standing)))
    rows += [("your taste", text) for text in standing.taste]
    output.show_table([("feedback", "left"), ("", "wrap")], rows)


def _figures(measured: Measured) -> str:
    auc = "unknown" if measured.auc is None else f"{measured.auc:.2f}"
    return f"log loss {measured.log_loss:.3f}, area under the curve {auc}"


def _show_import(found: Import, *, dry_run: bool) -> None:
    if found.results:
        columns = [("clip", "left"), ("title", "wrap"), ("views", "right"), ("watched", "right")]
        output.show_table(columns, [
            (clip.id, clip.title, _number(result["views"]), _share(result["retention"]))
            for clip, result in found.results.values()
        ])  # fmt: skip
    verb = "would record" if dry_run else "recorded"
    lines = [
        f"{found.rows} rows from {PLATFORMS[found.platform]}, {found.encoding}:"
        f" {verb} {found.recorded}, {found.unchanged} known already"
    ]
    counts = (
        (found.duplicates, "about a clip with another row: the one with most views counts"),
        (found.unmatched_rows, "about no clip of the library"),
        (found.ambiguous_rows, "that may mean several clips"),
        (found.damaged, "that could not be read, or say nothing"),
        (found.totals, "of totals"),
    )
    lines += [f"left out: {number} {what}" for number, what in counts if number]
    lines += _sample("no clip", found.unmatched, found.unmatched_rows)
    titles = [f"{title} ({', '.join(ids)})" for title, ids in found.ambiguous]
    lines += _sample("several clips", titles, found.ambiguous_rows)
    if found.ignored_columns:
        lines.append(f"columns not used: {', '.join(found.ignored_columns)}")
    output.show_text("\n".join(map(diagnostics.one_line, lines)))


def _sample(reason: str, titles: list[str], rows: int) -> list[str]:
    more = [f"  and {rows - len(titles)} more"] if rows > len(titles) else []
    return [f"  {reason}: {title}" for title in titles] + more


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.0f} %"


def _found(found: Import) -> dict[str, Any]:
    return {
        "platform": found.platform,
        "encoding": found.encoding,
        "columns": {"used": list(found.used_columns), "ignored": list(found.ignored_columns)},
        "rows": found.rows,
        "recorded": found.recorded,
        "unchanged": found.unchanged,
        "results": [
            {"clip": clip.id, "title": clip.title, **result}
            for clip, result in found.results.values()
        ],
        "left_out": {
            "duplicates": found.duplicates,
            "unmatched": found.unmatched_rows,
            "ambiguous": found.ambiguous_rows,
            "damaged": found.damaged,
            "totals": found.totals,
        },
        "unmatched": found.unmatched,
        "ambiguous": [{"title": title, "clips": list(ids)} for title, ids in found.ambiguous],
    }


def _counts(standing: Standing) -> dict[str, int]:
    return {
        "kept": standing.kept,
        "dropped": standing.dropped,
        "imported": standing.imported,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    learned = standing.learned
    return {
        **_counts(standing),
        "decisions": learned.decisions,
        "sources": learned.sources,
        "left_out": [{"reason": r, "decisions": number} for r, number in standing.left_out],
        "ranker": learned.name,
        "adopted": learned.is_adopted,
        "why_not": learned.why_not,
        "held_out": {
            name: {"log_loss": m.log_loss, "auc": m.auc} if m is not None else None
            for name, m in (("shipped", learned.shipped), ("personal", learned.personal))
        },
        "confidence": learned.confidence,
        "taste": list(standing.taste),
        "learned_at": datetime.fromtimestamp(standing.at, UTC).isoformat(timespec="seconds"),
    }
