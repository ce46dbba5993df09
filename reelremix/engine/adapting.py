"""The ranking that is learned from what its owner kept, dropped and published.

From the entries of the catalogue `relearn` makes examples, with the very features that the ranker
sees, and keeps what `stages.learning` makes of them. `own_ranking` is what a run ranks with. How
entries come about belongs to `engine.feedback`.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from reelremix.engine import codec
from reelremix.engine.domain.clip import ClipEntry
from reelremix.engine.domain.context import Catalogue, Decision, RunContext
from reelremix.engine.domain.events import StageProgress, Warned
from reelremix.engine.models.sentences import MINILM, MiniLm
from reelremix.engine.stages.artifact import key_for, load, save, stage
from reelremix.engine.stages.learning import Examples, Learned, fingerprint, learn, personal_ranker
from reelremix.engine.stages.meaning import sentence_vectors
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, Ranker, SourceSpeech, load_ranker
from reelremix.engine.stages.score import may_use_meaning
from reelremix.engine.stages.signals import Floats, Windows, count_sentences, ranks
from reelremix.engine.stages.taste import taste_of
from reelremix.errors import ConfigError, ModelNotInstalled

KEPT, DROPPED, IMPORTED, RESET = "kept", "dropped", "imported", "reset"
REOPENED = "reopened"
"""A decision that was taken back: the clip counts as never decided on."""
IMPORT_WEIGHT = 0.5
"""What an imported result counts beside an explicit decision: views depend on much else."""
VERSION = 1
"""Of the features that are kept as artifacts."""
GRID_S = (15.0, 25.0, 40.0, 60.0, 90.0)
"""Lengths of the stretches on which a feature's spread is measured."""
GRID_STARTS = 150

NO_TRANSCRIPT = "of recordings whose transcript is not in the library"
NOT_RANKED = "of recordings that are ranked without learning: short ones, languages but English"
NO_MODEL = "of recordings that wait for the sentence model (`reelremix models install minilm`)"
NO_SPEECH = "in which no sentence is spoken"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of one clip, all its entries taken together."""

    clip_id: str
    source_id: str
    ranges_s: tuple[tuple[float, float], ...]
    label: float
    """1 kept, 0 dropped; between them where its results stand among the others."""
    weight: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where learning stands: everything that `feedback status` tells."""

    kept: int
    dropped: int
    imported: int
    """Clips with results and no explicit decision."""
    left_out: tuple[tuple[str, int], ...]
    """Decisions that cannot be learned from: of which kind, and how many."""
    learned: Learned
    taste: tuple[str, ...]
    """The largest changes of weights, in words."""
    at: float
    """Seconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class OwnRanking:
    """The owner's ranking, in use."""

    ranker: Ranker
    name: str
    decisions: int


def relearn(ctx: RunContext) -> Standing:
    """Learn from everything that counts, and keep what came of it."""
    with stage(ctx, "learn"):
        shipped = load_ranker()
        if shipped is None:
            raise ConfigError("this build has no learned ranking, so there is none to adapt")
        judgements, kinds = judged(ctx.catalogue)
        examples, left_out = _examples(judgements, shipped, ctx)
        learned = learn(examples, shipped)
        standing = Standing(
            kinds[KEPT],
            kinds[DROPPED],
            kinds[IMPORTED],
            left_out,
            learned,
            taste_of(learned, shipped),
            now(),
        )
        ctx.catalogue.save_ranking(codec.to_plain(standing))
    return standing


def own_ranking(ctx: RunContext) -> OwnRanking | None:
    """The owner's adopted ranking; None without one, or while it is out of date.

    What was decided since it was learned, such as in a review, is learned from first.
    """
    document, shipped = ctx.catalogue.ranking(), load_ranker()
    if shipped is None:
        return None
    try:
        standing = None if document is None else codec.from_plain(document, Standing)
    except ValueError:  # another version wrote it
        return None
    last = max((d.at for d in counting(ctx.catalogue.decisions())), default=None)
    if last is not None and (standing is None or standing.at < last):
        standing = relearn(ctx)
    if standing is None:
        return None
    learned = standing.learned
    if not learned.is_adopted:
        return None
    if learned.ranker != fingerprint(shipped) or len(learned.weights) != len(CANDIDATE_FEATURES):
        ctx.reporter.emit(
            Warned(
                "your own ranking adapts another version of the shipped one, which ranks instead",
                "`reelremix feedback status` learns it anew",
            )
        )
        return None
    return OwnRanking(personal_ranker(shipped, learned), learned.name, learned.decisions)


