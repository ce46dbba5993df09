"""Asks a judge within limits: from the store, else over the line, again where that may help.

Each answer is an artifact of its own, so that a run that was broken off goes on, and a second one
asks nothing. Knows nothing of clips: `stages.judge` decides what is asked and what comes of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.request import JudgeOptions
from reelremix.engine.models.judge import (
    BadReply,
    Judge,
    JudgeFailed,
    Question,
    RefusedForm,
    TryAgain,
)
from reelremix.engine.stages import judge_questions
from reelremix.engine.stages.artifact import key_for, load, save

STAGE = "judge"
VERSION = 1
TRIES = 3
"""Of one question, the first included."""
MOST_BAD = 3
"""Questions in a row without a usable answer, after which the judge is left alone."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one question is waited for."""

    call_s: float = 45.0
    """A local server may load its model first."""
    pause_s: float = 0.5
    """Before the second try; doubled before the third."""
    clock: Callable[[], float] = time.monotonic


class OtherModel(Exception):
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


class Panel:
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
        self._began = self._patience.clock()
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
        return (self._patience.clock() - self._began) / self._options.budget_s

    def ask(self, question: Question, read: Callable[[str], T]) -> T | None:
        """The answer; None when there is none that can be used.

        Raises:
            OtherModel: once, before the first question that is really asked.
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
                raise OtherModel

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
            save(self._ctx, key, StoredAnswer(reply.text.encode(errors="replace").decode()))
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
        return max(0.0, self._options.budget_s - (self._patience.clock() - self._began))

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
        f"raise the setting judge_{setting}; answers are kept, so the same command goes on from"
        " here (`clip` with `--overwrite`)",
    )
