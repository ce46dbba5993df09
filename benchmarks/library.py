"""How long lists and searches take in a large library: 10 000 sources, 100 000 clips.

The library is made up, the same every time, and kept under `.bench`; words come as often as a
language has them, vectors mean anything. The question's own vector is given: the sentence model is
not timed. The page cache is warm: each call is made once before it is timed.

python benchmarks/library.py [--sources N] [--turns N]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from measuring import SCRATCH, keep, show

from reelremix.engine.domain.candidate import Score
from reelremix.engine.domain.clip import Clip, OutputFormat
from reelremix.engine.domain.context import Decision, FileIdentity
from reelremix.engine.domain.edit import ManifestPlace
from reelremix.engine.domain.rows import ClipFilter, Order, Standing
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.domain.window import Due, Line, Meaning, Window, WindowIndex
from reelremix.engine.searching import Place, look
from reelremix.engine.stages.relevance import Question
from reelremix.engine.stages.windows import packed
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.engine.upkeep.clip_search import nearest_clips

MINUTES, CLIPS, LINES, SIZE = 10, 10, 10, 384
"""Of a source: its length in windows of a minute, its clips; of a window, its sentences; of a
vector, its numbers."""
WORDS_OF_A_MINUTE, WORDS_OF_A_CLIP, VOCABULARY = 150, 90, 50_000
MODEL = "made up"
LIMIT_MS, PAGE = 50, 50
FORM = 3
"""Raise it whenever the library is made otherwise."""


@dataclass
class Talk:
    """Words and meanings of one source."""

    number: int
    words: Any
    """A row a window, sentence and word."""
    vectors: Any

    @property
    def id(self) -> str:
        """As a source's content would give it."""
        return f"{self.number * 2654435761 % 2**32:08x}" + f"{self.number:056x}"


def talks(sources: int) -> Iterator[Talk]:
    """Sources that say words as often as a language does."""
    chance = np.random.default_rng(0)
    likelihood = 1 / np.arange(1, VOCABULARY + 1)
    likelihood /= likelihood.sum()
    each = WORDS_OF_A_MINUTE // LINES
    for number in range(sources):
        vectors = chance.standard_normal((MINUTES, LINES, SIZE)).astype(np.float32)
        words = chance.choice(VOCABULARY, (MINUTES, LINES, each), p=likelihood)
        yield Talk(number, words, vectors)


def windows_of(talk: Talk) -> WindowIndex:
    """What can be found in a source."""
    windows = []
    for minute in range(MINUTES):
        lines = []
        for at in range(LINES):
            terms = tuple(f"w{word}" for word in talk.words[minute, at])
            start_s = minute * 60 + at * 6
            span = TimeRange.from_seconds(start_s, start_s + 6)
            lines.append(Line(" ".join(terms), span, terms))
        own = talk.vectors[minute]
        meaning = Meaning(packed(own.mean(axis=0)[None]), packed(own))
        span = TimeRange(lines[0].range.start, lines[-1].range.end)
        windows.append(Window(span, tuple(lines), meaning))
    return WindowIndex(talk.id, str(talk.number), MODEL, tuple(windows))


def clips_of(talk: Talk) -> list[Clip]:
    """The clips of a source, one a minute."""
    found = []
    for rank in range(1, CLIPS + 1):
        said = [f"w{word}" for word in talk.words[(rank - 1) % MINUTES].ravel()[:WORDS_OF_A_CLIP]]
        start_s = (rank - 1) * 60.0
        words = tuple(
            Word(text, TimeRange.from_seconds(start_s + n * 0.4, start_s + n * 0.4 + 0.3), 0.9)
            for n, text in enumerate(said)
        )
        total = (talk.number * 7919 + rank * 104729) % 1000 / 10
        clip = Clip(
            id=f"{(talk.number * CLIPS + rank) * 2654435761 % 2**48:012x}",
            rank=rank,
            ranges=(TimeRange.from_seconds(start_s, start_s + 40),),
            text=" ".join(said),
            words=words,
            title=" ".join(said[:7]),
            description=" ".join(said[:20]),
            hashtags=("#made", "#up"),
            slug="-".join(said[:7]),
            score=Score(total, {}, (), 0.0),
            output=OutputFormat(1080, 1920, Fraction(30)),
        )
        found.append(clip)
    return found


