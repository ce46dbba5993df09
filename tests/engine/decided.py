"""A library with a few long talks, their sentences understood, and clips to decide on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reelremix.engine.domain.context import Catalogue, RunContext
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.models.sentences import MiniLm, Vectors
from reelremix.engine.stages.meaning import sentence_vectors
from reelremix.engine.stages.propose import split_sentences
from tests.engine.examples import CLIP
from tests.engine.stages.talk import dull, talk
from tests.fakes import Unkept, run_context

LINES = 130
"""Sentences of a talk: 650 seconds, enough to be ranked by what is learned, with a chance."""


@dataclass(frozen=True)
class AnyFolder(Unkept):
    """`ModelProvider` that has everything, all of it empty."""

    place: Path = Path("models")

    def folder(self, name: str) -> Path:
        """Where nothing is."""
        return self.place / name


class Hashed:
    """`SentenceEmbedder` whose vectors depend on the text alone; passes for the real one."""

    identity = MiniLm.identity
    size = MiniLm.size

    def embed(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        """One row a text."""
        for row, text in enumerate(texts):
            chance = np.random.default_rng(list(text.encode()))
            yield [row], chance.normal(scale=0.05, size=(1, self.size)).astype(np.float32)


def long_talk(number: int) -> Transcript:
    """A talk of two speakers unlike the other talks."""
    lines = [f"{line} {number}" for line in dull(LINES)]
    chance = np.random.default_rng(number)
    return talk(lines, speakers=[f"S{s}" for s in chance.integers(1, 3, LINES)])


def understood(transcript: Transcript, ctx: RunContext) -> None:
    """Keep what its sentences mean, so that no model is needed."""
    sentence_vectors(split_sentences(transcript), Hashed(), ctx)


def clip_ids(source: int, count: int) -> list[str]:
    """Ids of a source's clips, as long as real ones."""
    return [f"{source:04x}{clip:08x}" for clip in range(count)]


def with_talks(catalogue: Catalogue, sources: int, clips: int) -> None:
    """Fill a catalogue: each talk with clips of 15, 20, 25, ... seconds."""
    for source in range(sources):
        name = f"source {source}"
        catalogue.save_transcript(name, long_talk(source))
        made = [
            replace(
                CLIP, id=id, rank=n + 1, title=f"Talk {source} about thing {n}",
                slug=f"talk-{source}-about-thing-{n}",
                ranges=(TimeRange.from_seconds(30 * n, 30 * n + 15 + 5 * (n % 6)),),
            )
            for n, id in enumerate(clip_ids(source, clips))
        ]  # fmt: skip
        catalogue.save_clips(name, made)


def talks(sources: int = 3, clips: int = 10) -> RunContext:
    """A run over such a library."""
    ctx = run_context(models=AnyFolder())
    with_talks(ctx.catalogue, sources, clips)
    for source in range(sources):
        understood(long_talk(source), ctx)
    return ctx
