from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine import proof
from reelremix.engine.domain.clip import Clip, Rendered, Verdict
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.models.whisper import ModelChoice
from reelremix.engine.proof import with_ends_heard
from tests.engine.stages.test_ends import Reads
from tests.fakes import Recorder, clip_of, presented, run_context
from tests.media_factory import sound_of, tone, write_media


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    film = write_media(tmp_path / "a.mp4", None, sound_of(tone(6.0)))
    words = tuple(Word(t, TimeRange.from_seconds(n, n + 1)) for n, t in enumerate(("so", "there")))
    return replace(clip_of(presented(film), 0, 6), words=words)


def judged(clip: Clip, folder: Path, ctx: RunContext) -> Verdict:
    verdict = Verdict(True, -14.0, -2.0)
    before = {clip.id: Rendered(clip.id, "a.mp4", None, None, 0.0, verdict)}
    after = with_ends_heard([clip], before, folder, "en", TranscribeOptions(), ctx)
    found = after[clip.id].verdict
    assert found is not None
    return found


def reading(monkeypatch: pytest.MonkeyPatch, *sentences: str) -> None:
    choice = ModelChoice(Reads(sentences), "fake", None)
    monkeypatch.setattr(proof, "choose_whisper", lambda *_: choice)


def test_ends_that_are_heard_stand_in_the_verdict(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(monkeypatch, "so", "there")
    found = judged(clip, tmp_path, run_context())
    assert (found.ok, found.first_word_heard, found.last_word_heard) == (True, True, True)


def test_an_end_that_is_not_heard_flags_the_clip(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(monkeypatch, "so", "purple boxes")
    recorder = Recorder()
    found = judged(clip, tmp_path, run_context(reporter=recorder))
    assert not found.ok and found.notes == ("its last word, “there”, is not heard again",)
    assert any(isinstance(e, Warned) and "a.mp4" in e.message for e in recorder.events)


def test_a_film_is_heard_once(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = run_context()
    reading(monkeypatch, "so", "there")
    judged(clip, tmp_path, ctx)
    reading(monkeypatch, "nothing", "nothing")
    assert judged(clip, tmp_path, ctx).ok


def test_without_a_recogniser_it_stays_unknown_and_is_told(clip: Clip, tmp_path: Path) -> None:
    recorder = Recorder()
    found = judged(clip, tmp_path, run_context(reporter=recorder))
    assert found.ok and found.first_word_heard is None
    assert any(isinstance(e, Warned) and "not heard" in e.message for e in recorder.events)
