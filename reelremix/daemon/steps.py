"""The steps of each kind of job, as a worker does them: plain data in, domain objects out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelremix.daemon.requests import UPGRADE
from reelremix.engine import codec
from reelremix.engine.domain.clip import Rendered
from reelremix.engine.domain.events import JobStarted
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.jobs.clip_steps import Begun, ClipSteps, Outline
from reelremix.engine.jobs.job import Cost, Job
from reelremix.engine.options import options_of
from reelremix.engine.stages.ingest import readable
from reelremix.errors import ConfigError

LATE = ("cattrs", "reelremix.engine.captions.skia_canvas")
"""Modules that all but listening load on their way."""
Plain = dict[str, Any]
Step = Callable[[Plain, Plain, Job], Any]
"""The request, what earlier steps left, and the part of the job that this is."""


def begin(request: Plain, given: Plain, job: Job) -> Begun:
    """Look at the recording; `is_first` says that nobody was told yet that the job began."""
    asked = _asked(request)
    if given["is_first"]:
        job.ctx.reporter.emit(JobStarted(readable(asked.source), options_of(asked)))
    return ClipSteps(asked, job).begin(given["source_id"])


def hear(request: Plain, given: Plain, job: Job) -> str:
    """Find out what is said and heard; returns the folder that was taken."""
    return _clip(request, job).hear(_begun(given))


def decide(request: Plain, given: Plain, job: Job) -> Outline:
    """Decide everything about the clips."""
    return _clip(request, job).decide(_begun(given))


def film(request: Plain, given: Plain, job: Job) -> Rendered | None:
    """Render one clip."""
    return _clip(request, job).film(_begun(given), given["folder"], given["clip"])


def finish(request: Plain, given: Plain, job: Job) -> Plain:
    """Hear the films again and list them."""
    films = [codec.from_plain(film, Rendered) for film in given["films"]]
    costs = [codec.from_plain(cost, Cost) for cost in given["costs"]]
    listed = _clip(request, job).finish(_begun(given), given["folder"], films, costs)
    return {"clips": len(listed.manifest["clips"]), "failed": listed.failed}


STEPS: Mapping[str, Mapping[str, Step]] = {
    "clip": {
        "begin": begin,
        "hear": hear,
        "decide": decide,
        "film": film,
        "finish": finish,
    }
}


def _clip(request: Plain, job: Job) -> ClipSteps:
    return ClipSteps(_asked(request), job)


def _asked(request: Plain) -> ClipRequest:
    """The request. Raises ConfigError for one that another version kept."""
    try:
        return codec.from_plain(request, ClipRequest)
    except ValueError as exc:
        raise ConfigError(f"the job's request cannot be read: {exc}", hint=UPGRADE) from exc


def _begun(given: Plain) -> Begun:
    return codec.from_plain(given["begun"], Begun)
