"""Clips found by words and by meaning, each with the reason.

A clip is compared as one: the share of the question's words that it has, and the cosine between
the question and the one vector of its title and what is said. What a clip means is told when a
search first needs it, and again when its text has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reelremix.engine.domain.context import Catalogue, RunContext
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.domain.rows import ClipDue, FoundClip
from reelremix.engine.models.sentences import MINILM, MiniLm, SentenceEmbedder
from reelremix.engine.searching import INSTALL, MOST_RESULTS, POOL, SHOWN, UNKNOWN_MEANING
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.evidence import shorten
from reelremix.engine.stages.lexicon import sounds_english, tokenize
from reelremix.engine.stages.meaning import text_vector
from reelremix.engine.stages.relevance import (
    Question,
    common_terms,
    matching_words,
    read_question,
    score_of_text,
)
from reelremix.engine.stages.windows import packed, unpacked
from reelremix.engine.upkeep.listing import clip_to_plain
from reelremix.errors import ConfigError, ModelNotInstalled

VERSION = 1
STAGE = "index"
FORM = 1
"""Raise it whenever the text of a clip is embedded in another way."""
BATCH = 64
PIECE_WORDS = 60
"""The sentence model reads no more than about ninety words at once."""
_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s*")


@dataclass(frozen=True, slots=True)
class NearClip:
    """A clip and why it was found."""

    found: FoundClip
    score: float
    """From 0 to 100."""
    cosine: float | None
    """How near it means; None where only words were compared."""
    words: tuple[str, ...]
    """Words of the question in the quote, as they are written there."""
    quote: str


def search_clips(question: str, count: int, ctx: RunContext) -> dict[str, Any]:
    """What is found, as published: `{"version": 1, "query", "clips": [...], "notice"}`.

    Raises:
        ConfigError: the question has no words.
        Cancelled: the user asked to stop; what was indexed is kept.
    """
    if not 1 <= count <= MOST_RESULTS:
        raise ConfigError(f"--count must be between 1 and {MOST_RESULTS} (got {count})")
    asked = read_question(question, "a search")
    embedder = _embedder(ctx)
    if embedder is not None:
        index_clips(embedder, ctx)
        asked = replace(asked, vector=text_vector(asked.text, embedder))
    near = [own for own in nearest_clips(ctx.catalogue, asked, count) if own.score >= SHOWN]
    return {
        "version": VERSION,
        "query": asked.text,
        "clips": [_result(rank, own) for rank, own in enumerate(near, start=1)],
        "notice": None if near else f'no clip is about "{shorten(asked.text, 80)}"',
    }


def nearest_clips(catalogue: Catalogue, question: Question, count: int) -> list[NearClip]:
    """The nearest clips, the nearest first. What is due is found by its words alone."""
    pool = max(POOL, count)
    hits = [*catalogue.clips_saying(question.terms, pool)]
    if question.vector is not None:
        hits += catalogue.clips_meaning(question.vector.tolist(), pool)
    ids = list(dict.fromkeys(hit.id for hit in hits))
    found = [own for own in catalogue.found_clips(ids) if own is not None]
    scored = sorted(_scored(found, question), key=lambda entry: -entry[1])
    return [_near(own, score, cosine, question) for own, score, cosine in scored[:count]]


def index_clips(embedder: SentenceEmbedder, ctx: RunContext) -> None:
    """Tell the meaning of clips that are new or read otherwise now. Raises Cancelled."""
    model = f"{embedder.identity}/clips-{FORM}"
    due = ctx.catalogue.clips_due(model)
    if not due:
        return
    with stage(ctx, STAGE):
        for first in range(0, len(due), BATCH):
            ctx.cancel.raise_if_set()
            ctx.reporter.emit(StageProgress(STAGE, first, len(due), "clips"))
            ctx.catalogue.save_clip_meanings(model, meanings(due[first : first + BATCH], embedder))


def meanings(due: Sequence[ClipDue], embedder: SentenceEmbedder) -> dict[int, bytes | None]:
    """What texts mean, by number: the mean of their pieces; None for what is not English."""
    pieces = [(at, piece) for at, own in enumerate(due) for piece in _pieces(own.text)]
    total = np.zeros((len(due), embedder.size), np.float32)
    for rows, vectors in embedder.embed([piece for _, piece in pieces]):
        np.add.at(total, [pieces[row][0] for row in rows], vectors)
    return {
        own.number: packed(total[at : at + 1]) if total[at].any() else None
        for at, own in enumerate(due)
    }


def _pieces(text: str) -> Iterator[str]:
    """The title, and what is said in pieces that the model reads whole; none of other languages."""
    if not sounds_english([tokenize(text)]):
        return
    title, _, rest = text.partition("\n")
    said = rest.partition("\n")[2].split()
    yield title
    for first in range(0, len(said), PIECE_WORDS):
        yield " ".join(said[first : first + PIECE_WORDS])


def _scored(
    clips: Sequence[FoundClip], question: Question
) -> Iterator[tuple[FoundClip, float, float | None]]:
    wanted = set(question.terms)
    for own in clips:
        share = len(wanted & own.terms) / max(1, len(wanted))
        cosine = None
        if own.vector is not None and question.vector is not None:
            cosine = float(unpacked(own.vector, 1)[0] @ question.vector)
        yield own, score_of_text(share, cosine), cosine


def _near(found: FoundClip, score: float, cosine: float | None, question: Question) -> NearClip:
    """A clip with its evidence: the sentence with most of the words, else its title."""
    title, _, rest = found.text.partition("\n")
    quote = title
    if wanted := found.terms & set(question.terms):
        said = [title, *_SENTENCE.split(rest.partition("\n")[2])]
        quote = max(said, key=lambda text: common_terms(wanted, text))
    quote = shorten(quote)
    return NearClip(found, score, cosine, matching_words(question, quote), quote)


def _result(rank: int, near: NearClip) -> dict[str, Any]:
    return {
        "rank": rank,
        "score": round(near.score, 1),
        **clip_to_plain(near.found.row),
        "match": {
            "quote": near.quote,
            "words": list(near.words),
            "meaning": None if near.cosine is None else round(near.cosine, 3),
        },
    }


def _embedder(ctx: RunContext) -> MiniLm | None:
    try:
        return MiniLm(ctx.models.folder(MINILM))
    except ModelNotInstalled:
        ctx.reporter.emit(Warned(UNKNOWN_MEANING, INSTALL))
        return None
