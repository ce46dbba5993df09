"""Which moments of a source become clips: candidates proposed, scored and selected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from reelremix.engine.adapting import own_ranking
from reelremix.engine.domain.candidate import Candidate, Rejection, Score
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import CandidateScored, Warned
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.timeline import Timeline, Topic
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.clock import clock
from reelremix.engine.hearing import Heard, no_speech
from reelremix.engine.models.sentences import MINILM, MiniLm, Vectors
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.describe import Description
from reelremix.engine.stages.evidence import shorten
from reelremix.engine.stages.judge import Judged, judge_selection
from reelremix.engine.stages.lexicon import Lexicon, tokenize
from reelremix.engine.stages.meaning import sentence_vectors, text_vector
from reelremix.engine.stages.narrow import narrow
from reelremix.engine.stages.overview import overview
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.quotes import Spoken
from reelremix.engine.stages.relevance import RELEVANT, read_question
from reelremix.engine.stages.score import may_use_meaning, score_candidates
from reelremix.engine.stages.select import Floor, Selection, select_clips
from reelremix.engine.stages.signals import choose_lexicon
from reelremix.engine.stages.topics import chapter_topics, find_topics
from reelremix.engine.stages.trim import trimmed
from reelremix.errors import ModelNotInstalled, NothingToClip

UNRANKED = "moments are chosen by wording alone, not by meaning: model 'minilm' is not installed"
NOT_UNDERSTOOD = "what is said is not understood in {}: hooks, feelings and chances are unknown"
ENGLISH_ALONE = "moments are chosen by length, turns, names, numbers and sound; English has more"
WORDS_ALONE = "what --about asks for is compared by words alone, not by meaning"
INSTALL = f"`reelremix models install {MINILM}` finds what is said in other words too"
CUT_SHORT = "the range {:g}-{:g} goes on behind the last picture; its clip ends there, at {:.2f} s"
END_SLACK_S = 0.5
"""Transcripts may be this much longer than their recording: times are rounded, streams differ."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A chosen moment before anything is known of its picture."""

    range: TimeRange
    text: str
    sentences: tuple[Sentence, ...]
    """What is said in it; their edges may lie outside."""
    description: Description | None
    """The judge's; None where nobody was asked for one."""
    score: Score | None
    judge: Judgement | None = None
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which moments become clips."""

    drafts: tuple[Draft, ...]
    rejected: tuple[Rejection, ...]
    notice: str | None
    sentences: tuple[Sentence, ...] = ()
    """All of the source."""
    timeline: Timeline | None = None
    """None for given ranges, which nobody judged."""
    ranker: str | None = None
    """What ordered them: see `Ranking`; None for given ranges."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every stretch of a source that could be a clip, scored."""

    sentences: tuple[Sentence, ...]
    candidates: list[Candidate]
    """Where something was asked for, those that are about it."""
    timeline: Timeline
    ranker: str
    """`shipped`, `personal` with a fingerprint, or `signals`."""
    nothing: str | None = None
    """Why none is about what was asked for; None where one is, or nothing was asked for."""


def rank(
    heard: Heard, options: SelectOptions, duration_s: float | None, ctx: RunContext
) -> Ranking:
    """Propose and score; `duration_s` is the source's, None where only words are known."""
    transcript = heard.transcript
    with stage(ctx, "propose"):
        sentences = split_sentences(transcript)
        candidates = propose_candidates(
            sentences, options.min_s, options.max_s, duration_s=duration_s
        )
        if duration_s is not None:  # a transcript that was given may go on behind the end
            candidates = [c for c in candidates if c.range.end_s <= duration_s + END_SLACK_S]
    lexicon = choose_lexicon(transcript.language, (tokenize(s.text) for s in sentences))
    vectors = _meaning(sentences, lexicon, transcript.language, ctx) if candidates else None
    is_learned = vectors is not None and may_use_meaning(sentences, lexicon)
    own = own_ranking(ctx) if is_learned else None
    told = f"ranked with your feedback, {own.decisions} decisions" if own else ""
    by = own.name if own else "shipped" if is_learned else "signals"
    with stage(ctx, "score", told):
        ranker = own.ranker if own else None
        scored = score_candidates(
            candidates, sentences, transcript, vectors, ranker, track=heard.track
        )
        topics = _topics(heard, sentences, vectors)
        end_s = duration_s or max((s.range.end_s for s in sentences), default=0.0)
        timeline = overview(scored, topics, transcript.events, end_s)
    ranking = Ranking(sentences, scored, timeline, by)
    return ranking if options.about is None else on_subject(ranking, options.about, vectors, ctx)


def _topics(
    heard: Heard, sentences: Sequence[Sentence], vectors: Vectors | None
) -> tuple[Topic, ...]:
    """What the source is about: its chapters, else where its subject changes, if that is known."""
    if heard.chapters:
        return chapter_topics(sentences, heard.chapters)
    return find_topics(sentences, vectors) if vectors is not None else ()


def on_subject(ranking: Ranking, about: str, vectors: Vectors | None, ctx: RunContext) -> Ranking:
    """The ranking without the moments that are not about a subject."""
    question = read_question(about, "--about")
    if vectors is not None:
        question = replace(question, vector=text_vector(about, _minilm(ctx)))
    elif ranking.candidates:
        ctx.reporter.emit(_words_alone(ctx))
    with stage(ctx, "narrow"):
        found = narrow(ranking.candidates, ranking.sentences, question, vectors)
    nothing = (
        None if found.candidates or found.nearest is None else nothing_about(about, found.nearest)
    )
    return replace(ranking, candidates=found.candidates, nothing=nothing)


