"""Requests as clients send them: read, checked, and named for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from reelremix.engine import codec
from reelremix.engine.bounds import check_bounds
from reelremix.engine.domain.request import ClipRequest
from reelremix.engine.request_places import paths_of
from reelremix.engine.web import is_url, require_http
from reelremix.errors import ConfigError

VERSION = 1
"""Of the form of requests."""
UPGRADE = "upgrade the daemon: `pip install -U reelremix`, then `reelremix daemon restart`"
LONGEST_LABEL = 200
LONGEST_SHOWN = 60


def checked_request(kind: str, plain: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A request in full, with every default written out, and what its source is called.

    Raises:
        ConfigError: it cannot be read, is of a newer version, has relative paths, or asks for what
            cannot be.
        DownloadFailed: its source is an address, but not on the web.
    """
    if kind != "clip":
        raise ConfigError(
            f"there is no kind of job {kind[:LONGEST_SHOWN]!r}", hint="the kinds are: clip"
        )
    version = _checked_version(plain.get("version", VERSION))
    try:
        given = {name: value for name, value in plain.items() if name != "version"}
        asked = codec.from_plain_exactly(given, ClipRequest, "request")
    except ValueError as exc:
        raise ConfigError(
            f"the request cannot be read: {exc}", hint="docs/daemon.md describes the API"
        ) from exc
    for what, path in paths_of(asked).items():
        _check_path(what, path, may_be_url=what == "source")
    check_bounds(asked)
    return {**codec.to_plain(asked), "version": version}, _name(asked.source)


def checked_label(what: str, label: str) -> str:
    """A short text that names something. Raises ConfigError for any other."""
    if not 1 <= len(label) <= LONGEST_LABEL or not label.isprintable():
        shown = label if len(label) <= LONGEST_SHOWN else f"{label[:LONGEST_SHOWN]}..."
        raise ConfigError(
            f"{what} must be 1 to {LONGEST_LABEL} characters on one line (got {shown!r})"
        )
    return label


def _checked_version(version: object) -> int:
    if type(version) is not int or version < 1:
        raise ConfigError(f"version must be a whole number from 1 to {VERSION} (got {version!r})")
    if version > VERSION:
        raise ConfigError(
            f"the request is of a newer ReelRemix (version {version}, this one knows {VERSION})",
            hint=UPGRADE,
        )
    return version


def _check_path(what: str, path: str, *, may_be_url: bool) -> None:
    if not path:
        raise ConfigError(f"{what} must not be empty")
    if may_be_url and is_url(path):
        require_http(path)
    elif not PurePath(path).is_absolute():
        raise ConfigError(f"{what} must be an absolute path (got {path!r})")


def _name(source: str) -> str:
    return source if is_url(source) else PurePath(source).name
