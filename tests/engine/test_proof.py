from __future__ import annotations

from collections.abc import Callable
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
from reelremix.engine.models.speech import Speech
from reelremix.engine.models.whisper import Hearing, ModelChoice
from reelremix.engine.proof import Ears
from tests.engine.stages.test_ends import Reads
from tests.fakes import Recorder, clip_of, presented, run_context
from tests.media_factory import sound_of, tone, write_media


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    film = write_media(tmp_path / "a.mp4", None, sound_of(tone(6.0)))
    words = tuple(Word(t, TimeRange.from_seconds(n, n + 1)) for n, t in enumerate(("so", "there")))
    return replace(clip_of(presented(film), 0, 6), words=words)


def rendered(clip: Clip, name: str = "a.mp4") -> Rendered:
    return Rendered(clip.id, name, None, None, 0.0, Verdict(True, -14.0, -2.0))


def judged(clip: Clip, folder: Path, ctx: RunContext) -> Verdict:
    ears = Ears("en", TranscribeOptions(), ctx)
    after = ears.judged([clip], {clip.id: rendered(clip)}, folder)
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


def test_words_that_were_trimmed_away_are_not_missed(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading(monkeypatch, "there", "there")
    trimmed = replace(clip, ranges=(TimeRange.from_seconds(1, 6),))
    found = judged(trimmed, tmp_path, run_context())
    assert (found.first_word_heard, found.last_word_heard) == (True, True)


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


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"no film")])
def test_a_film_that_cannot_be_read_stays_unknown_and_the_others_are_heard(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], object]
) -> None:
    reading(monkeypatch, "so", "there")
    recorder, other = Recorder(), replace(clip, id="other")
    spoil(write_media(tmp_path / "b.mp4", None, sound_of(tone(2.0))))
    before = {c.id: rendered(c, name) for c, name in ((other, "b.mp4"), (clip, "a.mp4"))}
    ctx = run_context(reporter=recorder)
    after = Ears("en", TranscribeOptions(), ctx).judged([other, clip], before, tmp_path)
    assert after[other.id] == before[other.id]
    assert after[clip.id].verdict == Verdict(True, -14.0, -2.0, first_word_heard=True,
                                             last_word_heard=True)  # fmt: skip
    [told] = [e.message for e in recorder.events if isinstance(e, Warned)]
    assert "the ends of b.mp4 were not heard" in told


def test_a_word_that_is_missed_in_haste_is_listened_for_with_care(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording heard without care is not heard twice, since it would be heard the same."""
    asked: list[int] = []

    class Hasty(Reads):
        def transcribe(
            self, speech: Speech, language: str | None, options: TranscribeOptions, *, goes_on: bool
        ) -> Hearing:
            asked.append(options.beam_size)
            self.sentences = ("so", "there" if options.beam_size > 1 else "nothing")
            return super().transcribe(speech, language, options, goes_on=goes_on)

    choice = ModelChoice(Hasty(()), "fake", None)
    monkeypatch.setattr(proof, "choose_whisper", lambda *_: choice)
    ctx = run_context()
    assert judged(clip, tmp_path, ctx).ok and judged(clip, tmp_path, ctx).ok
    assert asked == [1, TranscribeOptions().beam_size]
    before = {clip.id: rendered(clip)}
    careless = Ears("en", TranscribeOptions(beam_size=1), ctx)
    found = careless.judged([clip], before, tmp_path)[clip.id].verdict
    assert found is not None and not found.ok and asked[2:] == [1]


def test_other_words_are_compared_with_what_was_heard_before(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = run_context()
    reading(monkeypatch, "so", "there")
    assert judged(clip, tmp_path, ctx).ok
    reading(monkeypatch, "nothing", "nothing")
    mended = replace(clip, words=(clip.words[0], replace(clip.words[1], text="purple")))
    found = judged(mended, tmp_path, ctx)
    assert (found.first_word_heard, found.last_word_heard) == (True, False)


@pytest.mark.parametrize(
    ("language", "options"),
    [("de", TranscribeOptions()), ("en", TranscribeOptions(vocabulary=("there",))),
     ("en", TranscribeOptions(beam_size=1))],
)  # fmt: skip
def test_a_film_is_heard_again_in_another_language_and_with_other_options(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    language: str, options: TranscribeOptions,
) -> None:  # fmt: skip
    ctx = run_context()
    reading(monkeypatch, "so", "purple boxes")
    assert not judged(clip, tmp_path, ctx).ok
    reading(monkeypatch, "so", "there")
    before = {clip.id: rendered(clip)}
    found = Ears(language, options, ctx).judged([clip], before, tmp_path)[clip.id].verdict
    assert found is not None and found.ok


def test_without_a_recogniser_it_stays_unknown_and_is_told(clip: Clip, tmp_path: Path) -> None:
    recorder = Recorder()
    ctx = run_context(reporter=recorder)
    Ears("en", TranscribeOptions(), ctx).prepare()
    assert not recorder.events
    found = judged(clip, tmp_path, ctx)
    assert found.ok and found.first_word_heard is None
    assert any(isinstance(e, Warned) and "not heard" in e.message for e in recorder.events)