def judged(catalogue: Catalogue) -> tuple[list[Judgement], Counter[str]]:
    """Each clip that was decided on or has results, with what counts; and how many of each kind."""
    entries = counting(catalogue.decisions())
    last_word = {d.clip_id: d for d in entries if d.kind != IMPORTED}
    explicit = {clip: d for clip, d in last_word.items() if d.kind != REOPENED}
    entries = [d for d in entries if d.kind == IMPORTED or d.clip_id in explicit]
    soft = _soft_labels(latest_results(entries))
    last = {d.clip_id: d for d in entries}
    found, kinds = [], Counter[str]()
    for clip_id, entry in last.items():
        decision = explicit.get(clip_id)
        kind = decision.kind if decision is not None else IMPORTED
        kinds[kind] += 1
        label, weight = soft.get(clip_id, 0.5), IMPORT_WEIGHT
        if decision is not None:
            label, weight = float(kind == KEPT), 1.0
        is_placed = {"source", "ranges_s"} <= entry.detail.keys()
        where = entry.detail if is_placed else _looked_up(clip_id, catalogue)
        if where is not None:
            ranges = tuple((float(start), float(end)) for start, end in where["ranges_s"])
            found.append(Judgement(clip_id, str(where["source"]), ranges, label, weight))
    return found, kinds


def counting(decisions: Sequence[Decision]) -> list[Decision]:
    """The entries since the last reset that learning looks at."""
    kinds = [decision.kind for decision in decisions]
    begin = len(kinds) - kinds[::-1].index(RESET) if RESET in kinds else 0
    return [d for d in decisions[begin:] if d.kind in (KEPT, DROPPED, REOPENED, IMPORTED)]


def latest_results(entries: Iterable[Decision]) -> dict[tuple[str, str], dict[str, Any]]:
    """The latest results of each clip on each platform."""
    return {
        (d.clip_id, str(d.detail.get("platform"))): d.detail for d in entries if d.kind == IMPORTED
    }


def _soft_labels(results: dict[tuple[str, str], dict[str, Any]]) -> dict[str, float]:
    """Where each clip's retention times log(views) stands among those of its platform, 0 to 1."""
    by_platform: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for (clip_id, platform), result in results.items():
        by_platform[platform].append((clip_id, result))
    labels: dict[str, list[float]] = defaultdict(list)
    for group in by_platform.values():
        known = [r["retention"] for _, r in group if r.get("retention") is not None]
        usual = median(known) if known else 1.0
        worth = [performance(r.get("views"), r.get("retention"), usual) for _, r in group]
        for (clip_id, _), rank in zip(group, ranks(np.array(worth)), strict=True):
            labels[clip_id].append(float(rank) + 0.5)
    return {clip_id: sum(own) / len(own) for clip_id, own in labels.items()}


def performance(views: float | None, retention: float | None, usual: float) -> float:
    """What results of one platform are compared by; unknown retention counts as the usual one."""
    reach = 1.0 if views is None else math.log1p(views)
    return reach * (usual if retention is None else retention)


def place_of(clip: ClipEntry) -> dict[str, Any]:
    """Where a clip is, so that its entry can be learned from whatever becomes of the clip."""
    ranges = [[span.start_s, span.end_s] for span in clip.ranges]
    return {"source": clip.source_id, "ranges_s": ranges}


def _looked_up(clip_id: str, catalogue: Catalogue) -> dict[str, Any] | None:
    return next((place_of(c) for c in catalogue.find_clips(clip_id) if c.id == clip_id), None)


def now() -> float:
    return round(time.time(), 3)


@dataclass(frozen=True, slots=True)
class _StoredRows:
    """What the ranker sees of the decided clips of one recording; empty where nothing is said."""

    rows: tuple[tuple[float, ...], ...]
    variance: tuple[float, ...]
    """Of each feature over the recording's stretches."""


