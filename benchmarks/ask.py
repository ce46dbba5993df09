"""Is what is asked for found, and how fast?

    python benchmarks/ask.py [--shared DIR] [--fit]

Every annotated episode is indexed in one library. What editors called their picks is asked for; an
answer is right where it is of that episode and half of it, or of the pick, lies in the other. Then
a library of 10 000 sources of ten minutes is made up and searched. `--fit` only prints the weights
of `stages/relevance.py` anew.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from episodes import Span, episode_files
from measuring import RESULTS, SHARED, model_folder, needs
from train_ranker import embedded, logistic

from reelremix.engine.domain.context import FileIdentity
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.source import Source
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.window import Due, FoundWindow, Line, Meaning, Window, WindowIndex
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.searching import POOL, SHOWN, Place, look
from reelremix.engine.stages import relevance
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.relevance import (
    RELEVANT,
    Closeness,
    Question,
    line_of,
    read_question,
)
from reelremix.engine.stages.signals import Floats, Ints, windows_of
from reelremix.engine.stages.windows import cut_windows, index_of, packed
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database

FIRST = 10
RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack et al., 2009)."""
SAMPLED = 300
OTHERS = 4
"""Episodes that a title is not of, to fit against."""
SOURCES, EACH = 10_000, 10
VOCABULARY, WORDS_OF_A_MINUTE, LINES = 50_000, 150, 10
ASKED = 50
LIMIT_MS = 50.0


@dataclass(frozen=True)
class Episode:
    """One source."""

    name: str
    sentences: tuple[Sentence, ...]
    vectors: Vectors


@dataclass(frozen=True)
class Title:
    """What an editor called a pick."""

    question: Question
    episode: str
    span: Span


def load(shared: Path, embedder: MiniLm) -> list[Episode]:
    """The episodes with their meanings."""
    found = []
    for path in episode_files(shared):
        sentences = split_sentences(read_transcript(path))
        vectors = embedded([s.text for s in sentences], embedder)
        found.append(Episode(path.stem, sentences, vectors))
    return found


def titles(shared: Path, embedder: MiniLm) -> list[Title]:
    """What editors called their picks."""
    found = []
    for path in sorted((shared / "transcripts" / "picks").glob("*/*.json")):
        for clip in json.loads(path.read_text(encoding="utf-8"))["clips"]:
            question = read_question(clip["title"], "a title")
            start_s, end_s = clip["range_s"]
            found.append(Title(question, path.stem, (start_s, end_s)))
    vectors = embedded([title.question.text for title in found], embedder)
    return [
        replace(t, question=replace(t.question, vector=np.asarray(v, np.float64)))
        for t, v in zip(found, vectors, strict=True)
    ]


def is_right(title: Title, source_id: str | None, span: TimeRange) -> bool:
    """Whether an answer is where the pick is."""
    if source_id != title.episode:
        return False
    pick = TimeRange.from_seconds(*title.span)
    return span.overlap_s(pick) >= min(span.duration_s, pick.duration_s) / 2


Way = Callable[[Question], list[tuple[str | None, TimeRange]]]


def ways(catalogue: SqliteCatalogue) -> dict[str, Way]:
    """How answers can be found."""

    def places(numbers: Sequence[int]) -> list[tuple[str | None, TimeRange]]:
        windows = catalogue.windows(numbers[:ASKED])
        return [(w.source_id, w.window.range) for w in windows if isinstance(w, FoundWindow)]

    def words(question: Question) -> list[int]:
        return [hit.window for hit in catalogue.windows_saying(question.terms, POOL)]

    def meaning(question: Question) -> list[int]:
        assert question.vector is not None
        return [hit.window for hit in catalogue.windows_meaning(question.vector.tolist(), POOL)]

    def fused(question: Question) -> list[int]:
        worth: dict[int, float] = {}
        for numbers in (words(question), meaning(question)):
            for rank, number in enumerate(numbers, start=1):
                worth[number] = worth.get(number, 0.0) + 1 / (RANK_CONSTANT + rank)
        return sorted(worth, key=lambda number: -worth[number])

    def shipped(question: Question) -> list[tuple[str | None, TimeRange]]:
        found = look(Place("", catalogue, None), question, ASKED)
        return [(f.source_id, f.window.range) for f in found]

    return {
        "words (BM25)": lambda q: places(words(q)),
        "meaning (one vector a window)": lambda q: places(meaning(q)),
        "both, reciprocal ranks": lambda q: places(fused(q)),
        "words, sentences reread": lambda q: shipped(replace(q, vector=None)),
        "both, sentences reread (shipped)": shipped,
    }


def quality(way: Way, asked: Sequence[Title]) -> dict[str, float]:
    """Mean reciprocal rank and recall of one way."""
    first = []
    for title in asked:
        right = [is_right(title, *answer) for answer in way(title.question)]
        first.append(right.index(True) + 1 if True in right else 0)
    ranks = np.array(first)
    return {
        "mean_reciprocal_rank": round(float(np.mean([1 / r if r else 0.0 for r in first])), 3),
        "recall_at_1": round(float((ranks == 1).mean()), 3),
        "recall_at_10": round(float(((ranks > 0) & (ranks <= FIRST)).mean()), 3),
    }


