"""A ranking for people: the table of moments, and below it how to read it and what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from reelremix.cli import output
from reelremix.cli.output import clock

ROOM_FOR_AXES = 100
"""Columns of a terminal from which the axes are shown."""
MOST_REASONS = 2
MOST_TEXT = 120
MOST_CAUSES = 3
_BARS = "▁▂▃▄▅▆▇█"
_UNKNOWN_BAR = "·"
_UNKNOWN = "–"


def show(ranking: Mapping[str, Any]) -> None:
    """The table and its legend."""
    found = ranking["candidates"]
    has_axes = output.width_columns() >= ROOM_FOR_AXES and output.can_show(_BARS + _UNKNOWN_BAR)
    columns = [("#", "right"), ("score", "right"), ("from", "right"), ("to", "right"),
               *([("axes", "left")] if has_axes else []), ("why", "wrap"),
               ("text", "wrap")]  # fmt: skip
    if found:
        output.show_table(columns, [_row(candidate, has_axes=has_axes) for candidate in found])
        output.show_text(f"score: chance in percent that an editor keeps it; {_UNKNOWN} unknown")
        if has_axes:
            axes = ", ".join(found[0]["axes"])
            output.show_text(f"axes: {axes}; {_UNKNOWN_BAR} unknown")
    if rejected := ranking["rejected"]:
        output.show_text(left_out([entry["reason"] for entry in rejected]))


def left_out(reasons: Sequence[str]) -> str:
    """One line: how many, and why most of them."""
    counted = Counter(reasons).most_common()
    told = [f"{count} × {reason}" for reason, count in counted[:MOST_CAUSES]]
    if others := sum(count for _, count in counted[MOST_CAUSES:]):
        told.append(f"{others} for other reasons")
    moments = "1 moment" if len(reasons) == 1 else f"the strongest {len(reasons)} of the others"
    return f"left out: {moments} ({', '.join(told)})"


def _row(candidate: Mapping[str, Any], *, has_axes: bool) -> tuple[str, ...]:
    score, text = candidate["score"], candidate["text"]
    return (
        str(candidate["rank"]),
        _UNKNOWN if score is None else output.percent(score),
        clock(candidate["start_s"]),
        clock(candidate["end_s"]),
        *([bars(list(candidate["axes"].values()))] if has_axes else []),
        why(candidate) or _UNKNOWN,
        text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 3] + "...",
    )


def bars(axes: Sequence[float | None]) -> str:
    """A letter an axis, as high as its value."""
    return "".join(_UNKNOWN_BAR if value is None else _bar(value) for value in axes)


def _bar(value: float) -> str:
    return _BARS[min(len(_BARS) - 1, max(0, int(value / 100 * len(_BARS))))]


def why(candidate: Mapping[str, Any]) -> str:
    """What kinds of moment it is, and the best reasons."""
    found = [*candidate.get("kinds", ()), *candidate["reasons"][:MOST_REASONS]]
    told = [entry["text"] for entry in found]
    if match := candidate.get("match"):
        told.insert(0, f'says "{match["quote"]}"')
    return "; ".join(told)