def _examples(
    judgements: Sequence[Judgement], shipped: Ranker, ctx: RunContext
) -> tuple[Examples, tuple[tuple[str, int], ...]]:
    """Examples to learn from, and how many judgements cannot be used and why."""
    by_source: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_source[judgement.source_id].append(judgement)
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    weights: list[float] = []
    sources: list[int] = []
    variances: list[tuple[float, ...]] = []
    left_out = Counter[str]()
    mark = fingerprint(shipped)
    for number, (source_id, own) in enumerate(sorted(by_source.items())):
        ctx.cancel.raise_if_set()
        ctx.reporter.emit(StageProgress("learn", number, len(by_source), "recordings"))
        own.sort(key=lambda judgement: judgement.clip_id)
        stored = _rows_of(source_id, own, shipped, mark, ctx)
        if isinstance(stored, str):
            left_out[stored] += len(own)
            continue
        variances.append(stored.variance)
        for judgement, row in zip(own, stored.rows, strict=True):
            if row:
                rows.append(row)
                labels.append(judgement.label)
                weights.append(judgement.weight)
                sources.append(number)
            else:
                left_out[NO_SPEECH] += 1
    variance = np.mean(variances, axis=0) if variances else np.ones(len(CANDIDATE_FEATURES))
    examples = Examples(
        np.array(rows, float).reshape(len(rows), len(CANDIDATE_FEATURES)),
        np.array(labels, float),
        np.array(weights, float),
        np.array(sources, np.int64),
        np.where(variance > 1e-12, np.sqrt(variance), 1.0),
    )
    return examples, tuple(left_out.items())


def _rows_of(
    source_id: str, judgements: Sequence[Judgement], shipped: Ranker, mark: str, ctx: RunContext
) -> _StoredRows | str:
    """The features of clips of one recording, or why there are none."""
    clips = [[j.clip_id, *j.ranges_s] for j in judgements]
    said, means = ctx.catalogue.transcript_digest(source_id), MiniLm.identity
    key = key_for(ctx, "learn", VERSION, clips=clips, ranker=mark, said=said, means=means)
    stored = load(ctx, key, _StoredRows)
    if stored is not None and len(stored.rows) == len(judgements):
        return stored
    source = _speech(source_id, ctx)
    if isinstance(source, str):
        return source
    windows = [_window(source, judgement.ranges_s) for judgement in judgements]
    rows = iter(_features(source, [w for w in windows if w is not None], shipped))
    variance = _features(source, _grid(source), shipped).var(axis=0)
    stored = _StoredRows(
        tuple(() if window is None else _short(next(rows)) for window in windows), _short(variance)
    )
    save(ctx, key, stored)
    return stored


def _speech(source_id: str, ctx: RunContext) -> SourceSpeech | str:
    transcript = ctx.catalogue.transcript(source_id)
    if transcript is None:
        return NO_TRANSCRIPT
    sentences = split_sentences(transcript)
    counts = count_sentences(sentences, transcript.language)
    if not may_use_meaning(sentences, counts.lexicon):
        return NOT_RANKED
    try:
        folder = ctx.models.folder(MINILM)
    except ModelNotInstalled:
        return NO_MODEL
    vectors = sentence_vectors(sentences, MiniLm(folder), ctx)
    return SourceSpeech.of(sentences, counts, transcript, vectors)


def _window(
    source: SourceSpeech, ranges_s: Sequence[tuple[float, float]]
) -> tuple[int, int] | None:
    """The first and the last sentence of which more than half is kept."""
    heard = np.zeros(len(source.start_s))
    for start, end in ranges_s:
        heard += np.maximum(0.0, np.minimum(source.end_s, end) - np.maximum(source.start_s, start))
    inside = np.flatnonzero(heard > (source.end_s - source.start_s) / 2)
    return (int(inside[0]), int(inside[-1])) if len(inside) else None


def _grid(source: SourceSpeech) -> list[tuple[int, int]]:
    """Stretches all over the recording."""
    number = len(source.start_s)
    starts = np.unique(np.linspace(0, number - 1, min(number, GRID_STARTS)).astype(int))
    ends = np.maximum.accumulate(source.end_s)
    return [
        (int(first), int(min(number - 1, np.searchsorted(ends, source.start_s[first] + length_s))))
        for first in starts
        for length_s in GRID_S
    ]


def _features(source: SourceSpeech, windows: Sequence[tuple[int, int]], shipped: Ranker) -> Floats:
    if not windows:
        return np.zeros((0, len(CANDIDATE_FEATURES)))
    first, last = (np.array(column, np.int64) for column in zip(*windows, strict=True))
    own = Windows(first, last, source.start_s[first], source.end_s[last])
    return shipped.features(source, own)


def _short(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)
