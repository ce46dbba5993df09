"""Times as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as people read them: 7:05 or 1:02:03."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def span(start_s: float, end_s: float) -> str:
    """A stretch: 7:05-7:41."""
    return f"{clock(start_s)}-{clock(end_s)}"
