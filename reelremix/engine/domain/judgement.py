"""What an optional judge said of a clip.

How it is asked lives in `models.judge`, what is made of its answers in `stages.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's opinion of one clip; it never touches the score."""

    model: str
    wins: int
    """Comparisons with another finalist that the clip won."""
    losses: int
    hook: str | None = None
    """A line to open with; None when the judge was not asked for words, or gave no usable ones."""
    notes: tuple[str, ...] = ()
    """What was made of the judge's quotes, and what was refused."""
