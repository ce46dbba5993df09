"""Clips found by words and by meaning, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import CancelToken, RunContext
from reelremix.engine.domain.events import StageFinished, Warned
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.relevance import read_question
from reelremix.engine.store.memory import (
    MemoryArtifactStore,
    MemoryCatalogue,
    MemorySourceAccess,
)
from reelremix.engine.upkeep.clip_search import index_clips, meanings, nearest_clips, search_clips
from reelremix.errors import Cancelled, ConfigError
from tests.contract.schemas import faults
from tests.engine.examples import CLIP
from tests.fakes import NoModels, Recorder

SUBJECTS = ("hir", "garden", "book")


class BySubject:
    """Knows three subjects by the beginning of a word."""

    identity = "subjects"
    size = 3

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """A number a subject, and a little of each."""
        self.read += texts
        rows = [[0.1 + (subject in text.lower()) for subject in SUBJECTS] for text in texts]
        vectors = np.array(rows, np.float32).reshape(len(texts), 3)
        yield list(range(len(texts))), vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def clip_of(id: str, title: str, text: str) -> Clip:
    return replace(CLIP, id=id, title=title, text=text, description="")


HIRING = clip_of("c1", "Why we failed", "We hired too fast and it was the mistake of the year. So.")
GARDEN = clip_of("c2", "Plants", "The garden is the calm of the day, and that is all of it.")


@pytest.fixture
def ctx() -> RunContext:
    """A library with two clips."""
    catalogue = MemoryCatalogue()
    catalogue.save_clips("aa" * 32, [HIRING, GARDEN])
    stores = MemoryArtifactStore(), MemorySourceAccess()
    return RunContext(Recorder(), catalogue, *stores, NoModels())


def heard(ctx: RunContext) -> Recorder:
    assert isinstance(ctx.reporter, Recorder)
    return ctx.reporter


def test_a_clip_is_found_by_its_words_with_the_sentence_that_has_them(ctx: RunContext) -> None:
    found = search_clips("hiring mistakes", 5, ctx)
    [one] = found["clips"]
    assert (one["id"], one["rank"], one["title"]) == ("c1", 1, "Why we failed")
    assert one["match"]["words"] == ["hired", "mistake"]
    assert one["match"]["quote"].startswith("We hired too fast") and one["match"]["meaning"] is None
    assert faults("library", found) == []
    [warned] = [e for e in heard(ctx).events if isinstance(e, Warned)]
    assert "words alone" in warned.message


def test_a_clip_is_found_by_its_meaning_where_no_word_is_the_same(ctx: RunContext) -> None:
    index_clips(BySubject(), ctx)
    question = replace(read_question("botany", "q"), vector=np.array([0.0, 1.0, 0.0]))
    near = nearest_clips(ctx.catalogue, question, 5)
    assert [own.found.row.id for own in near] == ["c2", "c1"]
    assert near[0].cosine is not None and near[0].cosine > 0.8 and near[0].words == ()
    assert near[0].quote == "Plants" and near[0].score > near[1].score


def test_only_what_reads_otherwise_is_embedded_again(ctx: RunContext) -> None:
    embedder = BySubject()
    index_clips(embedder, ctx)
    first = len(embedder.read)
    ctx.catalogue.save_clips("aa" * 32, [replace(HIRING, rank=9), replace(GARDEN, title="A book")])
    index_clips(embedder, ctx)
    assert embedder.read[first:] == ["A book", GARDEN.text]
    index_clips(embedder, ctx)
    finished = [e.stage for e in heard(ctx).events if isinstance(e, StageFinished)]
    assert finished == ["index", "index"]


def test_the_meaning_of_what_is_not_english_is_left_unknown() -> None:
    catalogue = MemoryCatalogue()
    catalogue.save_clips("s", [clip_of("c", "Warum", "Wir haben zu schnell eingestellt.")])
    due = catalogue.clips_due("m")
    assert list(meanings(due, BySubject()).values()) == [None]


def test_long_texts_are_read_in_pieces(ctx: RunContext) -> None:
    long = clip_of("c3", "Title", "the word is of a book " * 30)
    ctx.catalogue.save_clips("s", [long])
    embedder = BySubject()
    [due] = [own for own in ctx.catalogue.clips_due("m") if "Title" in own.text]
    meanings([due], embedder)
    assert len(embedder.read) == 4 and max(len(text.split()) for text in embedder.read) == 60


def test_nothing_found_says_so(ctx: RunContext) -> None:
    found = search_clips("pasta", 5, ctx)
    assert found["clips"] == [] and found["notice"] == 'no clip is about "pasta"'


@pytest.mark.parametrize(("question", "count"), [("?", 5), ("word", 0), ("word", 101)])
def test_what_cannot_be_looked_for_is_refused(ctx: RunContext, question: str, count: int) -> None:
    with pytest.raises(ConfigError):
        search_clips(question, count, ctx)


def test_indexing_can_be_cancelled(ctx: RunContext) -> None:
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        index_clips(BySubject(), replace(ctx, cancel=cancel))
