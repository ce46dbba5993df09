"""Whether the choice still agrees with editors, where their picks are at hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.select import select_clips


@pytest.fixture
def transcripts(shared: Path) -> Path:
    """The folder of transcripts with editors' picks."""
    folder = shared / "transcripts"
    if not folder.is_dir():
        pytest.skip(f"no transcripts with picks in {folder}")
    return folder


def ten_best(path: Path) -> tuple[Candidate, ...]:
    transcript = read_transcript(path)
    sentences = split_sentences(transcript)
    candidates = score_candidates(propose_candidates(sentences, 15, 90), sentences, transcript)
    return select_clips(candidates, 10, language=transcript.language).chosen


def picks(folder: Path, name: str) -> list[TimeRange]:
    files = sorted((folder / "picks").glob(f"*/{name}.json"))
    clips = [c["range_s"] for f in files for c in json.loads(f.read_text())["clips"]]
    return [TimeRange.from_seconds(*c) for c in clips]


@pytest.mark.slow
def test_the_choice_agrees_with_editors_far_above_chance(transcripts: Path) -> None:
    hits = []
    for path in sorted(transcripts.glob("*.json"))[::8]:
        chosen = ten_best(path)
        assert len(chosen) == 10
        assert all(a.range.iou(b.range) < 0.3 for a, b in combinations(chosen, 2))
        liked = picks(transcripts, path.stem)
        hits += [any(c.range.iou(p) >= 0.3 for p in liked) for c in chosen]
    assert sum(hits) / len(hits) > 0.33
