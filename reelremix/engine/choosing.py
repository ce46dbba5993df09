"""Which moments of a source become clips: candidates proposed, scored and selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reelremix.engine.adapting import own_ranking
from reelremix.engine.domain.candidate import Candidate, Rejection, Score
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import CandidateScored, Warned
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.hearing import no_speech
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.describe import Description, describe_candidates
from reelremix.engine.stages.lexicon import tokenize
from reelremix.engine.stages.meaning import sentence_vectors
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.score import may_use_meaning, score_candidates
from reelremix.engine.stages.select import Selection, select_clips
from reelremix.engine.stages.signals import choose_lexicon
from reelremix.errors import ModelNotInstalled, NothingToClip

AVERAGE = 0.0
"""The rank value of a source's average stretch: `clip` keeps nothing below."""
UNRANKED = "moments are chosen by wording alone, not by meaning: model 'minilm' is not installed"
END_SLACK_S = 0.5
"""Transcripts may be this much longer than their recording: times are rounded, streams differ."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A chosen moment before anything is known of its picture."""

    range: TimeRange
    text: str
    description: Description
    score: Score | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which moments become clips."""

    drafts: tuple[Draft, ...]
    rejected: tuple[Rejection, ...]
    notice: str | None


def rank(
    transcript: Transcript, options: SelectOptions, duration_s: float | None, ctx: RunContext
) -> tuple[tuple[Sentence, ...], list[Candidate]]:
    """Every stretch that could be a clip, scored."""
    with stage(ctx, "propose"):
        sentences = split_sentences(transcript)
        candidates = propose_candidates(
            sentences, options.min_s, options.max_s, duration_s=duration_s
        )
        if duration_s is not None:  # a transcript that was given may go on behind the end
            candidates = [c for c in candidates if c.range.end_s <= duration_s + END_SLACK_S]
    vectors = _meaning(sentences, transcript.language, ctx) if candidates else None
    own = own_ranking(ctx) if vectors is not None else None
    told = f"ranked with your feedback, {own.decisions} decisions" if own else ""
    by = own.name if own else "shipped" if vectors is not None else "signals"
    with stage(ctx, "score", told, record=by):
        ranker = own.ranker if own else None
        scored = score_candidates(candidates, sentences, transcript, vectors, ranker)
    return sentences, scored


def _meaning(
    sentences: Sequence[Sentence], language: str | None, ctx: RunContext
) -> Vectors | None:
    """What each sentence means; None where the ranking cannot use it."""
    lexicon = choose_lexicon(language, (tokenize(s.text) for s in sentences))
    if not may_use_meaning(sentences, lexicon):
        return None
    try:
        folder = ctx.models.folder(MINILM)
    except ModelNotInstalled:
        ctx.reporter.emit(
            Warned(UNRANKED, f"`reelremix models install {MINILM}` finds better ones")
        )
        return None
    return sentence_vectors(sentences, MiniLm(folder), ctx)


def select_scored(candidates: Sequence[Candidate], count: int, language: str | None) -> Selection:
    """The ranking that `score` shows: as many as asked where the material allows."""
    return select_clips(candidates, count, language=language)


def choose(
    transcript: Transcript, options: SelectOptions, subject: Subject, ctx: RunContext
) -> Chosen:
    """The moments to clip: the given ranges, or the best set above the floor."""
    if options.ranges:
        return _given(transcript, options.ranges, subject)
    end_s = subject.presentation.picture_end.seconds
    sentences, candidates = rank(transcript, options, end_s, ctx)
    with stage(ctx, "select"):
        selection = select_clips(
            candidates, options.count, floor=AVERAGE, language=transcript.language
        )
    described = describe_candidates(selection.chosen, sentences, transcript)
    for candidate in selection.chosen:
        total = candidate.score.total if candidate.score else None
        ctx.reporter.emit(CandidateScored(candidate.range.start_s, candidate.range.end_s, total))
    drafts = tuple(
        Draft(candidate.range, candidate.text, description, candidate.score)
        for candidate, description in zip(selection.chosen, described, strict=True)
    )
    notice = selection.shortfall
    if not drafts:
        length_s = subject.presentation.duration.seconds
        notice = why_nothing(transcript, options, subject.source.name, length_s)
    return Chosen(drafts, selection.rejected, notice)


def _given(transcript: Transcript, ranges: Sequence[TimeRange], subject: Subject) -> Chosen:
    end = subject.presentation.picture_end
    sentences = split_sentences(transcript)
    drafts = []
    for span in ranges:
        span = TimeRange(span.start, min(span.end, end))
        inside = [
            i for i, s in enumerate(sentences) if s.range.overlap_s(span) > s.range.duration_s / 2
        ]
        text = " ".join(sentences[i].text for i in inside)
        first, last = (inside[0], inside[-1]) if inside else (0, -1)
        candidate = Candidate(span, text, first, last)
        drafts.append((candidate, inside))
    described = describe_candidates([c for c, _ in drafts], sentences, transcript)
    return Chosen(
        tuple(
            Draft(candidate.range, candidate.text, description, None)
            for (candidate, _), description in zip(drafts, described, strict=True)
        ),
        (),
        None,
    )


def why_nothing(
    transcript: Transcript, options: SelectOptions, name: str, length_s: float | None
) -> str:
    """The reason for a source without candidates; its length is None when only words are known."""
    if not transcript.segments:
        return no_speech(name)
    if length_s is not None and length_s < options.min_s:
        return f"{name} lasts {length_s:.1f} s, less than --min {options.min_s:g}"
    return (
        f"no stretch of whole sentences in {name} lasts between {options.min_s:g}"
        f" and {options.max_s:g} s"
    )


def nothing_to_clip(notice: str, folder: Path) -> NothingToClip:
    """The error for a run that ends without a clip; its manifest is already written."""
    return NothingToClip(
        notice,
        hint=f"the reason is in {folder / 'clips.json'}; `--range START-END` clips anyway",
        folder=folder,
    )
