from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from reelremix.engine.domain.clip import Clip, OutputFormat, Shown, Verdict
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.verify import verify, with_shown
from tests.fakes import clip_of, presented
from tests.media_factory import (
    BLACK,
    Film,
    Solid,
    Sound,
    cut_short,
    sound_of,
    tone,
    write_media,
)

OUTPUT = OutputFormat(180, 320, Fraction(25))
LOUD = sound_of(tone(2, 997, 0.2))
"""A tone as loud as films should be."""


def film(folder: Path, sound: Sound | None = LOUD, **more: object) -> Path:
    pictures = Film(**{"frames": 50, "size": (180, 320), **more})  # type: ignore[arg-type]
    return write_media(folder / "a.mp4", pictures, *([sound] if sound else []))


def clip(path: Path, **more: object) -> Clip:
    return clip_of(presented(path), 0, 2, OUTPUT, **more)


def judged(path: Path, decided: Clip | None = None, *, expects_audio: bool = True) -> Verdict:
    return verify(path, decided or clip(path), expects_audio=expects_audio)


def said(*spans: tuple[float, float]) -> tuple[Word, ...]:
    return tuple(Word(f"word{n}", TimeRange.from_seconds(*s)) for n, s in enumerate(spans))


def test_a_good_film_has_no_notes(tmp_path: Path) -> None:
    verdict = judged(film(tmp_path))
    assert verdict == replace(verdict, ok=True, notes=(), shown=Shown())
    assert verdict.loudness_lufs == pytest.approx(-14, abs=0.5)
    assert verdict.true_peak_dbtp == pytest.approx(-14, abs=2)  # AAC overshoots at the start


def test_what_a_plan_shows_is_added_to_what_its_film_is() -> None:
    film = Verdict(False, None, None, notes=("is silent",))
    assert with_shown(film, Shown(0.97)) == replace(film, shown=Shown(0.97))
    added = with_shown(replace(film, ok=True, notes=()), Shown(0.5))
    assert added.notes == ("shows its speaker only 50% of the time",) and not added.ok


Make = Callable[[Path], Path]
WRONG: dict[str, Make] = {
    "is 160x320 instead of 180x320": lambda d: film(d, size=(160, 320)),
    "its picture ends at 1.00 s instead of 2.00 s": lambda d: film(d, frames=25),
    "its sound ends at 1.0": lambda d: film(d, sound_of(tone(1, 997, 0.2))),
    "has no sound": lambda d: film(d, None),
    "is silent": lambda d: film(d, sound_of(tone(2, level=0.0))),
    "is too loud": lambda d: film(d, sound_of(tone(2, 997, 0.5))),
    "is too quiet": lambda d: film(d, sound_of(tone(2, 997, 0.05))),
    "peaks at": lambda d: film(d, sound_of(tone(2, 997, 0.99))),
    "is black": lambda d: film(d, paint=Solid(BLACK)),
}


@pytest.mark.parametrize("note", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, note: str) -> None:
    path = WRONG[note](tmp_path)
    decided = clip_of(presented(film(tmp_path)), 0, 2, OUTPUT)
    verdict = judged(WRONG[note](tmp_path), decided)
    assert path.exists() and not verdict.ok
    assert any(note in found for found in verdict.notes), verdict.notes


def test_a_film_that_cannot_be_opened_is_not_ok(tmp_path: Path) -> None:
    whole = film(tmp_path)
    verdict = judged(cut_short(whole, tmp_path / "b.mp4", 0.3), clip(whole))
    assert not verdict.ok
    assert "cannot be reopened" in verdict.notes[0]


def test_sound_is_not_missed_where_there_was_none(tmp_path: Path) -> None:
    assert judged(film(tmp_path, None), expects_audio=False).ok


def test_a_first_word_in_silence_is_missed(tmp_path: Path) -> None:
    path = film(tmp_path, sound_of(tone(1, 997, 0.2), Fraction(1)))
    assert judged(path, clip(path, words=said((1.2, 1.5), (1.6, 1.9)))).ok
    verdict = judged(path, clip(path, words=said((0.2, 0.6), (1.2, 1.6))))
    assert verdict.notes == ("its first word, “word0”, cannot be heard",)


def test_a_last_word_in_silence_is_missed(tmp_path: Path) -> None:
    path = film(
        tmp_path, Sound(((Fraction(0), tone(1, 997, 0.2)), (Fraction(1), tone(1, level=0.0))))
    )
    verdict = judged(path, clip(path, words=said((0.2, 0.6), (1.4, 1.8))))
    assert verdict.notes == ("its last word, “word1”, cannot be heard",)


def test_words_too_short_to_tell_are_not_missed(tmp_path: Path) -> None:
    path = film(tmp_path, sound_of(tone(1, 997, 0.2), Fraction(1)))
    assert judged(path, clip(path, words=said((0.2, 0.25), (1.2, 1.6)))).ok


def test_words_are_looked_for_where_their_range_lies_in_the_film(tmp_path: Path) -> None:
    path = film(
        tmp_path, Sound(((Fraction(0), tone(1, 997, 0.2)), (Fraction(1), tone(1, level=0.0))))
    )
    ranges = (TimeRange.from_seconds(100, 101), TimeRange.from_seconds(50, 51))
    words = said((100.2, 100.6), (50.2, 50.6))
    verdict = judged(path, clip(path, ranges=ranges, words=words))
    assert verdict.notes == ("its last word, “word1”, cannot be heard",)
