"""Times and marks as they are shown."""

from __future__ import annotations

STATUS_MARKS = {"kept": "✓", "dropped": "✗", None: "·"}


def clock(seconds: float) -> str:
    """7:05 or 1:02:03."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def precise_clock(seconds: float) -> str:
    """7:05.2 or 1:02:03.0."""
    tenths = round(seconds * 10)
    return f"{clock(tenths // 10)}.{tenths % 10}"


def bar(share: float, width: int) -> str:
    """How much of something, in eighths of a column."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + " ▏▎▍▌▋▊▉"[rest].strip()).ljust(width)
