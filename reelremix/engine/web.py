"""Recordings on the web, through yt-dlp (https://github.com/yt-dlp/yt-dlp).

The only place that knows yt-dlp, and where what it raises becomes an error of ours. It runs inside
this process, so that `engine.network` sees what it contacts, and on its own: settings, plug-ins,
caches and cookies of its user are left alone, and no FFmpeg is started even where there is one,
so that a recording comes out the same on every machine. Where it ends up is decided in `fetching`.
"""

from __future__ import annotations

import errno
import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import (
    Cancelled,
    ConfigError,
    DownloadFailed,
    ModelError,
    ReelRemixError,
)

INSTALL = "`pip install 'reelremix[url]'`"
TIMEOUT_S = 15.0
RETRIES = 3
FORMATS = "bv*+ba/b"
"""The best picture and the best sound, which may come in two files; else the best file."""
ORDER = ("res:1080", "vcodec:h264", "acodec:aac", "fps")
"""What is best: a clip is 1080 wide at most, and these two play everywhere."""
SUBTITLE_KINDS = ("vtt", "srt")
NOT_WRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
"""What the system says of a disk, and never of a network."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

Tell = Callable[[int, int | None], None]
"""Told how many bytes are here, and how many there will be."""


@dataclass(frozen=True, slots=True)
class RemoteSubtitles:
    """Subtitles that a site has."""

    language: str
    form: str
    """`vtt` or `srt`."""
    is_automatic: bool
    url: str | None
    text: str | None = None
    """Where the site's answer holds them already."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording that a site has."""

    title: str
    site: str
    channel: str | None
    uploaded: str | None
    language: str | None
    chapters: tuple[Chapter, ...]
    subtitles: RemoteSubtitles | None
    formats: tuple[str, ...]
    """Ids of the files to fetch: one, or picture and sound."""
    raw: Mapping[str, Any]
    """What yt-dlp needs to fetch them."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Several recordings behind one address."""

    title: str
    urls: tuple[str, ...]


def is_url(source: str) -> bool:
    """Whether a source is an address rather than a path."""
    return bool(_SCHEME.match(source))


class Web:
    """Looks at addresses and fetches what is there."""

    def __init__(self, cancel: CancelToken, cookies: Path | None = None) -> None:
        """Begin; `cookies` is a file in Netscape's format that is read and never written.

        Raises:
            ModelError: yt-dlp is not installed.
            ConfigError: the cookies cannot be read.
        """
        self._cancel = cancel
        self._cookies = _read_cookies(cookies) if cookies else None
        try:
            from yt_dlp.globals import plugin_dirs
        except ImportError as exc:
            raise ModelError(
                "yt-dlp, which fetches recordings, is not installed", hint=INSTALL
            ) from exc
        plugin_dirs.value = []

    def look(self, url: str) -> Found | Listing:
        """What is behind an address.

        Raises:
            DownloadFailed: nothing that can be fetched, with the reason.
            Cancelled: the user asked to stop.
        """
        require_http(url)
        with self._session(url) as session:
            info = session.sanitize_info(session.extract_info(url, download=False))
        if info is None:
            raise DownloadFailed(f"{url} holds no recording", hint=PLAYS)
        if info.get("_type") in ("playlist", "multi_video"):
            return _listing(info)
        return found_in(info, url)

    def fetch(self, found: Found, url: str, folder: Path, tell: Tell) -> tuple[Path, ...]:
        """Fetch a recording's files into a folder; what lies there from before is gone on with.

        Raises:
            DownloadFailed: a file cannot be fetched.
            Cancelled: the user asked to stop.
        """
        return tuple(
            self._fetch_one(found, number, url, folder, tell)
            for number in range(len(found.formats))
        )

    def _fetch_one(self, found: Found, number: int, url: str, folder: Path, tell: Tell) -> Path:
        def hook(progress: dict[str, Any]) -> None:
            self._cancel.raise_if_set()
            done = progress.get("downloaded_bytes")
            total = progress.get("total_bytes") or progress.get("total_bytes_estimate")
            if done is not None:
                tell(int(done), int(total) if total else None)

        place = str(folder / f"{number}").replace("%", "%%")
        more = {
            "format": _quoted(found.formats[number]),
            "outtmpl": {"default": f"{place}.%(ext)s"},
            "progress_hooks": [hook],
        }
        with self._session(url, **more) as session:
            bare = session.sanitize_info(found.raw, remove_private_keys=True)
            done = session.process_ie_result(bare, download=True)
        try:
            return Path(done["requested_downloads"][0]["filepath"])
        except (KeyError, IndexError, TypeError) as exc:
            raise DownloadFailed(f"{url} gave no file", hint=PLAYS) from exc

    def subtitles(self, found: Found, url: str) -> bytes:
        """The content of a recording's subtitles. Raises DownloadFailed."""
        asked = found.subtitles
        assert asked is not None
        if asked.text is not None:
            return asked.text.encode()
        require_http(asked.url or "")
        with self._session(url) as session, session.urlopen(asked.url) as response:
            return bytes(response.read())

    @contextmanager
    def _session(self, url: str, **more: Any) -> Iterator[Any]:
        from yt_dlp import YoutubeDL

        cookies = {} if self._cookies is None else {"cookiefile": io.StringIO(self._cookies)}
        with (
            _failures_of(url, self._cancel),
            YoutubeDL(_params(self._cancel) | cookies | more) as ydl,
        ):
            yield ydl


