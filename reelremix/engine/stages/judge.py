"""The optional judge at work: finalists compared head to head, the chosen ones put into words.

Nothing fails because of a judge. When it cannot be reached, answers badly or has used up what it
may cost, what it said so far counts and the rest stays as it was. It decides the order of the
finalists and the words a clip is published under; the score is never its business, and a cut moves
only to words that are found in the transcript (`stages.quotes`).

Each answer is an artifact of its own, so that a run that was broken off goes on, and a second one
asks nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from reelremix.engine.domain.candidate import Candidate, Rejection
from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted, Warned
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.request import JudgeOptions, SelectOptions
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.models.judge import (
    BadReply,
    Judge,
    JudgeFailed,
    OpenAiJudge,
    Question,
    RefusedForm,
    TryAgain,
)
from reelremix.engine.models.judge_address import JudgeAddress, judge_address, judge_key
from reelremix.engine.stages import judge_questions, tournament
from reelremix.engine.stages.artifact import key_for, load, save
from reelremix.engine.stages.describe import Description
from reelremix.engine.stages.judge_questions import Wording
from reelremix.engine.stages.quotes import Bounds, CutRefused, Spoken, recut
from reelremix.engine.stages.select import Selection

STAGE = "judge"
VERSION = 1
MORE_FINALISTS = 4
"""Compared beyond the number asked for."""
MOST_FINALISTS = 16
COMPARING_SHARE = 0.6
"""Of the time; the rest is for words, which every chosen clip needs."""
TRIES = 3
"""Of one question, the first included."""
MOST_BAD = 3
"""Questions in a row without a usable answer, after which the judge is left alone."""
PREFERRED_OTHERS = "the judge preferred other clips"
UNCHANGED = "the rest keeps the ordinary ranking and titles"

T = TypeVar("T")
Widen = Callable[[int], Selection]
"""The best set of so many candidates."""


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


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one question is waited for."""

    call_s: float = 45.0
    """A local server may load its model first."""
    pause_s: float = 0.5
    """Before the second try; doubled before the third."""


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
        panel = _Panel(judge, options.judge, patience or Patience(), ctx)
        try:
            judged = _Sitting(panel, spoken, options, ctx, words).of(selection, widen)
        except _OtherModel:  # what was remembered is another model's
            judged = _Sitting(panel, spoken, options, ctx, words).of(selection, widen)
    _warn(panel, ctx)
    wall_s = round(time.monotonic() - began, 3)
    ctx.reporter.emit(StageFinished(STAGE, wall_s, panel.calls == 0 and panel.ended is None))
    return judged


def _warn(panel: _Panel, ctx: RunContext) -> None:
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


class _OtherModel(Exception):
    """The server lists another model than the one remembered."""


