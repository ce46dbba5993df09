"""Frames as editors count them: rates that a timeline can have, and SMPTE timecode.

A rate is whole, or a whole one slowed by 1000/1001. Dropping counts leave out two numbers (four at
60) each minute but every tenth, so that the count keeps up with the clock; no frame is left out.
"""

from __future__ import annotations

import re
from fractions import Fraction

NTSC = Fraction(1000, 1001)
COMMON_RATES = (
    24 * NTSC, Fraction(24), Fraction(25), 30 * NTSC, Fraction(30), Fraction(48), Fraction(50),
    60 * NTSC, Fraction(60),
)  # fmt: skip
HIGHEST_RATE = 120
SAME_RATE = Fraction(2, 100_000)
"""Containers write 29.97 for 30000/1001: what differs by less is the same rate."""
_TIMECODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")


def editing_rate(rate: Fraction) -> Fraction | None:
    """The rate of a timeline that shows every frame of this one; None where there is none."""
    for whole in (round(rate), round(rate / NTSC)):
        for candidate in (Fraction(whole), whole * NTSC):
            if 1 <= whole <= HIGHEST_RATE and abs(candidate - rate) <= candidate * SAME_RATE:
                return candidate
    return None


def nearest_rate(rate: Fraction) -> Fraction:
    """The rate itself where a timeline can have it, else the nearest common one."""
    return editing_rate(rate) or min(COMMON_RATES, key=lambda common: abs(common - rate))


def timebase(rate: Fraction) -> int:
    """Frames counted in a second of timecode: 30 at 29.97."""
    return round(rate)


def is_ntsc(rate: Fraction) -> bool:
    """Whether it is a whole rate slowed by 1000/1001."""
    return rate.denominator == NTSC.denominator


def may_drop(rate: Fraction) -> bool:
    """Whether counts at this rate may drop numbers: 29.97, 59.94 and 119.88 do."""
    return is_ntsc(rate) and timebase(rate) % 30 == 0


def timecode_of(frame: int, rate: Fraction, *, drop: bool) -> str:
    """The timecode of a frame: `01:00:00:00`, or `01:00:00;00` where numbers are dropped."""
    count, base = frame, timebase(rate)
    if drop:
        dropped = base // 15
        tens, rest = divmod(frame, base * 600 - 9 * dropped)
        minutes = max(0, rest - dropped) // (base * 60 - dropped)
        count += dropped * (9 * tens + minutes)
    seconds, part = divmod(count, base)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}{';' if drop else ':'}{part:02d}"


def frame_of(timecode: str, rate: Fraction) -> int | None:
    """The frame that a timecode counts; None for what is no timecode at this rate."""
    match = _TIMECODE.fullmatch(timecode.strip())
    if match is None:
        return None
    hours, minutes, seconds, part = (int(match[n]) for n in (1, 2, 3, 5))
    base = timebase(rate)
    if minutes > 59 or seconds > 59 or part >= base:
        return None
    frame = ((hours * 60 + minutes) * 60 + seconds) * base + part
    if not drops(timecode) or not may_drop(rate):
        return frame
    passed = hours * 60 + minutes
    return frame - base // 15 * (passed - passed // 10)


def drops(timecode: str) -> bool:
    """Whether a timecode says that it drops numbers."""
    return ";" in timecode or "," in timecode
