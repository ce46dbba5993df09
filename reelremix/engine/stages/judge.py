"""The optional judge at work: finalists compared head to head, the chosen ones put into words.

Nothing fails because of a judge. When it cannot be reached, answers badly or has used up what it
may cost, what it said so far counts and the rest stays as it was. It decides the order of the
finalists and the words a clip is published under; the score is never its business, and a cut moves
only to words that are found in the transcript (`stages.quotes`).

How questions are asked, tried again and remembered lives in `stages.judge_panel`, what they say in
`stages.judge_questions`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TypeVar

from reelremix.engine.domain.candidate import Candidate, Rejection
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted, Warned
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.models.judge import Judge, OpenAiJudge, Question
from reelremix.engine.models.judge_address import JudgeAddress, judge_address, judge_key
from reelremix.engine.stages import judge_questions, tournament
from reelremix.engine.stages.describe import Description
from reelremix.engine.stages.judge_panel import STAGE, OtherModel, Panel, Patience
from reelremix.engine.stages.judge_questions import Wording
from reelremix.engine.stages.quotes import Bounds, CutRefused, Spoken, recut
from reelremix.engine.stages.select import Selection

MORE_FINALISTS = 4
"""Compared beyond the number asked for."""
MOST_FINALISTS = 16
COMPARING_SHARE = 0.6
"""Of the time; the rest is for words, which every chosen clip needs."""
PREFERRED_OTHERS = "the judge preferred other clips"
UNCHANGED = "the rest stays as it is without a judge"

T = TypeVar("T")
Widen = Callable[[int | None], Selection]
"""The best set of so many candidates."""
Record = tuple[int, int]
"""Comparisons won and lost."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the judge had to say about one clip."""

    judgement: Judgement
    description: Description | None = None
    """None keeps the ordinary one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A selection after the judge saw it."""

    selection: Selection
    opinions: tuple[Opinion | None, ...]
    """In the order of the chosen clips; None where the judge said nothing."""

    @property
    def judgements(self) -> list[Judgement | None]:
        """Without the words."""
        return [opinion.judgement if opinion else None for opinion in self.opinions]


def judge_selection(
    selection: Selection,
    widen: Widen | None,
    spoken: Spoken,
    options: SelectOptions,
    ctx: RunContext,
    *,
    words: bool = True,
    patience: Patience | None = None,
    ask_at: Callable[[JudgeAddress, str | None], Judge] = OpenAiJudge,
) -> Judged:
    """The selection as the judge would have it; unchanged where there is none.

    `widen` gives finalists beyond the selection; None keeps the chosen clips, their order and their
    cuts. Without `words` the judge compares and does no more.

    Raises:
        ConfigError: the judge's address or key cannot be used.
        Cancelled: the user asked to stop.
    """
    address = judge_address(options.judge)
    if address is None or not selection.chosen:
        return Judged(selection, (None,) * len(selection.chosen))
    key = judge_key(address)
    ctx.cancel.raise_if_set()
    began = time.monotonic()
    ctx.reporter.emit(StageStarted(STAGE, f"{address.model or 'a model'} at {address.host}"))
    with closing(ask_at(address, key)) as judge:
        panel = Panel(judge, options.judge, patience or Patience(), ctx)
        try:
            judged = _Sitting(panel, spoken, options, ctx, words).of(selection, widen)
        except OtherModel:  # what was remembered is another model's
            judged = _Sitting(panel, spoken, options, ctx, words).of(selection, widen)
    _warn(panel, ctx)
    wall_s = round(time.monotonic() - began, 3)
    ctx.reporter.emit(StageFinished(STAGE, wall_s, panel.calls == 0 and panel.ended is None))
    return judged


def _warn(panel: Panel, ctx: RunContext) -> None:
    """Tell once what did not go as asked."""
    who = f"the judge at {panel.judge.address.host}:{panel.judge.address.port}"
    if panel.ended is not None:
        why, hint = panel.ended
        after = f" after {panel.answered} answers" if panel.answered else ""
        ctx.reporter.emit(Warned(f"{who} {why}{after}; {UNCHANGED}", hint))
    elif panel.bad:
        ctx.reporter.emit(
            Warned(
                f"{who} gave no usable answer to {panel.bad} of {panel.bad + panel.answered}"
                f" questions ({panel.complaint}); {UNCHANGED}",
                "a larger model answers better: `--judge-model`",
            )
        )
    elif panel.unasked:
        ctx.reporter.emit(
            Warned(
                f"{who} was too slow to compare {panel.unasked} more pairs of finalists",
                "raise the setting judge_budget_s",
            )
        )