def _params(cancel: CancelToken) -> dict[str, Any]:
    return {
        "cachedir": False,
        "color": "no_color",
        "extract_flat": "in_playlist",
        "extractor_retries": 1,
        "ffmpeg_location": "there-is-none",
        "fixup": "never",
        "format": FORMATS,
        "format_sort": list(ORDER),
        "fragment_retries": RETRIES,
        "logger": _Log(cancel),
        "noplaylist": True,
        "noprogress": True,
        "quiet": True,
        "retries": RETRIES,
        "socket_timeout": TIMEOUT_S,
        "updatetime": False,
    }


class _Log:
    """What yt-dlp says goes to the log; each word is a chance to stop."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel

    def debug(self, message: str) -> None:
        """What it is doing."""
        self._cancel.raise_if_set()
        logging.getLogger(__name__).debug(message)

    info = warning = error = debug


def require_http(url: str) -> None:
    """Raise DownloadFailed for an address that is not on the web."""
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise DownloadFailed(f"{url} is no address: {exc}", hint="check how it is written") from exc
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise DownloadFailed(
            f"{url} is not an address on the web: only http and https are fetched",
            hint="name a file by its path",
        )
    if parts.username or parts.password:
        raise DownloadFailed(
            f"the address on {parts.hostname} holds a name or a password, which would be kept",
            hint=COOKIES,
        )


def _read_cookies(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"--cookies {path} cannot be read: {exc}",
            hint="it takes a cookies.txt that a browser extension exported",
        ) from exc


def _quoted(format_id: str) -> str:
    """A format by its id alone, which may hold what the language of formats has a use for."""
    return f"b*[format_id={format_id!r}]" if re.search(r"[^\w-]", format_id) else format_id


def _listing(info: Mapping[str, Any]) -> Listing:
    entries = [entry for entry in info.get("entries") or () if entry]
    urls = (entry.get("url") or entry.get("webpage_url") for entry in entries)
    return Listing(str(info.get("title") or "a playlist"), tuple(url for url in urls if url))


def found_in(info: Mapping[str, Any], url: str) -> Found:
    """What yt-dlp says of a recording, as far as it is used here. Raises DownloadFailed."""
    if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming"):
        raise DownloadFailed(
            f"{url} is a live stream, which has no end yet", hint="try again when it is over"
        )
    chosen = info.get("requested_formats") or [info]
    return Found(
        title=_one_line(info.get("title")) or "recording",
        site=str(info.get("extractor_key") or info.get("extractor") or ""),
        channel=_one_line(info.get("channel") or info.get("uploader")) or None,
        uploaded=_day(info.get("upload_date")),
        language=info.get("language"),
        chapters=chapters_in(info),
        subtitles=subtitles_in(info),
        formats=tuple(str(part["format_id"]) for part in chosen),
        raw=info,
    )


def chapters_in(info: Mapping[str, Any]) -> tuple[Chapter, ...]:
    """The chapters that a site tells; those that have no beginning, end or name are left out."""
    end_s = info.get("duration")
    listed = [c for c in info.get("chapters") or () if isinstance(c.get("start_time"), int | float)]
    listed.sort(key=lambda c: float(c["start_time"]))
    found = []
    for n, chapter in enumerate(listed):
        following = listed[n + 1]["start_time"] if n + 1 < len(listed) else end_s
        end = chapter.get("end_time") or following
        title = _one_line(chapter.get("title"))
        if title and end is not None and 0 <= chapter["start_time"] < end:
            found.append(Chapter(TimeRange.from_seconds(chapter["start_time"], end), title))
    return tuple(found)


def subtitles_in(info: Mapping[str, Any]) -> RemoteSubtitles | None:
    """The subtitles to take: those that people wrote before others, in the language spoken."""
    spoken = str(info.get("language") or "").split("-")[0]
    for name, is_automatic in (("subtitles", False), ("automatic_captions", True)):
        for language, forms in _by_language(info.get(name) or {}, spoken, is_automatic):
            for kind in SUBTITLE_KINDS:
                form = next((f for f in forms if f.get("ext") == kind), None)
                if form is not None:
                    text, url = form.get("data"), form.get("url")
                    return RemoteSubtitles(language, kind, is_automatic, url, text)
    return None


def _by_language(
    listed: Mapping[str, Sequence[Mapping[str, Any]]], spoken: str, is_automatic: bool
) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Of the language spoken; where that is not known, what people wrote, in any language.

    Programs translate: what they wrote in another language is not what is said.
    """
    if spoken:
        return [(k, forms) for k, forms in listed.items() if k.split("-")[0] == spoken]
    originals = [(k, forms) for k, forms in listed.items() if k.endswith("-orig")]
    return originals if is_automatic else [(k, f) for k, f in listed.items() if k != "live_chat"]