class _Ended(Exception):
    """The judge is asked nothing more in this run."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A text that was an answer when it came."""

    text: str


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What a server called its first model."""

    name: str


class _Panel:
    """Asks within limits: from the store, else the judge, again where that may help."""

    def __init__(
        self, judge: Judge, options: JudgeOptions, patience: Patience, ctx: RunContext
    ) -> None:
        self.judge = judge
        self.calls = 0
        self.answered = 0
        self.bad = 0
        self.complaint = ""
        self.unasked = 0
        """Questions left out to have time for others."""
        self.ended: tuple[str, str | None] | None = None
        """Why the judge is asked nothing more, and what to do about it."""
        self._options = options
        self._patience = patience
        self._ctx = ctx
        self._began = time.monotonic()
        self._tokens = 0
        self._bad_in_a_row = 0
        base = judge.address.base
        self._model_key = key_for(ctx, f"{STAGE}-model", VERSION, base=base)
        remembered = load(ctx, self._model_key, StoredModel)
        self._is_sure = judge.address.model is not None
        self._model = judge.address.model or (remembered.name if remembered else None)

    @property
    def model(self) -> str:
        """The model's name, without the folders a local server may put before it."""
        name = self._model or "unknown"
        is_path = name.startswith(("/", "~", "\\")) or name[1:3] == ":\\" or name.endswith(".gguf")
        return PurePath(name.replace("\\", "/")).name if is_path else name

    def share_used(self) -> float:
        """How much of the time is gone, 0 to 1 and above."""
        return (time.monotonic() - self._began) / self._options.budget_s

    def ask(self, question: Question, read: Callable[[str], T]) -> T | None:
        """The answer; None when there is none that can be used.

        Raises:
            _OtherModel: once, before the first question that is really asked.
            Cancelled: the user asked to stop.
        """
        self._ctx.cancel.raise_if_set()
        try:
            if self._model is None:
                self._find_model()
            return self._answer(question, read)
        except _Ended:
            return None

    def _answer(self, question: Question, read: Callable[[str], T]) -> T | None:
        """From the store, even after the judge has ended, or asked."""
        key = self._key(question)
        stored = load(self._ctx, key, StoredAnswer)
        if stored is not None:
            try:
                value = read(stored.text)
            except BadReply:
                self._ctx.artifacts.delete(key)
            else:
                self.answered += 1
                return value
        if not self._is_sure:
            self._find_model()
        return self._asked(question, read)

    def _key(self, question: Question) -> ArtifactKey:
        return key_for(
            self._ctx,
            STAGE,
            VERSION,
            base=self.judge.address.base,
            model=self._model,
            form=judge_questions.VERSION,
            question=question,
        )

    def _find_model(self) -> None:
        """Ask which model there is, and remember it."""
        self._require_open()
        before, self._is_sure = self._model, True
        name = self._tried(lambda timeout_s, _: self.judge.first_model(timeout_s, self._ctx.cancel))
        if name is None:
            raise self._end("lists no model", "name one with `--judge-model`")
        self._model = name
        if name != before:
            save(self._ctx, self._model_key, StoredModel(name))
            if before is not None:
                self.answered = 0
                raise _OtherModel

    def _asked(self, question: Question, read: Callable[[str], T]) -> T | None:
        self._require_open()
        model = self._model
        assert model is not None
        key = self._key(question)

        def attempt(timeout_s: float, complaint: str | None) -> T:
            cancel = self._ctx.cancel
            reply = self.judge.ask(model, question, timeout_s, cancel, complaint=complaint)
            self._tokens += reply.tokens
            value = read(reply.text)
            save(self._ctx, key, StoredAnswer(reply.text))
            return value

        value = self._tried(attempt)
        if value is None:
            self.bad += 1
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= MOST_BAD:
                raise self._end(
                    f"gave no usable answer {MOST_BAD} times in a row ({self.complaint})",
                    "a larger model answers better: `--judge-model`",
                )
            return None
        self.answered += 1
        self._bad_in_a_row = 0
        return value

    def _tried(self, attempt: Callable[[float, str | None], T]) -> T | None:
        """What an attempt gives, with pauses between the tries; None after bad replies alone."""
        complaint = None
        for number in range(1, TRIES + 1):
            pause_s = self._patience.pause_s * 2 ** (number - 1)
            try:
                return attempt(self._next_call_s(), complaint)
            except BadReply as exc:
                self.complaint = exc.why
                complaint = None if isinstance(exc, RefusedForm) else exc.why
            except TryAgain as exc:
                if number == TRIES:
                    raise self._end(exc.why, exc.hint or "check the server's own log") from exc
                pause_s = max(pause_s, exc.pause_s)
            except JudgeFailed as exc:
                hint = exc.hint or "start the server, or leave `--judge` out"
                raise self._end(exc.why, hint) from exc
            if number < TRIES and self._ctx.cancel.wait(min(pause_s, self._left_s())):
                self._ctx.cancel.raise_if_set()
        return None

    def _left_s(self) -> float:
        return max(0.0, self._options.budget_s - (time.monotonic() - self._began))

    def _next_call_s(self) -> float:
        """How long the next call may take; counts it."""
        options = self._options
        if self._left_s() <= 0:
            raise self._end(*_used_up(f"its time ({options.budget_s:g} s)", "budget_s"))
        if self.calls >= options.calls:
            raise self._end(*_used_up(f"its calls ({options.calls})", "calls"))
        if self._tokens >= options.tokens:
            raise self._end(*_used_up(f"its tokens ({options.tokens})", "tokens"))
        self.calls += 1
        return min(self._patience.call_s, self._left_s())

    def _require_open(self) -> None:
        if self.ended is not None:
            raise _Ended

    def _end(self, why: str, hint: str | None) -> _Ended:
        self.ended = (why, hint)
        return _Ended(why)


def _used_up(what: str, setting: str) -> tuple[str, str]:
    return (
        f"has used up {what}",
        f"raise the setting judge_{setting}; answers are kept, so `--overwrite` goes on from here",
    )


class _Sitting:
    """One selection in front of the judge."""

    def __init__(
        self,
        panel: _Panel,
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
        count = len(selection.chosen)
        wide = selection if widen is None else _widened(selection, widen)
        finalists = list(wide.chosen)
        most = min(len(finalists), MOST_FINALISTS) if widen is not None else 0
        described = count if self._words else 0
        pairs = tournament.meetings(most, self._options.judge.calls - described)
        self._total = len(pairs) + described
        results = self._compare(finalists, pairs)
        placed = tournament.order(most, results) + list(range(most, len(finalists)))
        chosen = [finalists[place] for place in placed[:count]]
        record = [
            (sum(w == p for w, _ in results), sum(lost == p for _, lost in results)) for p in placed
        ]
        wordings = self._wordings(chosen)
        opinions = []
        for place, wording in enumerate(wordings):
            notes: tuple[str, ...] = ()
            if wording is not None and widen is not None:
                chosen[place], notes = self._cut(chosen, place, wording)
            opinions.append(self._opinion(record[place], wording, notes))
        lost = [_lost(finalists[place], any(record[n])) for n, place in enumerate(placed)][count:]
        return Judged(
            Selection(tuple(chosen), (*lost, *wide.rejected), selection.shortfall), tuple(opinions)
        )

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
        self, record: tuple[int, int], wording: Wording | None, notes: tuple[str, ...]
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