def build(file: Path, sources: int) -> None:
    """Write a library, by the calls that a run makes."""
    catalogue = SqliteCatalogue(Database(file))
    for talk in talks(sources):
        name = f"talk w{talk.words[0, 0, 0]} {talk.number}.mp4"
        length = Timestamp.from_seconds(60.0 * MINUTES)
        catalogue.save_source(Source(talk.id, name, 1, "mp4", length, ZERO, ()))
        path = f"/recordings/{name}"
        catalogue.remember_file(FileIdentity(path, 1, 1, talk.number), talk.id)
        catalogue.remember_manifest(ManifestPlace(f"{talk.number:032x}", talk.id, f"{path}.json"))
        catalogue.save_windows(Due(talk.id, talk.number), windows_of(talk))
        clips = clips_of(talk)
        catalogue.save_clips(talk.id, clips)
        for clip in clips[:3]:
            kind = "dropped" if clip.rank == 3 else "kept"
            catalogue.record(Decision(clip.id, kind, {}, float(talk.number)))
        due = catalogue.clips_due(MODEL)
        vectors = packed(talk.vectors[:, 0])
        own = [vectors[at * SIZE : (at + 1) * SIZE] for at in range(CLIPS)]
        catalogue.save_clip_meanings(MODEL, {d.number: own[n] for n, d in enumerate(due)})
        if talk.number % 1000 == 0:
            print(f"{talk.number} of {sources} sources", file=sys.stderr)


def library_of(sources: int) -> Path:
    """A library of so many sources; made once."""
    folder = SCRATCH / f"library-{FORM}-{sources}"
    done = folder / "done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        began = time.perf_counter()
        build(folder / "library.sqlite3", sources)
        done.write_text(f"{time.perf_counter() - began:.1f}")
    return folder / "library.sqlite3"


def calls(catalogue: SqliteCatalogue) -> dict[str, Callable[[], object]]:
    """Every list and search, by what it is called in the table."""
    chance = np.random.default_rng(1)
    some = catalogue.source_rows(limit=1)[0]
    clip = catalogue.clip_rows(limit=1)[0]

    def listing(**wanted: Any) -> Callable[[], object]:
        return lambda: catalogue.clip_rows(ClipFilter(**wanted), PAGE)

    def said(*words: str) -> Callable[[], object]:
        def search() -> object:
            question = Question("made up", words, chance.standard_normal(SIZE))
            return look(Place("", catalogue, None), question, PAGE)

        return search

    def clips_said(*words: str) -> Callable[[], object]:
        def search() -> object:
            question = Question("made up", words, chance.standard_normal(SIZE))
            return nearest_clips(catalogue, question, PAGE)

        return search

    eight = [f"w{n}" for n in (1, 5, 20, 80, 320, 1280, 5120, 20480)]
    return {
        "sources, the latest": lambda: catalogue.source_rows(limit=PAGE),
        "sources by name": lambda: catalogue.source_rows(limit=PAGE, order=Order.NAME),
        "sources with a text": lambda: catalogue.source_rows("w2 ", PAGE),
        "sources with a text that none has": lambda: catalogue.source_rows("nothing", PAGE),
        "the 100th page of sources": lambda: catalogue.source_rows("", PAGE, 99 * PAGE),
        "a source by its name": lambda: catalogue.find_sources(some.name),
        "a source by its id": lambda: catalogue.find_sources(some.id[:12]),
        "clips, the latest": listing(),
        "clips by score": listing(order=Order.SCORE),
        "kept clips": listing(standing=Standing.KEPT),
        "open clips by score": listing(standing=Standing.OPEN, order=Order.SCORE),
        "clips of a source": listing(source_id=some.id),
        "clips with a text": listing(text="w4000 "),
        "clips with a usual text by score": listing(text="w1", order=Order.SCORE),
        "clips with a text that none has": listing(text="nothing"),
        "how many clips": lambda: catalogue.count_clips(ClipFilter()),
        "how many kept clips": lambda: catalogue.count_clips(ClipFilter(standing=Standing.KEPT)),
        "a clip by the beginning of its id": lambda: catalogue.find_clips(clip.id[:8]),
        "a clip, whole": lambda: catalogue.clip(clip.id),
        "windows by meaning alone": lambda: catalogue.windows_meaning(
            chance.standard_normal(SIZE).tolist(), PAGE
        ),
        "clips by meaning alone": lambda: catalogue.clips_meaning(
            chance.standard_normal(SIZE).tolist(), PAGE
        ),
        "search in what is said: rare words": said("w4000", "w9000"),
        "search in what is said: usual words": said("w50", "w300", "w2000"),
        "search in what is said: a common word": said("w3"),
        "search in what is said: eight words": said(*eight),
        "search in clips: rare words": clips_said("w4000", "w9000"),
        "search in clips: usual words": clips_said("w50", "w300", "w2000"),
        "search in clips: a common word": clips_said("w3"),
        "search in clips: eight words": clips_said(*eight),
        "anything to index": lambda: (catalogue.windows_due(MODEL), catalogue.clips_due(MODEL)),
    }


