from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Word
from reelremix.engine.models.speech import Speech
from reelremix.engine.models.whisper import Hearing, LanguageGuess
from reelremix.engine.stages.ends import APART_S, END_S, Ends, Said, compared, hear_ends, read_ends
from tests.fakes import clip_of, presented, run_context
from tests.media_factory import sound_of, tone, write_media

OPTIONS = TranscribeOptions()


@dataclass
class Reads:
    """`Transcriber` that hears one given sentence in each end."""

    sentences: tuple[str, ...]
    early_s: float = 0.0
    """So much before it is said does the first word of a sentence begin."""
    length_s: float = 0.0
    identity: str = "reads"
    name: str = "reads"
    device: str = "cpu"

    def prepare(self) -> None:
        """Nothing to load."""

    def transcribe(
        self, speech: Speech, language: str | None, options: TranscribeOptions, *, goes_on: bool
    ) -> Hearing:
        """Its sentences, one an end."""
        self.length_s = len(speech) / 16_000
        return Hearing(LanguageGuess("en", 1.0), len(speech), self._segments())

    def _segments(self) -> Iterator[Segment]:
        for n, sentence in enumerate(self.sentences):
            texts, start = sentence.split(), n * (END_S + APART_S)
            words = tuple(
                Word(text, TimeRange.from_seconds(start + k * 0.3, start + k * 0.3 + 0.3))
                for k, text in enumerate(texts)
            )
            if words:
                begins = TimeRange.from_seconds(max(0, start - self.early_s), start + 0.3)
                words = (replace(words[0], range=begins), *words[1:])
                yield Segment(TimeRange.from_seconds(start, start + 3), sentence, words)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_media(tmp_path / "a.mp4", None, sound_of(tone(10.0)))


def said(film: Path, *texts: str) -> Clip:
    words = tuple(Word(t, TimeRange.from_seconds(n, n + 1)) for n, t in enumerate(texts))
    return replace(clip_of(presented(film), 0, 10), words=words)


def heard(film: Path, clip: Clip, *sentences: str) -> Ends:
    ctx = run_context()
    [said] = hear_ends([read_ends(film, clip, ctx)], Reads(sentences), "en", OPTIONS, ctx)
    return compared(said, clip.words)


def test_a_film_that_begins_and_ends_with_its_words_is_right(film: Path) -> None:
    clip = said(film, "So,", "this", "is", "it.")
    assert heard(film, clip, "so this is", "and this is it") == Ends(True, True)


def test_a_first_word_that_was_cut_off_is_missed(film: Path) -> None:
    clip = said(film, "Printing", "differs", "much")
    assert heard(film, clip, "differs from most arts", "differs much") == Ends(False, True)


def test_a_last_word_that_was_cut_off_is_missed(film: Path) -> None:
    clip = said(film, "Printing", "differs", "exhibition")
    assert heard(film, clip, "printing differs", "represented in the") == Ends(True, False)


def test_a_word_that_is_nearly_heard_is_heard(film: Path) -> None:
    clip = said(film, "Writing", "twenty-one")
    assert heard(film, clip, "riding a horse", "twenty one") == Ends(True, True)


def test_where_nothing_is_heard_nothing_is_said(film: Path) -> None:
    assert heard(film, said(film, "Hm.", "hm"), "", "") == Ends(None, None)


def test_a_masked_word_is_not_looked_for(film: Path) -> None:
    assert heard(film, said(film, "d***", "it"), "beep it", "it") == Ends(None, True)


def test_several_films_are_heard_in_one_go(film: Path) -> None:
    ctx, reader = run_context(), Reads(("one", "two", "three", "none"))
    sounds = [read_ends(film, said(film, "any"), ctx)] * 2
    assert hear_ends(sounds, reader, "en", OPTIONS, ctx) == [
        Said(("one",), ("two",)), Said(("three",), ("none",)),
    ]  # fmt: skip
    assert reader.length_s == pytest.approx(4 * (END_S + APART_S), abs=0.2)


def test_a_first_word_that_reaches_back_into_the_silence_is_not_of_the_film_before(
    film: Path,
) -> None:
    ctx, reader = run_context(), Reads(("one", "two", "three four", "none"), early_s=0.9)
    sounds = [read_ends(film, said(film, "any"), ctx)] * 2
    assert hear_ends(sounds, reader, "en", OPTIONS, ctx)[1].first == ("three", "four")
