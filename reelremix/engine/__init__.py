"""The engine: everything from a recording to finished clips, without a user interface.

Names are loaded on first use, so that importing a domain type does not load FFmpeg.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelremix.engine.domain.choice import Censor as Censor
    from reelremix.engine.domain.choice import LayoutChoice as LayoutChoice
    from reelremix.engine.domain.choice import Tighten as Tighten
    from reelremix.engine.domain.choice import Zoom as Zoom
    from reelremix.engine.domain.context import CancelToken as CancelToken
    from reelremix.engine.domain.request import AddRequest as AddRequest
    from reelremix.engine.domain.request import Aspect as Aspect
    from reelremix.engine.domain.request import ClipRequest as ClipRequest
    from reelremix.engine.domain.request import EncodeOptions as EncodeOptions
    from reelremix.engine.domain.request import ExportRequest as ExportRequest
    from reelremix.engine.domain.request import FrameOptions as FrameOptions
    from reelremix.engine.domain.request import JudgeOptions as JudgeOptions
    from reelremix.engine.domain.request import PackageRequest as PackageRequest
    from reelremix.engine.domain.request import RenderRequest as RenderRequest
    from reelremix.engine.domain.request import ScoreRequest as ScoreRequest
    from reelremix.engine.domain.request import SearchRequest as SearchRequest
    from reelremix.engine.domain.request import SelectOptions as SelectOptions
    from reelremix.engine.domain.request import SoundOptions as SoundOptions
    from reelremix.engine.domain.request import TranscribeOptions as TranscribeOptions
    from reelremix.engine.domain.request import TranscribeRequest as TranscribeRequest
    from reelremix.engine.domain.time import TimeRange as TimeRange
    from reelremix.engine.exporting import ExportResult as ExportResult
    from reelremix.engine.jobs.films import ClipResult as ClipResult
    from reelremix.engine.library import Library as Library

_HOMES = {
    "CancelToken": "domain.context",
    "Library": "library",
    "ClipResult": "jobs.films",
    "ExportResult": "exporting",
    "Censor": "domain.choice",
    "LayoutChoice": "domain.choice",
    "Tighten": "domain.choice",
    "TimeRange": "domain.time",
    "Zoom": "domain.choice",
} | dict.fromkeys(
    (
        "AddRequest",
        "Aspect",
        "ClipRequest",
        "EncodeOptions",
        "ExportRequest",
        "FrameOptions",
        "JudgeOptions",
        "PackageRequest",
        "RenderRequest",
        "ScoreRequest",
        "SearchRequest",
        "SelectOptions",
        "SoundOptions",
        "TranscribeOptions",
        "TranscribeRequest",
    ),
    "domain.request",
)

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