def timed(call: Callable[[], object], turns: int) -> dict[str, float]:
    """Median, 95th percentile and processor time of a call, in milliseconds."""
    call()
    wall, own = [], []
    for _ in range(turns):
        began, worked = time.perf_counter(), time.process_time()
        call()
        wall.append((time.perf_counter() - began) * 1000)
        own.append((time.process_time() - worked) * 1000)
    return {
        "median_ms": round(float(np.median(wall)), 2),
        "p95_ms": round(float(np.percentile(wall, 95)), 2),
        "processor_ms": round(float(np.median(own)), 2),
    }


COLD = """
import sys, time
from pathlib import Path
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
catalogue = SqliteCatalogue(Database(Path(sys.argv[1])))
catalogue.source_rows(limit=1)
import numpy
began = time.perf_counter()
catalogue.windows_meaning([1.0] * 384, 50)
print((time.perf_counter() - began) * 1000)
"""


def first_search_ms(file: Path) -> float:
    """The first comparison of meanings in a new process, numpy loaded already."""
    done = subprocess.run(
        [sys.executable, "-c", COLD, str(file)], check=True, capture_output=True, text=True
    )
    return round(float(done.stdout), 1)


def made_anew_ms(file: Path) -> float:
    """Writing the file of vectors from the library."""
    shutil.rmtree(file.with_name(f"{file.name}-vectors"), ignore_errors=True)
    return first_search_ms(file)


def sizes_mb(file: Path) -> dict[str, float]:
    """What lies on the disk."""
    vectors = file.with_name(f"{file.name}-vectors").glob("*.bin")
    return {
        "library": round(file.stat().st_size / 1e6, 1),
        "vectors": round(sum(path.stat().st_size for path in vectors) / 1e6, 1),
    }


def main() -> None:
    """Measure, print a table and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--build", action="store_true", help="only make the library")
    args = parser.parse_args()
    if args.build:
        library_of(args.sources)
        return
    # Who searches has not just made a library: what making it left in memory is not measured.
    subprocess.run(
        [sys.executable, __file__, "--sources", str(args.sources), "--build"], check=True
    )
    file = library_of(args.sources)
    anew = made_anew_ms(file)
    first = [first_search_ms(file) for _ in range(5)]
    catalogue = SqliteCatalogue(Database(file))
    took = {name: timed(call, args.turns) for name, call in calls(catalogue).items()}
    columns = ("call", "median ms", "p95 ms", "processor ms")
    show("First 50 results", columns, [(name, *own.values()) for name, own in took.items()])
    result = {
        "sources": args.sources,
        "clips": args.sources * CLIPS,
        "windows": args.sources * MINUTES,
        "first_search_of_a_process_ms": round(float(np.median(first)), 1),
        "vectors_written_anew_ms": anew,
        "size_mb": sizes_mb(file),
        "calls": took,
        "limit_ms": LIMIT_MS,
        "over_the_limit": [name for name, own in took.items() if own["p95_ms"] > LIMIT_MS],
    }
    print({name: value for name, value in result.items() if name != "calls"})
    keep("library", result)


if __name__ == "__main__":
    main()
