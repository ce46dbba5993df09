"""Cues of whole paragraphs, as readable decisions: what stands on which line, from when to when.

`python -m tests.engine.stages.test_cues_golden` writes them anew, to be read before they are kept.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.spacing import join_words, split_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.caption import legible, plan_captions
from tests.conftest import REPOSITORY

FILE = REPOSITORY / "tests" / "golden" / "cues.json"
PORTRAIT = OutputFormat(1080, 1920, Fraction(25))
TOLERANCE_S = 0.001
PARAGRAPHS = {
    "talk": (
        "bold",
        "So when I moved to New York in 2019, I had 500 dollars, no job and one phone number. "
        "Dr. Smith picked up. He said: you start on Monday! And that was it. "
        "Within three years we grew to 5 million users, about 40 % of them in San Francisco.",
    ),
    "fast": (
        "impact",
        "you know what I mean like it just kept going and going and going until nobody could stop",
    ),
    "german": (
        "clean",
        "Das ist die Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten"
        "gesellschaft in Wien, und Frau Dr. Müller hat dort 12 Jahre gearbeitet.",
    ),
    "japanese": ("bold", "今日は良い天気ですね。明日は東京に行きますが、あなたはどうしますか。"),
    "thai": ("bold", "วันนี้อากาศดีมากพรุ่งนี้เราจะไปกรุงเทพด้วยกันนะครับ"),
    "arabic": ("bold", "اشترينا 3 ملايين سهم من شركة Apple في عام 2024 ثم بعناها كلها."),
}


def words_of(text: str) -> tuple[Word, ...]:
    """Words as long as their letters take, with a breath after each sentence."""
    words: list[Word] = []
    at = Fraction(1)
    for part in split_words(text):
        length = Fraction(6 + 4 * min(len(part), 14), 100)
        words.append(Word(part, TimeRange.from_seconds(at, at + length)))
        ends = part[-1] in ".!?。" and part != "Dr."
        at += length + Fraction(70 if ends else 2, 100)
    return legible(words)


def decided(name: str) -> list[dict[str, Any]]:
    preset, text = PARAGRAPHS[name]
    words = words_of(text)
    within = TimeRange.from_seconds(0, words[-1].range.end_s + 1)
    return [
        {
            "start_s": round(cue.range.start_s, 3),
            "end_s": round(cue.range.end_s, 3),
            "lines": [join_words(words[i].text for i in line) for line in cue.lines],
            **({"keywords": [words[i].text for i in cue.keywords]} if cue.keywords else {}),
        }
        for cue in plan_captions(words, (within,), PORTRAIT, preset).cues
    ]


@pytest.mark.parametrize("name", PARAGRAPHS)
def test_paragraphs_are_cut_as_they_were(name: str) -> None:
    golden = json.loads(FILE.read_text("utf-8"))[name]
    now = decided(name)
    assert [c["lines"] for c in now] == [c["lines"] for c in golden]
    assert [c.get("keywords") for c in now] == [c.get("keywords") for c in golden]
    for cue, was in zip(now, golden, strict=True):
        assert cue["start_s"] == pytest.approx(was["start_s"], abs=TOLERANCE_S)
        assert cue["end_s"] == pytest.approx(was["end_s"], abs=TOLERANCE_S)


def write() -> None:
    """Write the decisions anew."""
    content = {name: decided(name) for name in PARAGRAPHS}
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    write()