def _one_line(text: object) -> str:
    printable = "".join(c if c.isprintable() else " " for c in str(text or ""))
    return " ".join(printable.split())


def _day(text: object) -> str | None:
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)", str(text or ""))
    return "-".join(found.groups()) if found else None


PLAYS = "open it in a browser: what plays there without signing in can mostly be fetched"
COOKIES = "`reelremix add URL --cookies FILE` takes cookies that a browser exported"
_SAID: tuple[tuple[str, str, str], ...] = (
    (r"\bDRM\b",
     "is protected against copying (DRM), and cannot be fetched", "ask its owner for a file"),
    (r"\bprivate\b", "is private", COOKIES),
    (r"sign in|log ?in|logged.in|registered users|members[- ]only|account|cookies",
     "is shown only to those who sign in", COOKIES),
    (r"geo.?restrict|available (in|from) your (country|location|region)",
     "is not shown in this country", "ask its owner for a file"),
    (r"live event will begin|premieres in|is offline|not currently live",
     "is a live stream that does not run", "try again when it is over"),
    (r"ffmpeg",
     "comes in a form that can only be fetched with FFmpeg",
     "fetch it with `yt-dlp`, and name the file"),
    (r"no video formats|requested format is not available|no media",
     "holds no recording that can be fetched", PLAYS),
    (r"content too short|any data blocks|bytes (read|missing)|more expected|broke|reset",
     "broke off before its end", "the same command goes on from there"),
    (r"timed out|temporary failure|resolution|unreachable|refused|getaddrinfo",
     "cannot be reached", "check the address and the network"),
)  # fmt: skip
"""What sites and yt-dlp say, what that means, and what to do: yt-dlp has no types for it."""


@contextmanager
def _failures_of(url: str, cancel: CancelToken) -> Iterator[None]:
    """Map what yt-dlp raises."""
    from yt_dlp.networking.exceptions import RequestError
    from yt_dlp.utils import YoutubeDLError

    try:
        yield
    except (YoutubeDLError, RequestError) as exc:
        if cancel.is_set():
            raise Cancelled from exc
        raise _explained(exc, url) from exc


def _explained(exc: Exception, url: str) -> ReelRemixError:
    """One plain line about an address that gave nothing."""
    from yt_dlp.networking.exceptions import HTTPError, TransportError
    from yt_dlp.utils import GeoRestrictedError, UnsupportedError

    causes = list(_causes(exc))
    answers = [c for c in causes if isinstance(c, HTTPError)]
    for answer in answers:
        answer.close()
    status = answers[0].status if answers else None
    full = [c for c in causes if isinstance(c, OSError) and c.errno in NOT_WRITABLE]
    if full:
        reason = (full[0].strerror or str(full[0])).lower()
        return ConfigError(
            f"{url} cannot be kept: {reason}",
            hint="free some space, or set `downloads_dir` to another folder",
        )
    if any(isinstance(c, UnsupportedError) for c in causes):
        return DownloadFailed(f"{url} holds no recording that yt-dlp can find", hint=PLAYS)
    said = " ".join(str(c) for c in causes)
    if any(isinstance(c, GeoRestrictedError) for c in causes):
        said = f"geo-restricted {said}"
    if status in (404, 410):
        return DownloadFailed(f"{url} is not there (status {status})", hint="check the address")
    for pattern, meaning, hint in _SAID[:4]:
        if re.search(pattern, said, re.IGNORECASE):
            return DownloadFailed(f"{url} {meaning}", hint=hint)
    if status in (401, 403):
        return DownloadFailed(f"{url} is refused (status {status})", hint=COOKIES)
    if status is not None:
        return DownloadFailed(f"{url} answers with status {status}", hint="try again later")
    for pattern, meaning, hint in _SAID[4:]:
        if re.search(pattern, said, re.IGNORECASE):
            return DownloadFailed(f"{url} {meaning}", hint=hint)
    if any(isinstance(c, TransportError) for c in causes):
        return DownloadFailed(f"{url} cannot be reached", hint="check the address and the network")
    reason = re.sub(r"^ERROR:\s*|;? ?please report this issue.*", "", _one_line(exc), flags=re.I)
    newer = "a newer yt-dlp may know it: `pip install -U yt-dlp`"
    return DownloadFailed(f"{url} cannot be fetched: {reason}", hint=newer)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it, each once."""
    seen: set[int] = set()
    waiting = [exc]
    while waiting:
        found = waiting.pop(0)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        info = getattr(found, "exc_info", None) or (None, None, None)
        waiting += [info[1], getattr(found, "cause", None), found.__cause__, found.__context__]
