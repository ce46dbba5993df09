"""A source at a glance, for whoever wants to see where its moments lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.timeline import Timeline, Topic
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.stages.signals import Floats, ranks

STEPS = 720
"""Most steps of a timeline: more cannot be told apart on a screen."""
SHORTEST_STEP_S = 1.0


def overview(
    candidates: Sequence[Candidate],
    topics: Sequence[Topic],
    events: Sequence[SoundEvent],
    end_s: float,
) -> Timeline:
    """The timeline of a source that lasts until `end_s`."""
    step_s = max(SHORTEST_STEP_S, math.ceil(end_s / STEPS))
    score = _best(candidates, step_s, math.ceil(end_s / step_s)) if candidates else ()
    end = Timestamp.from_seconds(end_s)
    heard = tuple(
        replace(event, range=TimeRange(event.range.start, min(event.range.end, end)))
        for event in events
        if event.kind != "silence" and event.range.start < end
    )
    return Timeline(step_s, score, tuple(topics), heard)


def _best(candidates: Sequence[Candidate], step_s: float, steps: int) -> tuple[float | None, ...]:
    """For each step the best candidate that covers its middle."""
    values = _worth(candidates)
    best = np.full(steps, -1.0)
    first = np.array([math.ceil(c.range.start_s / step_s - 0.5) for c in candidates])
    last = np.array([math.ceil(c.range.end_s / step_s - 0.5) for c in candidates])
    for i in np.argsort(values, kind="stable").tolist():  # the best last, over all others
        best[max(0, first[i]) : last[i]] = values[i]
    return tuple(None if value < 0 else round(float(value), 1) for value in best)


def _worth(candidates: Sequence[Candidate]) -> Floats:
    """Chances in percent; ranks in the source, 0 to 100, where those are not known."""
    totals = [c.score.total if c.score else None for c in candidates]
    known = [total for total in totals if total is not None]
    if len(known) == len(totals):
        return np.array(known)
    return 100 * (
        ranks(np.array([c.score.rank_value if c.score else 0.0 for c in candidates])) + 0.5
    )
