"""Requests as clients send them: read, checked, and named for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from reelremix.engine import codec
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.web import is_url
from reelremix.errors import ConfigError

VERSION = 1
"""Of the form of requests."""
UPGRADE = "upgrade the daemon: `pip install -U reelremix`, then `reelremix daemon restart`"


def checked_request(kind: str, plain: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A request in full, with every default written out, and what its source is called.

    Raises ConfigError for one that cannot be read, is of a newer version, or has relative paths.
    """
    if kind != "clip":
        raise ConfigError(f"there is no kind of job {kind!r}", hint="the kinds are: clip")
    version = plain.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise ConfigError(
            f"the request is of a newer ReelRemix (version {version}, this one knows {VERSION})",
            hint=UPGRADE,
        )
    try:
        asked = codec.from_plain(dict(plain), ClipRequest)
    except ValueError as exc:
        raise ConfigError(f"the request cannot be read: {exc}") from exc
    for what, path in _paths(asked).items():
        if path and not is_url(path) and not PurePath(path).is_absolute():
            raise ConfigError(f"{what} must be an absolute path (got {path!r})")
    return {**codec.to_plain(asked), "version": version}, _name(asked.source)


def _paths(asked: ClipRequest) -> dict[str, str | None]:
    """Everything in a request that is a path."""
    return {
        "source": asked.source,
        "out": asked.out,
        "transcribe.transcript": asked.transcribe.transcript,
        "sound.music": asked.sound.music,
        "sound.censor_words": asked.sound.censor_words,
    }


def _name(source: str) -> str:
    return source if is_url(source) else PurePath(source).name
