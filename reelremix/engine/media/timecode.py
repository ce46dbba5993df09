"""The timecode that a camera or an editor has put into a file."""

from __future__ import annotations

from pathlib import Path

from reelremix.engine.media.faults import reading
from reelremix.engine.media.probe import open_input

KEY = "timecode"


def start_timecode(path: Path, video_stream: int) -> str | None:
    """What a file counts its first picture as, such as `01:00:00;00`; None where it does not say.

    Raises:
        UnreadableMedia: the file cannot be opened.
    """
    with open_input(path) as container, reading(path):
        streams = [container.streams[video_stream], *container.streams.data]
        told = [stream.metadata.get(KEY) for stream in streams]
        return next(filter(None, [*told, container.metadata.get(KEY)]), None)
