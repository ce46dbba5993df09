"""What a site says of a recording, in a file beside it: `<stem>.source.json`, version 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reelremix.engine.domain.origin import Origin, Subtitles
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.source import chapter_to_dict
from reelremix.errors import SourceError

SUFFIX = ".source.json"
VERSION = 1


def origin_file(recording: Path) -> Path:
    """Where that lies."""
    return recording.with_name(f"{recording.stem}{SUFFIX}")


def origin_to_bytes(origin: Origin, recording: str) -> bytes:
    """The content of the file; `recording` is the name of the one it lies beside."""
    subtitles = origin.subtitles
    document = {
        "version": VERSION,
        "recording": recording,
        "url": origin.url,
        "title": origin.title,
        "site": origin.site,
        "channel": origin.channel,
        "uploaded": origin.uploaded,
        "language": origin.language,
        "chapters": [chapter_to_dict(chapter) for chapter in origin.chapters],
        "subtitles": {
            "file": subtitles.file,
            "language": subtitles.language,
            "automatic": subtitles.is_automatic,
        }
        if subtitles
        else None,
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read_origin(recording: Path) -> Origin | None:
    """What a site said of a recording; None where there is no such file.

    Raises:
        SourceError: the file is damaged.
    """
    path = origin_file(recording)
    try:
        return _origin(json.loads(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise SourceError(
            f"{path.name} cannot be used: {exc}",
            hint=f"remove it; {recording.name} can be used without",
        ) from exc


def recording_of(path: Path) -> Path:
    """The recording that an origin's file lies beside. Raises ValueError for a damaged file."""
    name = json.loads(path.read_bytes())["recording"]
    if not isinstance(name, str) or Path(name).name != name:
        raise ValueError(f"{path.name} names no file beside it")
    return path.with_name(name)


def _origin(document: dict[str, Any]) -> Origin:
    listed = document.get("subtitles")
    subtitles = (
        Subtitles(str(listed["file"]), listed.get("language"), bool(listed.get("automatic")))
        if listed
        else None
    )
    chapters = tuple(
        Chapter(TimeRange.from_seconds(c["start_s"], c["end_s"]), str(c["title"]))
        for c in document.get("chapters") or ()
    )
    return Origin(
        url=str(document["url"]),
        title=str(document["title"]),
        site=str(document.get("site", "")),
        channel=document.get("channel"),
        uploaded=document.get("uploaded"),
        language=document.get("language"),
        chapters=chapters,
        subtitles=subtitles,
    )
