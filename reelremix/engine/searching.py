"""Where something is said, in one source or in all: words and meaning together, with the evidence.

A source is indexed when a search first needs it, and again when its transcript has changed. Both
ways of looking give their nearest windows; those are ordered by `stages.relevance`, which reads
their sentences, so that results of different sources and files compare.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from reelremix.engine.domain.context import Catalogue, RunContext
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.request import SearchRequest
from reelremix.engine.domain.rows import SourceRow
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.domain.window import Due, FoundWindow, Window, WindowHit, WindowIndex
from reelremix.engine.export.ranking import matched
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.models.sentences import MINILM, MiniLm, SentenceEmbedder
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.evidence import shorten
from reelremix.engine.stages.ingest import ingest
from reelremix.engine.stages.lexicon import tokenize
from reelremix.engine.stages.meaning import silent_sentence_vectors, text_vector
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.relevance import Closeness, Question, read_question
from reelremix.engine.stages.signals import choose_lexicon
from reelremix.engine.stages.windows import index_model, index_of, unpacked
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.errors import ConfigError, ModelNotInstalled

VERSION = 1
MOST_RESULTS = 100
POOL = 50
"""Windows that each way of looking gives, at least; more add nothing to the first ten results."""
SHOWN = 10.0
"""The lowest score that is shown: who searches can judge a list, who clips cannot."""
MOST_COMPARED = 10_000
"""Names that one which is not known is compared with, the latest."""
TRANSCRIPTS = (".json", ".srt", ".vtt")
UNKNOWN_MEANING = f"words alone are compared, not meaning: model '{MINILM}' is not installed"
INSTALL = f"`reelremix models install {MINILM}` finds what is said in other words too"


@dataclass(frozen=True, slots=True)
class Found:
    """One result."""

    source_id: str | None
    """None for a transcript file."""
    name: str
    path: str | None
    """Where the source was seen last; None where nothing is there any more."""
    window: Window
    match: Match


@dataclass(frozen=True, slots=True)
class Place:
    """Something that can be searched."""

    name: str
    catalogue: Catalogue
    sources: Collection[str] | None
    """None for all."""
    path: str | None = None
    """Of a transcript file."""


def search(request: SearchRequest, ctx: RunContext) -> dict[str, Any]:
    """What is found, as published: `{"version": 1, "query", "results": [...], "notice"}`.

    Raises:
        ConfigError: the question has no words, or names a source that is not known or transcribed.
        SourceError: a transcript file or recording cannot be read.
        Cancelled: the user asked to stop; what was indexed is kept.
    """
    if not 1 <= request.count <= MOST_RESULTS:
        raise ConfigError(f"--count must be between 1 and {MOST_RESULTS} (got {request.count})")
    question = read_question(request.question, "a search")
    embedder = _embedder(ctx)
    places = _places(request.sources, ctx)
    _index(places, embedder, ctx)
    if embedder is not None:
        question = replace(question, vector=text_vector(question.text, embedder))
    ranked = [found for place in places for found in look(place, question, request.count)]
    ranked.sort(key=lambda found: -found.match.score)
    shown = [found for found in ranked if found.match.score >= SHOWN][: request.count]
    _tell_unknown_meanings(shown, embedder, ctx)
    notice = None if shown else _nothing(question, ranked, places)
    return {
        "version": VERSION,
        "query": question.text,
        "results": [_result(rank, found) for rank, found in enumerate(shown, start=1)],
        "notice": notice,
    }


def look(place: Place, question: Question, count: int) -> list[Found]:
    """The nearest windows of a place, the nearest first. What is due there is not seen."""
    catalogue, within = place.catalogue, place.sources
    pool = max(POOL, count)
    hits: list[WindowHit] = [*catalogue.windows_saying(question.terms, pool, within)]
    if question.vector is not None:
        hits += catalogue.windows_meaning(question.vector.tolist(), pool, within)
    numbers = list(dict.fromkeys(hit.window for hit in hits))
    windows = [found for found in catalogue.windows(numbers) if found is not None]
    scored: list[tuple[float, Closeness, int, FoundWindow]] = []
    for with_meaning in (True, False):
        group = [w for w in windows if (w.window.meaning is not None) is with_meaning]
        scored += _scored(group, question)
    scored.sort(key=lambda entry: -entry[0])
    best = scored[:count]
    places = {} if place.path else catalogue.places([w.source_id for *_, w in best])
    return [
        _found(closeness.match(first, first + len(w.window.lines) - 1, score), w, place, places)
        for score, closeness, first, w in best
    ]


def _scored(
    windows: Sequence[FoundWindow], question: Question
) -> Iterator[tuple[float, Closeness, int, FoundWindow]]:
    """Windows that all have a meaning, or none: score, and where their first line is. They are
    compared as one, because arrays of ten numbers each take thirty times as long."""
    if not windows:
        return
    lines = [line for found in windows for line in found.window.lines]
    meanings = [found.window.meaning for found in windows]
    vectors = (
        unpacked(b"".join(m.lines for m in meanings if m), len(lines)) if all(meanings) else None
    )
    closeness = Closeness(question, lines, vectors)
    ends = np.cumsum([len(found.window.lines) for found in windows])
    first = np.concatenate([[0], ends[:-1]])
    scores = closeness.scores(first, ends - 1)
    for score, at, found in zip(scores.tolist(), first.tolist(), windows, strict=True):
        yield score, closeness, at, found


def _found(
    match: Match,
    found: FoundWindow,
    place: Place,
    places: Mapping[str, tuple[str | None, Sequence[str]]],
) -> Found:
    if place.path is not None:
        return Found(None, place.name, place.path, found.window, match)
    name, seen = places[found.source_id]
    path = next((path for path in seen if Path(path).is_file()), None)
    named = name or Path(path or found.source_id[:12]).name
    return Found(found.source_id, named, path, found.window, match)


def _result(rank: int, found: Found) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": found.match.score,
        "source": {"id": found.source_id, "name": found.name, "path": found.path},
        "start_s": found.window.range.start_s,
        "end_s": found.window.range.end_s,
        "text": found.window.text,
        **matched(found.match),
    }


def _nothing(question: Question, ranked: Sequence[Found], places: Sequence[Place]) -> str:
    asked = f'"{shorten(question.text, 80)}"'
    if ranked:
        near = ranked[0]
        return (
            f"nothing is about {asked}; the nearest, in {near.name}, is "
            f'"{near.match.quote}" ({near.match.score:.0f} of 100, {SHOWN:.0f} needed)'
        )
    if any(place.sources is None and place.path is None for place in places):
        return f"nothing that was transcribed so far is about {asked}"
    return f"nothing there is about {asked}"


def _embedder(ctx: RunContext) -> MiniLm | None:
    try:
        return MiniLm(ctx.models.folder(MINILM))
    except ModelNotInstalled:
        ctx.reporter.emit(Warned(UNKNOWN_MEANING, INSTALL))
        return None


def _tell_unknown_meanings(
    shown: Sequence[Found], embedder: SentenceEmbedder | None, ctx: RunContext
) -> None:
    names = dict.fromkeys(found.name for found in shown if found.window.meaning is None)
    if names and embedder is not None:
        listed = ", ".join(list(names)[:3]) + (", ..." if len(names) > 3 else "")
        ctx.reporter.emit(
            Warned(f"only words are compared in what is not known to be English: {listed}")
        )


def _places(named: Sequence[str], ctx: RunContext) -> list[Place]:
    """What to search. Raises ConfigError and SourceError."""
    if not named:
        return [Place("the library", ctx.catalogue, None)]
    files = [Path(name) for name in named if Path(name).suffix.lower() in TRANSCRIPTS]
    places = [_file(path) for path in dict.fromkeys(files)]
    others = [name for name in named if Path(name) not in files]
    ids = {_known(name, ctx) for name in others}
    return [*places, Place("", ctx.catalogue, ids)] if ids else places


def _file(path: Path) -> Place:
    """A transcript file as a catalogue of its own. Raises SourceError."""
    catalogue = MemoryCatalogue()
    catalogue.save_transcript("", read_transcript(path))
    return Place(path.name, catalogue, None, str(path))


def _known(text: str, ctx: RunContext) -> str:
    """The id of a source that a path, an id, its beginning or a name means.

    Raises:
        ConfigError: there is none, more than one, or nobody has listened to it yet.
        SourceError: the recording at that path cannot be read.
    """
    source = ingest(Path(text), ctx) if _is_there(text) else _by_name(text, ctx.catalogue)
    if ctx.catalogue.transcript(source.id) is None:
        raise ConfigError(
            f"{source.name} was never transcribed, so there is nothing to search",
            hint=f"`reelremix transcribe {text}` or `reelremix score {text}` listens to it first",
        )
    return source.id


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except (OSError, ValueError):  # longer than a name can be, or not a name at all
        return False


def _by_name(text: str, catalogue: Catalogue) -> SourceRow:
    named = catalogue.find_sources(text.strip())
    if len(named) == 1:
        return named[0]
    if named:
        listed = ", ".join(f"{s.id[:12]} ({s.name})" for s in named[:5])
        raise ConfigError(f"{text!r} names several recordings: {listed}", hint="name one by its id")
    names = [row.name for row in catalogue.source_rows(limit=MOST_COMPARED)]
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.5)
    like = f"; did you mean {', '.join(map(repr, near))}?" if near else ""
    raise ConfigError(
        f"there is no recording {text!r}, neither here nor in the library{like}",
        hint="`reelremix library list` names those that were seen",
    )


def _index(places: Sequence[Place], embedder: SentenceEmbedder | None, ctx: RunContext) -> None:
    """Index what the search needs and what has changed since."""
    model = index_model(embedder)
    todo = [
        (place.catalogue, due)
        for place in places
        for due in place.catalogue.windows_due(model)
        if place.sources is None or due.source_id in place.sources
    ]
    if not todo:
        return
    with stage(ctx, "index"):
        for done, (catalogue, due) in enumerate(todo):
            ctx.cancel.raise_if_set()
            ctx.reporter.emit(StageProgress("index", done, len(todo), "sources"))
            transcript = catalogue.transcript(due.source_id)
            index = WindowIndex(due.source_id, "", model, ())  # of what cannot be read any more
            if transcript is not None:
                index = _indexed(due, transcript, embedder, ctx)
            catalogue.save_windows(due, index)


def _indexed(
    due: Due, transcript: Transcript, embedder: SentenceEmbedder | None, ctx: RunContext
) -> WindowIndex:
    sentences = split_sentences(transcript)
    vectors = None
    lexicon = choose_lexicon(transcript.language, (tokenize(s.text) for s in sentences))
    if embedder is not None and lexicon is not None and sentences:
        vectors = silent_sentence_vectors(sentences, embedder, ctx)
    return index_of(due.source_id, sentences, vectors, index_model(embedder))
