"""What tightening took out of a clip, in a few words for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any


def cuts_told(tightened: Mapping[str, Any] | None) -> str | None:
    """`3.2 s: 4 fillers, 1 silence` of a manifest's `tightened`; None where nothing went."""
    removed = tightened["removed"] if tightened else ()
    if not removed:
        return None
    counted = Counter(str(cut["reason"]) for cut in removed)
    told = ", ".join(f"{n} {reason}{'s' * (n > 1)}" for reason, n in counted.most_common())
    return f"{sum(cut['end_s'] - cut['start_s'] for cut in removed):.1f} s: {told}"
