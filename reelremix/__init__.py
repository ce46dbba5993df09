"""ReelRemix turns long videos into short vertical captioned clips on the creator's own machine."""

from __future__ import annotations

__version__ = "0.1.0"
