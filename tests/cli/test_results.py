from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelremix.cli.diagnostics import Exit
from reelremix.cli.results import Report
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.jobs.films import ClipResult
from tests.engine.examples import MANIFEST

NAME = f"01-{'a-name-that-is-long-' * 9}.mp4"


def shown(capsys: pytest.CaptureFixture[str], *videos: str | None) -> list[str]:
    """The lines about a run that left these films."""
    manifest = manifest_to_dict(MANIFEST)
    example = manifest["clips"][0]
    manifest["clips"] = [with_video(example, rank, name) for rank, name in enumerate(videos, 1)]
    Report("talk.mp4", Exit.OK, ClipResult(Path("clips/talk"), manifest, 0)).show()
    return capsys.readouterr().out.splitlines()


def with_video(clip: dict[str, Any], rank: int, name: str | None) -> dict[str, Any]:
    return {**clip, "rank": rank, "files": {**clip["files"], "video": name}}


def test_every_film_can_be_copied_from_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(capsys, NAME, "02-b.mp4")
    assert lines[-3:] == [f"clips/talk/{NAME}", "clips/talk/02-b.mp4", "clips/talk/index.html"]
    assert not any("not rendered" in line for line in lines)


def test_clips_that_were_not_rendered_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, None, "02-b.mp4", None)
    assert [line.split()[0] for line in lines if "not rendered" in line] == ["1", "3"]
    assert lines[-2:] == ["clips/talk/02-b.mp4", "clips/talk/index.html"]
