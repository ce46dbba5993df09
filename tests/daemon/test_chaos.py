"""Killed again and again, the daemon ends with what an undisturbed one makes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conftest import Models
from tests.daemon.chaos import Chaos, cut_sources

SOURCES = 2
KILLS = [signal.SIGKILL] * 5


@pytest.mark.slow
@pytest.mark.alone
def test_a_daemon_that_is_killed_loses_and_repeats_nothing(
    shared: Path, installed_models: Models, tmp_path: Path
) -> None:
    models = installed_models("tiny.en", "minilm", "yamnet", "campplus")
    recording = shared / "media" / "panel_dev_720p.mp4"
    sources = cut_sources(recording, tmp_path / "sources", SOURCES)
    chaos = Chaos(sources, tmp_path, str(models), seed=7)
    wanted = chaos.undisturbed()
    assert all(end["state"] == "succeeded" for end in wanted.values())
    outcome = chaos.disturbed(KILLS, wanted, pause_s=3.0)
    assert outcome.is_clean, outcome
    assert outcome.ends == len(KILLS)
    films = chaos.films()
    found = chaos.unrecorded()
    assert {"begin", "hear", "decide", "film", "finish"} == {step for step, _ in found}
    assert chaos.results("disturbed") == wanted
    assert chaos.films() == films and chaos.computed_twice() == []
