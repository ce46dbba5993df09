"""What is said in a recording, and nothing else."""

from __future__ import annotations

from reelremix.engine import hearing, pipeline
from reelremix.engine.domain.request import TranscribeRequest
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.jobs.job import Job, working_on


def transcribe(request: TranscribeRequest, job: Job) -> Transcript:
    """Listen to a recording, or read what is given."""
    opened = pipeline.prepared(request.source, request.audio_stream, job.ctx)
    with working_on(opened, job) as subject:
        return hearing.hear(subject, request.transcribe, job.ctx).transcript
