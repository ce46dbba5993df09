"""How long cues of real speech stand and how fast they must be read, style by style.

python benchmarks/cues.py [TRANSCRIPTS]

Podcast transcripts in `transcripts` and word times in `speech/references.json` of the recordings
kept beside the repository.
A cue is too short or too fast through no fault of the speech where the whole stretch between two
pauses is slow enough to be read.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from measuring import SHARED, keep, needs, show

from reelremix.engine.captions.lines import MOST_CHARS_A_S, PAUSE_S, SHORTEST_S
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.stages.caption import legible, plan_captions

OUTPUT = OutputFormat(1080, 1920, Fraction(25))
STYLES = ("bold", "clean", "impact")
ROUNDING_S = 0.001


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    speech = [*_references(), *_podcasts(most)]
    results = {style: _measured(style, speech) for style in STYLES}
    rows = [
        (style, r["cues"], f"{r['median_s']:.2f}", f"{r['p95_chars_a_s']:.1f}",
         f"{r['short']:.2%}", f"{r['fast']:.2%}", r["short_avoidable"], r["fast_avoidable"])
        for style, r in results.items()
    ]  # fmt: skip
    show(
        "Cues of real speech",
        ["style", "cues", "median s", "p95 chars/s", "< 0.3 s", "> 21 chars/s",
         "short, speech is not", "fast, speech is not"],
        rows,
    )  # fmt: skip
    keep("cues", {"recordings": len(speech), "styles": results})


def _references() -> Iterator[tuple[Word, ...]]:
    """Recordings whose word times are known."""
    path = needs(SHARED / "speech" / "references.json")
    for entry in json.loads(path.read_text(encoding="utf-8")):
        timed = [(w["word"], w["start_sec"], w["end_sec"]) for w in entry.get("words", ())]
        aligned = entry.get("alignment", {}).get("w", ())
        timed += [(w["t"], w["b"], w["b"] + w["d"]) for w in aligned if w["t"][0] not in "<["]
        if timed:
            yield tuple(Word(text, TimeRange.from_seconds(a, b)) for text, a, b in timed)


def _podcasts(most: int) -> Iterator[tuple[Word, ...]]:
    for path in sorted(needs(SHARED / "transcripts").glob("*.json"))[:most]:
        yield read_transcript(path).timed_words


def _measured(style: str, speech: Sequence[tuple[Word, ...]]) -> dict[str, Any]:
    lengths: list[float] = []
    speeds: list[float] = []
    short = fast = 0
    for given in speech:
        words = legible(given)
        whole = TimeRange.from_seconds(0, words[-1].range.end_s + 1)
        slow = _slow_words(words)
        for cue in plan_captions(words, (whole,), OUTPUT, style).cues:
            indexes = [i for line in cue.lines for i in line]
            length = max(cue.range.duration_s, ROUNDING_S)
            chars = len(join_words(words[i].text for i in indexes))
            lengths.append(length)
            speeds.append(chars / length)
            short += length < SHORTEST_S - ROUNDING_S and indexes[0] in slow
            fast += chars / length > MOST_CHARS_A_S * 1.01 and indexes[0] in slow
    ranked = sorted(speeds)
    return {
        "cues": len(lengths),
        "median_s": round(statistics.median(lengths), 3),
        "p95_chars_a_s": round(ranked[int(0.95 * len(ranked))], 2),
        "short": round(sum(t < SHORTEST_S - ROUNDING_S for t in lengths) / len(lengths), 4),
        "fast": round(sum(s > MOST_CHARS_A_S * 1.01 for s in speeds) / len(speeds), 4),
        "short_avoidable": short,
        "fast_avoidable": fast,
    }


def _slow_words(words: Sequence[Word]) -> set[int]:
    """Words of stretches between pauses or voices that can be read as fast as they are said."""
    slow: set[int] = set()
    start = 0
    for end in range(1, len(words) + 1):
        if end == len(words) or _is_apart(words[end - 1], words[end]):
            spoken = float(words[end - 1].range.end.exact - words[start].range.start.exact)
            chars = len(join_words(word.text for word in words[start:end]))
            if spoken >= SHORTEST_S and chars <= MOST_CHARS_A_S * spoken:
                slow |= set(range(start, end))
            start = end
    return slow


def _is_apart(left: Word, right: Word) -> bool:
    changes = None not in (left.speaker, right.speaker) and left.speaker != right.speaker
    return changes or right.range.start.exact - left.range.end.exact > PAUSE_S


if __name__ == "__main__":
    main()
