"""What is left of sentences reads like sentences."""

from __future__ import annotations

import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.mend import mended


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("We (um,) went home.", "We went home."),
        ("(Um,) we won.", "We won."),
        ("It rained. (Uh, so) we left.", "It rained. We left."),
        ("And, (um,) we won.", "And we won."),
        ("In Rome, (um,) we won.", "In Rome, we won."),
        ("We tried, (you know.) Then we left.", "We tried. Then we left."),
        ("We tried (um...) Then", "We tried. Then"),
        ("He left. (Um.) Then", "He left. Then"),
        ("iPhone (um) first", "iPhone first"),
        ("(um) iPhone first", "iPhone first"),
    ],
)
def test_a_sentence_keeps_its_capital_its_commas_and_its_end(said: str, left: str) -> None:
    words, gone, inside = [], set(), False
    for index, token in enumerate(said.split()):
        inside = inside or token.startswith("(")
        if inside:
            gone.add(index)
        words.append(Word(token.strip("()"), TimeRange.from_seconds(index, index + 1)))
        inside = inside and ")" not in token
    assert " ".join(word.text for word in mended(words, gone, {"and", "so"})) == left


def test_nothing_said_and_nothing_gone_is_as_it_was() -> None:
    assert mended((), set(), set()) == ()
    words = (Word("so,", TimeRange.from_seconds(0, 1)),)
    assert mended(words, set(), {"so"}) == words
    assert mended(words, {0}, {"so"}) == ()
