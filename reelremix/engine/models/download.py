"""One file over HTTP, resumed where it broke off and trusted only by its hash.

Knows nothing of models or catalogues: `install` decides what is fetched and where it goes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from reelremix.engine.domain.context import CancelToken
from reelremix.errors import ModelError

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0
RETRIES = 4
"""Tries in a row that bring nothing new before a download is given up."""
FIRST_PAUSE_S = 0.5
"""Doubled after each such try."""
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

Advance = Callable[[int], None]
"""Told how many bytes came in; a negative number takes some back."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on the web and what it must turn out to be."""

    address: str
    size_bytes: int
    sha256: str

    @property
    def host(self) -> str:
        """For messages."""
        return httpx.URL(self.address).host


class _TryAgain(Exception):
    """The server or the line failed in a way that may pass."""


def http_client() -> httpx.Client:
    """A client for downloads: redirects are followed, nothing is compressed on the way."""
    return httpx.Client(
        follow_redirects=True, timeout=TIMEOUT_S, headers={"accept-encoding": "identity"}
    )


def download(
    client: httpx.Client, remote: RemoteFile, target: Path, advance: Advance, cancel: CancelToken
) -> None:
    """Fetch `remote` to `target`, which appears only when its hash is right.

    What was fetched stays beside it as `.part` when this is cancelled or fails, and is taken up
    the next time.

    Raises:
        ModelError: the server cannot be reached, has no such file or gives another one.
        OSError: the disk is full or read-only.
    """
    part = target.with_name(f"{target.name}.part")
    resumed = _size(part) > 0
    _complete(client, remote, part, advance, cancel)
    if file_sha256(part, cancel) != remote.sha256 and resumed:
        # The earlier part may be at fault, a fresh one must be right.
        _forget(part, advance)
        _complete(client, remote, part, advance, cancel)
    if file_sha256(part, cancel) != remote.sha256:
        _forget(part, advance)
        raise ModelError(f"{remote.address} is not the expected file: its sha256 differs")
    part.replace(target)


def file_sha256(path: Path, cancel: CancelToken) -> str:
    """The hash of a file in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            cancel.raise_if_set()
            digest.update(chunk)
    return digest.hexdigest()


def _complete(
    client: httpx.Client, remote: RemoteFile, part: Path, advance: Advance, cancel: CancelToken
) -> None:
    if _size(part) > remote.size_bytes:
        part.unlink()
    advance(_size(part))
    furthest, fruitless, why = _size(part), 0, ""
    while _size(part) < remote.size_bytes:
        try:
            _receive(client, remote, part, advance, cancel)
            why = "ended the download too early"
        except _TryAgain as exc:
            why = str(exc)
        fruitless = 0 if _size(part) > furthest else fruitless + 1
        furthest = max(furthest, _size(part))
        if fruitless == RETRIES:
            raise ModelError(f"{remote.host} {why}")
        if furthest < remote.size_bytes:
            cancel.wait(FIRST_PAUSE_S * 2**fruitless)
            cancel.raise_if_set()


def _receive(
    client: httpx.Client, remote: RemoteFile, part: Path, advance: Advance, cancel: CancelToken
) -> None:
    have = _size(part)
    headers = {"range": f"bytes={have}-"} if have else {}
    try:
        with client.stream("GET", remote.address, headers=headers) as response:
            offset = _offset(response, remote, have)
            _write(response, remote, part, offset, advance, cancel)
    except httpx.ConnectError as exc:
        raise ModelError(f"{remote.host} cannot be reached") from exc
    except httpx.TransportError as exc:
        raise _TryAgain("broke off the download") from exc


def _offset(response: httpx.Response, remote: RemoteFile, have: int) -> int:
    """Where the body begins in the file."""
    if response.status_code == 206:
        if not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
            raise ModelError(f"{remote.host} sent another part of the file than asked for")
        return have
    if response.status_code == 200:
        announced = response.headers.get("content-length")
        if announced is not None and int(announced) != remote.size_bytes:
            raise ModelError(
                f"{remote.address} is not the expected file: "
                f"{announced} bytes instead of {remote.size_bytes}"
            )
        return 0
    if response.status_code in RETRIED_STATUS:
        raise _TryAgain(f"answered with status {response.status_code}")
    raise ModelError(f"{remote.address} answered with status {response.status_code}")


def _write(
    response: httpx.Response,
    remote: RemoteFile,
    part: Path,
    offset: int,
    advance: Advance,
    cancel: CancelToken,
) -> None:
    """Add the body to `part` from `offset` on; a server that ignores ranges starts anew."""
    if offset < _size(part):
        _forget(part, advance)
    with part.open("ab") as file:
        for chunk in response.iter_bytes():
            cancel.raise_if_set()
            if file.tell() + len(chunk) > remote.size_bytes:
                raise ModelError(f"{remote.address} is longer than the expected file")
            file.write(chunk)
            advance(len(chunk))


def _forget(part: Path, advance: Advance) -> None:
    advance(-_size(part))
    part.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
