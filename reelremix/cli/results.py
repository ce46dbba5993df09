"""What came of clipping or rendering one recording, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelremix.cli import diagnostics, output
from reelremix.cli.diagnostics import Exit
from reelremix.errors import NothingToClip, ReelRemixError

if TYPE_CHECKING:
    from reelremix.engine.jobs.films import ClipResult


@dataclass(frozen=True, slots=True)
class Report:
    """A result, or the error in its place."""

    source: str
    code: Exit
    result: ClipResult | None = None
    folder: Path | None = None
    """Where the manifest is, even one without clips."""
    error: ReelRemixError | None = None

    def to_dict(self) -> dict[str, Any]:
        """One entry of `--json`."""
        error = None
        if self.error is not None:
            error = {"message": self.error.message, "hint": self.error.hint}
        return {
            "source": self.source,
            "exit_code": int(self.code),
            "error": error,
            "folder": str(self.folder) if self.folder else None,
            "manifest": self._manifest(),
        }

    def _manifest(self) -> dict[str, Any] | None:
        if self.result is not None:
            return self.result.manifest
        if self.folder is None:
            return None
        from reelremix.engine.export.manifest import FILE_NAME, read_manifest

        return read_manifest(self.folder / FILE_NAME)

    def show(self) -> None:
        """The table of clips, and where they are: a path a line, whole, for copying."""
        if self.result is None:
            return
        clips, folder = self.result.manifest["clips"], self.result.folder
        is_tight = any(clip.get("tightened") for clip in clips)
        is_flagged = any(_notes(clip) for clip in clips)
        columns = [
            ("#", "right"), ("score", "right"), ("length", "right"),
            *([("shorter by", "wrap")] if is_tight else []), ("title", "wrap"),
            ("why", "wrap"), *([("look again", "wrap")] if is_flagged else []), ("file", "left"),
        ]  # fmt: skip
        rows = [_row(clip, is_tight=is_tight, is_flagged=is_flagged) for clip in clips]
        output.show_table(columns, rows)
        if notice := self.result.manifest.get("notice"):
            diagnostics.say(notice)
        for name in [clip["files"]["video"] for clip in clips] + ["index.html"]:
            if name:
                output.show_text(str(folder / name))


def attempt(source: str, work: Callable[[], ClipResult]) -> Report:
    """Run and report; errors that users can act on become part of the report."""
    try:
        result = work()
    except ReelRemixError as exc:
        if not isinstance(exc, NothingToClip):
            diagnostics.say_error(exc)
            return Report(source, diagnostics.exit_code(exc), error=exc)
        diagnostics.say_nothing_found(exc)
        return Report(source, diagnostics.exit_code(exc), folder=exc.folder, error=exc)
    return Report(source, Exit.PARTIAL if result.failed else Exit.OK, result, result.folder)


def _row(clip: dict[str, Any], *, is_tight: bool, is_flagged: bool) -> tuple[str, ...]:
    from reelremix.engine.export.cuts import cuts_told

    reasons = clip["score"]["reasons"]
    why = reasons[0]["text"] if reasons else ("range as given" if _is_given(clip) else "–")
    if match := clip.get("match"):
        why = f'says "{match["quote"]}"; {why}'
    seconds = sum(end - start for start, end in clip["ranges"])
    return (
        str(clip["rank"]),
        output.percent(clip["score"]["total"]),
        f"{seconds:.1f} s",
        *([cuts_told(clip.get("tightened")) or "–"] if is_tight else []),
        clip["title"],
        why,
        *(["; ".join(_notes(clip)) or "–"] if is_flagged else []),
        clip["files"]["video"] or "not rendered",
    )


def _notes(clip: dict[str, Any]) -> list[str]:
    """What was found wrong with the film."""
    return list((clip.get("verdict") or {}).get("notes") or ())


def _is_given(clip: dict[str, Any]) -> bool:
    return all(value is None for value in clip["score"]["axes"].values())
