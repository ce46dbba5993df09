from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelremix.cli.diagnostics import Exit
from reelremix.cli.results import Report
from reelremix.engine.jobs.films import ClipResult


def clip(rank: int, *notes: str) -> dict[str, Any]:
    score: dict[str, Any] = {"total": None, "axes": {}, "reasons": []}
    verdict = {"ok": not notes, "notes": list(notes)}
    return {"rank": rank, "score": score, "ranges": [[0, 20]], "title": f"Clip {rank}",
            "files": {"video": f"{rank}.mp4"}, "verdict": verdict}  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], *clips: dict[str, Any]) -> str:
    result = ClipResult(Path("clips"), {"clips": list(clips)}, 0)
    Report("a.mp4", Exit.OK, result, result.folder).show()
    return capsys.readouterr().out


def test_what_is_wrong_with_a_clip_stands_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, clip(1), clip(2, "is silent"))
    assert "look again" in out and "is silent" in out


def test_clips_that_are_right_need_no_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert "look again" not in shown(capsys, clip(1), clip(2))
