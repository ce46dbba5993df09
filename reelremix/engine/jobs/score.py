"""The best moments of a recording or of a transcript, without making clips of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from reelremix.engine import choosing, hearing, pipeline
from reelremix.engine.bounds import check_select
from reelremix.engine.domain.request import ScoreRequest
from reelremix.engine.export.ranking import ranking_to_dict
from reelremix.engine.hearing import Heard
from reelremix.engine.jobs.job import Job, working_on
from reelremix.engine.stages.judge import judge_selection
from reelremix.engine.stages.quotes import Spoken
from reelremix.engine.web import is_url
from reelremix.errors import ConfigError


def score(request: ScoreRequest, job: Job) -> dict[str, Any]:
    """The best moments, as published; exactly as many as asked where the material allows."""
    check_select(request.select)
    heard, duration_s = _spoken(request, job)
    transcript = heard.transcript
    ranking = choosing.rank(heard, request.select, duration_s, job.ctx)
    best = partial(choosing.select_scored, ranking.candidates, language=transcript.language)
    spoken = Spoken(ranking.sentences, transcript, duration_s)
    judged = judge_selection(
        best(request.select.count),
        best,
        spoken,
        request.select,
        job.ctx,
        words=False,
    )
    judged = choosing.trimmed_openings(judged, spoken, request.select.min_s)
    selection = judged.selection
    notice = choosing.shortfall(selection, request.select)
    if not selection.chosen:
        name = Path(request.source).name
        reason = choosing.why_nothing(transcript, request.select, name, duration_s)
        notice = ranking.nothing or reason
    return ranking_to_dict(
        selection.chosen, selection.rejected, notice, ranking.timeline, judged.judgements
    )


def _spoken(request: ScoreRequest, job: Job) -> tuple[Heard, float | None]:
    """What to score: a transcript file is read, a recording listened to."""
    path = Path(request.source)
    if not is_url(request.source) and path.suffix.lower() in (".json", ".srt", ".vtt"):
        if request.transcribe.transcript is not None:
            raise ConfigError(
                f"{path.name} is a transcript itself, so `--transcript` has nothing to add",
                hint="name the recording, or leave `--transcript` out",
            )
        options = replace(request.transcribe, transcript=request.source)
        return Heard(hearing.read_given(options), "cpu"), None
    opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
    with working_on(opened, job) as subject:
        heard = hearing.hear(subject, request.transcribe, job.ctx)
        return heard, subject.presentation.duration.seconds