class _Sitting:
    """One selection in front of the judge."""

    def __init__(
        self,
        panel: Panel,
        spoken: Spoken,
        options: SelectOptions,
        ctx: RunContext,
        words: bool,
    ) -> None:
        self._panel = panel
        self._spoken = spoken
        self._options = options
        self._ctx = ctx
        self._words = words
        self._done = 0
        self._total = 0

    def of(self, selection: Selection, widen: Widen | None) -> Judged:
        """The selection with order, words and cuts as the judge has them."""
        records: list[Record] = [(0, 0)] * len(selection.chosen)
        self._total = len(records) if self._words else 0
        if widen is not None:
            wide = selection if self._options.count is None else _widened(selection, widen)
            selection, records = self._ranked(selection, wide)
        chosen = list(selection.chosen)
        opinions = []
        for place, wording in enumerate(self._wordings(chosen)):
            notes: tuple[str, ...] = ()
            if wording is not None and widen is not None:
                chosen[place], notes = self._cut(chosen, place, wording)
            opinions.append(self._opinion(records[place], wording, notes))
        return Judged(replace(selection, chosen=tuple(chosen)), tuple(opinions))

    def _ranked(self, selection: Selection, wide: Selection) -> tuple[Selection, list[Record]]:
        """The best of the finalists by who beat whom, and how often each won and lost."""
        count, size = len(selection.chosen), min(len(wide.chosen), MOST_FINALISTS)
        pairs = tournament.meetings(size, self._options.judge.calls - self._total)
        self._total += len(pairs)
        results = self._compare(wide.chosen, pairs)
        if not results:
            return selection, [(0, 0)] * count
        placed = tournament.order(size, results) + list(range(size, len(wide.chosen)))
        records = [
            (sum(w == p for w, _ in results), sum(lost == p for _, lost in results)) for p in placed
        ]
        lost = [
            _lost(wide.chosen[place], any(record))
            for place, record in list(zip(placed, records, strict=True))[count:]
        ]
        chosen = tuple(wide.chosen[place] for place in placed[:count])
        return Selection(chosen, (*lost, *wide.rejected), selection.shortfall), records

    def _compare(
        self, finalists: Sequence[Candidate], pairs: Sequence[tournament.Meeting]
    ) -> list[tuple[int, int]]:
        """Winner and loser of each meeting that was decided."""
        results: list[tuple[int, int]] = []
        for number, (left, right) in enumerate(pairs):
            if self._panel.share_used() > COMPARING_SHARE and self._words:
                self._panel.unasked = len(pairs) - number
                break
            question = judge_questions.comparison(finalists[left].text, finalists[right].text)
            winner = self._ask(question, judge_questions.read_winner)
            if winner is not None:
                won = winner == judge_questions.SIDES[0]
                results.append((left, right) if won else (right, left))
        return results

    def _wordings(self, chosen: Sequence[Candidate]) -> list[Wording | None]:
        if not self._words:
            return [None] * len(chosen)
        return [self._wording(candidate) for candidate in chosen]

    def _wording(self, candidate: Candidate) -> Wording | None:
        if not candidate.text:
            return None
        before, after = self._around(candidate)
        question = judge_questions.description(before, candidate.text, after)
        return self._ask(question, judge_questions.read_wording)

    def _around(self, candidate: Candidate) -> tuple[str, str]:
        """What is said in the sentence before and in the one after."""
        sentences = self._spoken.sentences
        first, last = candidate.first_sentence, candidate.last_sentence
        return (
            join_words(s.text for s in sentences[max(0, first - 1) : first]),
            join_words(s.text for s in sentences[last + 1 : last + 2]),
        )

    def _ask(self, question: Question, read: Callable[[str], T]) -> T | None:
        value = self._panel.ask(question, read)
        self._done += 1
        self._ctx.reporter.emit(StageProgress(STAGE, self._done, self._total, "calls"))
        return value

    def _cut(
        self, chosen: Sequence[Candidate], place: int, wording: Wording
    ) -> tuple[Candidate, tuple[str, ...]]:
        """A clip between the quoted words, and what is to be said about it."""
        candidate = chosen[place]
        others = tuple(c.range for n, c in enumerate(chosen) if n != place)
        bounds = Bounds(self._options.min_s, self._options.max_s, others)
        try:
            moved = recut(candidate, wording.first_words, wording.last_words, self._spoken, bounds)
        except CutRefused as exc:
            return candidate, (f"the judge's cut was refused: {exc}",)
        if moved is candidate:
            return candidate, ()
        was = candidate.range
        note = f"cut moved by the judge; the score is that of {was.start_s:g} to {was.end_s:g} s"
        return moved, (note,)

    def _opinion(
        self, record: Record, wording: Wording | None, notes: tuple[str, ...]
    ) -> Opinion | None:
        if wording is None and not any(record):
            return None
        hook = wording.hook if wording else None
        judgement = Judgement(self._panel.model, *record, hook, notes)
        if wording is None:
            return Opinion(judgement)
        described = Description(wording.title, wording.description, wording.hashtags)
        return Opinion(judgement, described)


def _widened(selection: Selection, widen: Widen) -> Selection:
    """The selection and a few more behind it; itself where more clips would be other clips."""
    if selection.shortfall is not None:
        return selection
    wide = widen(len(selection.chosen) + MORE_FINALISTS)
    is_more = wide.chosen[: len(selection.chosen)] == selection.chosen
    return wide if is_more else selection


def _lost(candidate: Candidate, met: bool) -> Rejection:
    total = candidate.score.total if candidate.score else None
    return Rejection(candidate.range, total, PREFERRED_OTHERS if met else "others are stronger")