def index(catalogue: SqliteCatalogue, made: Iterator[WindowIndex]) -> int:
    """Index sources; returns how many windows they have."""
    windows = 0
    for ticket, source in enumerate(made):
        minutes = Timestamp.from_seconds(60 * EACH)
        name = f"talk {ticket}.mp4"
        catalogue.save_source(Source(source.source_id, name, 1, "mp4", minutes, ZERO, ()))
        path = f"/recordings/{name}"
        catalogue.remember_file(FileIdentity(path, 1, 1, ticket), source.source_id)
        catalogue.save_windows(Due(source.source_id, ticket), source)
        windows += len(source.windows)
    return windows


def made_up(chance: np.random.Generator, size: int) -> Iterator[WindowIndex]:
    """Sources that say words as often as a language does, and mean anything."""
    likelihood = 1 / np.arange(1, VOCABULARY + 1)
    likelihood /= likelihood.sum()
    each = WORDS_OF_A_MINUTE // LINES
    for number in range(SOURCES):
        vectors = chance.standard_normal((EACH, LINES, size)).astype(np.float32)
        words = chance.choice(VOCABULARY, (EACH, LINES, each), p=likelihood)
        windows = []
        for minute in range(EACH):
            lines = []
            for line in range(LINES):
                start_s = minute * 60 + line * 6
                terms = tuple(f"w{word}" for word in words[minute, line])
                lines.append(
                    Line(" ".join(terms), TimeRange.from_seconds(start_s, start_s + 6), terms)
                )
            meaning = Meaning(packed(vectors[minute].mean(axis=0)[None]), packed(vectors[minute]))
            span = TimeRange(lines[0].range.start, lines[-1].range.end)
            windows.append(Window(span, tuple(lines), meaning))
        yield WindowIndex(f"{number:064x}", str(number), "made up", tuple(windows))


def speed(folder: Path, size: int) -> dict[str, Any]:
    """Milliseconds for 50 results, for rare and common words; the model's own time is left out."""
    chance = np.random.default_rng(0)
    file = folder / "library.sqlite3"
    catalogue = SqliteCatalogue(Database(file))
    began = time.perf_counter()
    windows = index(catalogue, made_up(chance, size))
    indexed_s = time.perf_counter() - began
    fresh = SqliteCatalogue(Database(file))
    asked = {
        "rare words": ["w4000", "w9000"],
        "usual words": ["w50", "w300", "w2000"],
        "a common word": ["w3"],
        "eight words": [f"w{n}" for n in (1, 5, 20, 80, 320, 1280, 5120, 20480)],
    }
    began = time.perf_counter()
    fresh.windows_meaning(chance.standard_normal(size).tolist(), 1)
    first_ms = (time.perf_counter() - began) * 1000
    took: dict[str, dict[str, float]] = {}
    for name, terms in asked.items():
        times, own = [], []
        for _ in range(20):
            question = Question(name, tuple(terms), chance.standard_normal(size))
            began, worked = time.perf_counter(), time.process_time()
            found = look(Place("", fresh, None), question, ASKED)
            times.append((time.perf_counter() - began) * 1000)
            own.append((time.process_time() - worked) * 1000)
            assert len(found) == ASKED
        took[name] = {
            "median_ms": round(float(np.median(times)), 1),
            "worst_ms": round(max(times), 1),
            "processor_median_ms": round(float(np.median(own)), 1),
        }
    return {
        "windows": windows,
        "file_mb": round(file.stat().st_size / 1e6, 1),
        "indexed_s": round(indexed_s, 1),
        "first_reading_of_vectors_ms": round(first_ms, 1),
        "searches": took,
        "limit_ms": LIMIT_MS,
        "load_average": round(os.getloadavg()[0], 1),
        "cores": os.cpu_count(),
    }


def near_and_far(
    episodes: Sequence[Episode], asked: Sequence[Title]
) -> tuple[Floats, list[Floats]]:
    """Features of the picks that titles are of, and of all windows of episodes they are not of."""
    chance = np.random.default_rng(0)
    lines = {e.name: [line_of(s) for s in e.sentences] for e in episodes}
    named = {e.name: e for e in episodes}
    cut = {e.name: np.array(list(cut_windows(e.sentences))).T for e in episodes}
    near, far = [], []
    for title in asked:
        own = named[title.episode]
        span = TimeRange.from_seconds(*title.span)
        inside = [
            i
            for i, s in enumerate(own.sentences)
            if s.range.overlap_s(span) > s.range.duration_s / 2
        ]
        if not inside:
            continue

        def features(name: str, first: Ints, last: Ints, question: Question) -> Floats:
            closeness = Closeness(question, lines[name], named[name].vectors)
            return closeness.features(first, last)

        ends = np.array(inside[:1]), np.array(inside[-1:])
        near.append(features(own.name, *ends, title.question)[0])
        others = chance.choice([n for n in named if n != own.name], OTHERS, replace=False)
        far += [features(name, *cut[name], title.question) for name in others]
    return np.array(near), far


