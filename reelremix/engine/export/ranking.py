"""Candidates, scores and the timeline as published: what `reelremix score --json` prints.

The same parts stand in `clips.json`; a whole clip is written in `clip_entry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from reelremix.engine.domain.candidate import Axis, Candidate, Kind, Reason, Rejection, Score
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.timeline import Timeline
from reelremix.engine.export.times import range_to_dict

VERSION = 1


def score_to_dict(score: Score | None) -> dict[str, Any]:
    """Total, all six axes and the evidence."""
    axes = score.axes if score else {}
    return {
        "total": score.total if score else None,
        "axes": {axis.value: axes.get(axis) for axis in Axis},
        "reasons": [_reason(r) for r in score.reasons] if score else [],
        "kinds": [_kind(k) for k in score.kinds] if score else [],
    }


def ranking_to_dict(
    candidates: Sequence[Candidate],
    rejected: Sequence[Rejection],
    notice: str | None,
    timeline: Timeline | None = None,
    judgements: Sequence[Judgement | None] = (),
) -> dict[str, Any]:
    """The published form of a ranking: `reelremix score --json`, version 1.

    `judgements` go with the candidates, as far as there are any.
    """
    return {
        "version": VERSION,
        "candidates": [
            {
                "rank": number,
                **range_to_dict(candidate.range),
                "score": candidate.score.total if candidate.score else None,
                **{k: v for k, v in score_to_dict(candidate.score).items() if k != "total"},
                "text": candidate.text,
                **matched(candidate.match),
                **judged(judgement),
            }
            for number, (candidate, judgement) in enumerate(
                zip_longest(candidates, judgements), start=1
            )
        ],
        "rejected": [rejection_to_dict(r) for r in rejected],
        "notice": notice,
        "timeline": timeline_to_dict(timeline),
    }


def timeline_to_dict(timeline: Timeline | None) -> dict[str, Any] | None:
    """The source at a glance."""
    if timeline is None:
        return None
    return {
        "step_s": timeline.step_s,
        "score": list(timeline.score),
        "topics": [{**range_to_dict(t.range), "words": list(t.words)} for t in timeline.topics],
        "events": [
            {"kind": e.kind, **range_to_dict(e.range), "probability": e.probability}
            for e in timeline.events
        ],
    }


def rejection_to_dict(rejection: Rejection) -> dict[str, Any]:
    """One entry of `rejected`."""
    return {
        **range_to_dict(rejection.range),
        "score": rejection.score,
        "reason": rejection.reason,
    }


def judged(judgement: Judgement | None) -> dict[str, Any]:
    """The key `judge` with what a judge said; nothing without one."""
    if judgement is None:
        return {}
    return {
        "judge": {
            "model": judgement.model,
            "wins": judgement.wins,
            "losses": judgement.losses,
            "hook": judgement.hook,
            "notes": list(judgement.notes),
        }
    }


def matched(match: Match | None) -> dict[str, Any]:
    """The key `match` with what speaks for a stretch; nothing where nothing was asked for."""
    if match is None:
        return {}
    return {
        "match": {
            "score": match.score,
            "quote": match.quote,
            **range_to_dict(match.range),
            "words": list(match.words),
        }
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "axis": reason.axis.value,
        "text": reason.text,
        "quote": reason.quote,
        **range_to_dict(reason.range),
    }


def _kind(kind: Kind) -> dict[str, Any]:
    return {"kind": kind.name, "text": kind.text, "quote": kind.quote, **range_to_dict(kind.range)}
