"""Who was told of which job is known after the end of the process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.daemon.told_jobs import MOST, ToldJobs
from reelremix.engine.domain.job import JobRecord

JOB = JobRecord(id="a" * 32, kind="clip", name="talk.mp4", request={}, created_at=0.0)


def test_what_was_told_is_known_to_the_next_process(tmp_path: Path) -> None:
    ToldJobs(tmp_path / "told.json").add(JOB)
    again = ToldJobs(tmp_path / "told.json")
    assert again.has(JOB) and not again.has(replace(JOB, attempt=2))


@pytest.mark.parametrize("text", ["", "{", "3", "null"])
def test_a_damaged_file_tells_once_more(tmp_path: Path, text: str) -> None:
    (tmp_path / "told.json").write_text(text)
    told = ToldJobs(tmp_path / "told.json")
    assert not told.has(JOB)
    told.add(JOB)
    assert ToldJobs(tmp_path / "told.json").has(JOB)


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    told = ToldJobs(tmp_path / "told.json")
    for number in range(3):
        told.add(replace(JOB, id=str(number)))
    told._told = dict.fromkeys([*told._told, *(f"x{n}:1" for n in range(MOST))])
    told.add(JOB)
    again = ToldJobs(tmp_path / "told.json")
    assert again.has(JOB) and not again.has(replace(JOB, id="0"))


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = ToldJobs(tmp_path / "file" / "told.json")
    told.add(JOB)
    assert told.has(JOB)