def fit(near: Floats, far: Sequence[Floats], columns: Sequence[int]) -> list[float]:
    """A logistic curve: picks against the nearest window of each other episode, alike in weight."""
    near = near[:, columns]
    weights = np.ones(len(columns))
    intercept = 0.0
    for _ in range(4):  # which window is the nearest depends on the weights
        nearest = np.array([rows[np.argmax(rows[:, columns] @ weights)] for rows in far])
        repeated = np.vstack([near] * OTHERS)
        rows = np.vstack([repeated, nearest[:, columns]])
        kept = np.r_[np.ones(len(repeated)), np.zeros(len(nearest))]
        curve = logistic(rows, kept, ridge=1.0)
        weights, intercept = curve.weights, curve.intercept
    return [round(float(number), 3) for number in (intercept, *weights)]


def passing(near: Floats, far: Sequence[Floats]) -> dict[str, dict[str, float]]:
    """The share that reaches each limit: of picks by their title, of episodes it is not of."""

    def scores(rows: Floats) -> Floats:
        return relevance._chance(relevance.BY_BOTH, *rows.T)

    best = np.array([scores(rows).max() for rows in far])
    own = scores(near)
    return {
        f"{limit:.0f}": {
            "picks": round(float((own >= limit).mean()), 3),
            "other_episodes": round(float((best >= limit).mean()), 3),
        }
        for limit in (SHOWN, RELEVANT)
    }


def clips_reaching(episodes: Sequence[Episode], asked: Sequence[Title]) -> dict[str, float]:
    """The share of titles for which `--about` leaves something, of their own and another episode:
    the best of all stretches that could be a clip, not of windows."""
    chance = np.random.default_rng(1)
    names = [episode.name for episode in episodes]
    lines = {e.name: [line_of(s) for s in e.sentences] for e in episodes}
    windows = {e.name: windows_of(propose_candidates(e.sentences, 15, 60)) for e in episodes}
    vectors = {e.name: e.vectors for e in episodes}
    best: dict[str, list[float]] = {"own": [], "other": []}
    for number in chance.choice(len(asked), SAMPLED, replace=False):
        title = asked[number]
        other = str(chance.choice([name for name in names if name != title.episode]))
        for kind, name in (("own", title.episode), ("other", other)):
            closeness = Closeness(title.question, lines[name], vectors[name])
            stretches = windows[name]
            best[kind].append(float(closeness.scores(stretches.first, stretches.last).max()))
    return {
        kind: round(float((np.array(scores) >= RELEVANT).mean()), 3)
        for kind, scores in best.items()
    }


def unseen(
    way: Way, episodes: Sequence[Episode], asked: Sequence[Title]
) -> dict[str, dict[str, float]]:
    """The shipped way on one half of the episodes, with weights from the titles of the other."""
    shipped = relevance.BY_BOTH
    found = {}
    for name, parity in (("first half", 0), ("second half", 1)):
        half = {episode.name for episode in episodes[parity::2]}
        near, far = near_and_far(episodes, [t for t in asked if t.episode not in half])
        relevance.BY_BOTH = relevance.Weights(*fit(near, far, (0, 1, 2)))
        found[name] = quality(way, [t for t in asked if t.episode in half])
    relevance.BY_BOTH = shipped
    return found


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--fit", action="store_true", help="print the weights anew and end")
    args = parser.parse_args()
    needs(args.shared / "transcripts")
    embedder = MiniLm(Path(model_folder(MINILM)))
    episodes, asked = load(args.shared, embedder), titles(args.shared, embedder)
    near, far = near_and_far(episodes, asked)
    if args.fit:
        print("both ", fit(near, far, (0, 1, 2)))
        print("words", fit(near, far, (2,)))
        return
    with tempfile.TemporaryDirectory(prefix="reelremix-ask-") as folder:
        catalogue = SqliteCatalogue(Database(Path(folder, "episodes.sqlite3")))
        made = (index_of(e.name, e.sentences, e.vectors, embedder.identity) for e in episodes)
        windows = index(catalogue, made)
        measured = {name: quality(way, asked) for name, way in ways(catalogue).items()}
        result = {
            "episodes": len(episodes),
            "windows": windows,
            "questions": len(asked),
            "ways": measured,
            "shipped_with_weights_from_the_other_half": unseen(
                ways(catalogue)["both, sentences reread (shipped)"], episodes, asked
            ),
            "episodes_with_clips_about_it": clips_reaching(episodes, asked),
            "reaching_the_limit": passing(near, far),
            "speed": speed(Path(folder), embedder.size),
        }
    print(json.dumps(result, indent=1))
    (RESULTS / "ask.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
