"""How long watched folders are waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """How long is waited for what."""

    settle_s: float = 5.0
    """A file that stayed the same for so long has stopped growing."""
    network_settle_s: float = 15.0
    """The same on a network drive, where what others write is seen late."""
    poll_s: float = 1.0
    """Between looks at files that are waited for."""
    network_poll_s: float = 5.0
    """Between looks at a network drive."""
    rescan_s: float = 60.0
    """Between looks through the whole folder, whether anything was told or not."""
    check_s: float = 5.0
    """Between looks whether the folder is there, and before a job that was refused is queued."""
    retry_s: float = 30.0
    """Before a notice that could not be written is tried again."""
    stop_s: float = 0.9
    """Longest wait for threads that are asked to stop."""
    clock: Callable[[], float] = time.monotonic
    """Seconds that only go forward."""
