"""Moments that might become clips, and how they were judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reelremix.engine.domain.match import Match
from reelremix.engine.domain.time import TimeRange


class Axis(StrEnum):
    """What an editor looks for in a moment."""

    HOOK = "hook"
    PAYOFF = "payoff"
    STANDALONE = "standalone"
    EMOTION = "emotion"
    REACTION = "reaction"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence, quoted from the source."""

    axis: Axis
    text: str
    quote: str
    range: TimeRange


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of moment it is, with the sentence that says so most."""

    name: str
    text: str
    quote: str
    range: TimeRange


@dataclass(frozen=True, slots=True)
class Score:
    """A judgement with its evidence."""

    total: float | None
    """0 to 100: chance in percent that an editor keeps the clip; None when not calibrated."""
    axes: dict[Axis, float | None]
    """All six axes, each 0 to 100, None when unknown."""
    reasons: tuple[Reason, ...]
    rank_value: float
    """What candidates of one source are ordered by; no meaning across sources."""
    cut_value: float | None = None
    """How well it begins and ends: compares candidates that share most of what they say. None where
    that was not learned."""
    kinds: tuple[Kind, ...] = ()
    """The kinds of moment it is nearest to, the nearest first; empty where that is unknown."""
    excluded: str | None = None
    """What makes it no moment at all, such as advertising; None for nearly all."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch of whole sentences that starts and ends in silence between words."""

    range: TimeRange
    text: str
    first_sentence: int
    """Index into the transcript's sentences."""
    last_sentence: int
    """Inclusive."""
    score: Score | None = None
    match: Match | None = None
    """How it answers what was asked for; None where nothing was asked for."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that was not chosen, and why."""

    range: TimeRange
    score: float | None
    reason: str