def _words_alone(ctx: RunContext) -> Warned:
    """That meanings are not known: for want of the model, or of a model of this language."""
    try:
        ctx.models.folder(MINILM)
    except ModelNotInstalled:
        return Warned(f"{WORDS_ALONE}: model '{MINILM}' is not installed", INSTALL)
    return Warned(f"{WORDS_ALONE}, which is known for English only")


def nothing_about(about: str, nearest: Match) -> str:
    """The reason for a source that says nothing on a subject."""
    return (
        f'nothing here is about "{shorten(about, 80)}"; the nearest,'
        f' at {clock(nearest.range.start_s)}, is "{nearest.quote}"'
        f" ({nearest.score:.0f} of 100, {RELEVANT:.0f} needed)"
    )


def _meaning(
    sentences: Sequence[Sentence],
    lexicon: Lexicon | None,
    language: str | None,
    ctx: RunContext,
) -> Vectors | None:
    """What each sentence means; None where that is not known, which is told."""
    if lexicon is None:
        ctx.reporter.emit(Warned(NOT_UNDERSTOOD.format(language or "this language"), ENGLISH_ALONE))
        return None
    try:
        embedder = _minilm(ctx)
    except ModelNotInstalled:
        ctx.reporter.emit(
            Warned(UNRANKED, f"`reelremix models install {MINILM}` finds better ones")
        )
        return None
    return sentence_vectors(sentences, embedder, ctx)


def _minilm(ctx: RunContext) -> MiniLm:
    folder = ctx.models.folder(MINILM)
    return ctx.models.loaded(MINILM, folder, lambda: MiniLm(folder))


def select_scored(
    candidates: Sequence[Candidate], count: int | None, language: str | None
) -> Selection:
    """The ranking that `score` shows: as many as asked where the material allows."""
    return select_clips(candidates, count, language=language)


def shortfall(selection: Selection, options: SelectOptions) -> str | None:
    """Why there are fewer moments than asked for; None when there are not."""
    if options.about is None or selection.shortfall is None:
        return selection.shortfall
    return f'no other moment with room for it is about "{shorten(options.about, 80)}"'


def choose(heard: Heard, options: SelectOptions, subject: Subject, ctx: RunContext) -> Chosen:
    """The moments to clip: the given ranges, or the best set above the floor."""
    transcript = heard.transcript
    if options.ranges:
        return _given(transcript, options, subject, ctx)
    end_s = subject.presentation.picture_end.seconds
    ranking = rank(heard, options, end_s, ctx)
    best = partial(select_clips, ranking.candidates, floor=Floor(), language=transcript.language)
    with stage(ctx, "select"):
        selection = best(options.count)
    spoken = Spoken(ranking.sentences, transcript, end_s)
    judged = judge_selection(selection, best, spoken, options, ctx)
    judged = trimmed_openings(judged, spoken, options.min_s)
    selection = judged.selection
    for candidate in selection.chosen:
        total = candidate.score.total if candidate.score else None
        ctx.reporter.emit(CandidateScored(candidate.range.start_s, candidate.range.end_s, total))
    drafts = _drafts(judged, spoken)
    notice = shortfall(selection, options)
    if not drafts:
        length_s = subject.presentation.duration.seconds
        name = subject.source.name
        left_out = all_left_out(selection.rejected)
        notice = ranking.nothing or left_out or why_nothing(transcript, options, name, length_s)
    sentences = tuple(ranking.sentences)
    return Chosen(drafts, selection.rejected, notice, sentences, ranking.timeline, ranking.ranker)


def trimmed_openings(judged: Judged, spoken: Spoken, min_s: float) -> Judged:
    """The chosen clips without the fillers that they open with."""
    chosen = tuple(trimmed(candidate, spoken, min_s) for candidate in judged.selection.chosen)
    return replace(judged, selection=replace(judged.selection, chosen=chosen))


def _drafts(judged: Judged, spoken: Spoken) -> tuple[Draft, ...]:
    """The chosen clips, with what the judge said of them."""
    return tuple(
        Draft(
            candidate.range,
            candidate.text,
            tuple(spoken.sentences[candidate.first_sentence : candidate.last_sentence + 1]),
            opinion.description if opinion else None,
            candidate.score,
            opinion.judgement if opinion else None,
            candidate.match,
        )
        for candidate, opinion in zip(judged.selection.chosen, judged.opinions, strict=True)
    )


def _given(
    transcript: Transcript, options: SelectOptions, subject: Subject, ctx: RunContext
) -> Chosen:
    end = subject.presentation.picture_end
    sentences = split_sentences(transcript)
    candidates = []
    for asked in options.ranges:
        span = TimeRange(asked.start, min(asked.end, end))
        if asked.end_s > end.seconds + END_SLACK_S:
            ctx.reporter.emit(Warned(CUT_SHORT.format(asked.start_s, asked.end_s, end.seconds)))
        heard = [i for i, s in enumerate(sentences) if s.range.overlap_s(span) > 0]
        inside = [
            i
            for i in heard
            if sentences[i].range.overlap_s(span) > sentences[i].range.duration_s / 2
        ] or heard
        text = " ".join(sentences[i].text for i in inside)
        first, last = (inside[0], inside[-1]) if inside else (0, -1)
        candidates.append(Candidate(span, text, first, last))
    spoken = Spoken(sentences, transcript, end.seconds)
    judged = judge_selection(Selection(tuple(candidates), ()), None, spoken, options, ctx)
    return Chosen(_drafts(judged, spoken), (), None, tuple(sentences))


def all_left_out(rejected: Sequence[Rejection]) -> str | None:
    """The reason for a source whose moments were all left out; None where there were none."""
    if not rejected:
        return None
    counted = Counter(rejection.reason for rejection in rejected).most_common(3)
    told = ", ".join(f"{count} × {reason}" for reason, count in counted)
    return f"every moment was left out: {told}"


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
