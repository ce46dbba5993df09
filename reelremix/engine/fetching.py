"""A recording on the web becomes a file on this machine, once.

`<downloads>/<title>-<hash of the address>.mp4` with what the site says of it beside it
(`export.origin`) and its subtitles. While it is fetched its parts lie in `<downloads>/.partial`,
where the next try goes on with them; the recording appears when it is whole.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished, StageProgress, StageStarted, Warned
from reelremix.engine.domain.origin import Origin, Subtitles
from reelremix.engine.export.names import slug
from reelremix.engine.export.origin import SUFFIX, origin_file, origin_to_bytes, recording_of
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.locks import hold
from reelremix.engine.media.remux import remux, suffix_for
from reelremix.engine.store.files import replacing, write_atomically
from reelremix.engine.web import Found, Listing, Web, is_url, require_http
from reelremix.errors import Cancelled, ConfigError, DownloadFailed, SourceError

STAGE = "download"
PARTIAL = ".partial"
PLAIN = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mp3", ".m4a", ".wav", ".flac", ".ogg"}
)
"""Files that are kept as they come; what lies in others is put into one of these."""
NOTICE_S = 0.1
"""Between two looks at whether the run is to stop."""
PATIENCE_S = 0.5
"""For a download that is to stop; one that waits for a silent server ends by itself later."""
T = TypeVar("T")
DEEPEST = 3
"""An address may lead to another one so often."""


def fetched(url: str, ctx: RunContext, cookies: Path | None = None) -> Path:
    """The recording behind an address, fetched unless it is here.

    Raises:
        ModelError: yt-dlp is not installed.
        DownloadFailed: it is not one recording, or cannot be fetched.
        ConfigError: the folder of downloads cannot be written to.
        Cancelled: the user asked to stop; what is here is kept for the next time.
    """
    require_http(url)
    folder = _folder(ctx)
    began = time.monotonic()
    ctx.reporter.emit(StageStarted(STAGE, url))
    path = known(url, folder)
    is_known = path is not None
    if path is None:
        release = hold(f"download-{_key(url)}", "another run is fetching this recording", ctx)
        path = known(url, folder)  # that run may have brought it
        if path is None:
            path = _in_thread(_Download(url, folder, ctx, cookies), release, ctx)
        else:
            release()
    ctx.reporter.emit(StageFinished(STAGE, round(time.monotonic() - began, 3), is_known))
    return path


def known(url: str, folder: Path) -> Path | None:
    """The file that an address was fetched to, if it is still there."""
    for path in sorted(folder.glob(f"*-{_key(url)}{SUFFIX}")):
        try:
            recording = recording_of(path)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # damaged: it is fetched, and written anew
        if recording.is_file():
            return recording
    return None


def listed(url: str, ctx: RunContext, cookies: Path | None = None) -> tuple[str, ...]:
    """The addresses of the recordings behind one address, itself where that is one.

    Raises as `fetched` does.
    """
    require_http(url)
    folder = _folder(ctx)
    if known(url, folder) is not None:
        return (url,)
    found = _in_thread(lambda: _looked(Web(ctx.cancel, cookies), url), lambda: None, ctx)
    return found.urls if isinstance(found, Listing) else (url,)


def _folder(ctx: RunContext) -> Path:
    if ctx.downloads_dir is None:
        raise ConfigError("recordings cannot be fetched here", hint="name a file")
    return ctx.downloads_dir


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:10]


def _looked(web: Web, url: str) -> Found | Listing:
    """What is behind an address; a list of one is that one."""
    for _ in range(DEEPEST):
        found = web.look(url)
        if not isinstance(found, Listing) or len(found.urls) != 1 or found.urls[0] == url:
            return found
        url = found.urls[0]
    return found


@dataclass
class _Progress:
    done: int = 0
    total: int | None = None


@dataclass
class _Download:
    """One recording on its way; runs in a thread of its own and tells nobody anything."""

    url: str
    folder: Path
    ctx: RunContext
    cookies: Path | None
    progress: _Progress = field(default_factory=_Progress)
    warned: list[Warned] = field(default_factory=list)

    def __call__(self) -> Path:
        web = Web(self.ctx.cancel, self.cookies)
        found = _looked(web, self.url)
        if isinstance(found, Listing):
            raise _refused(self.url, found)
        part = self.folder / PARTIAL / _key(self.url)
        try:
            part.mkdir(parents=True, exist_ok=True)
            files = web.fetch(found, self.url, part, self._tell)
            path = self._put(files, found)
            self._describe(path, found, self._subtitles(web, found, path))
            shutil.rmtree(part)
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise ConfigError(
                f"recordings cannot be kept in {self.folder}: {reason}",
                hint="free some space, or set `downloads_dir` to another folder",
            ) from exc
        return path

    def _tell(self, done: int, total: int | None) -> None:
        self.progress.done, self.progress.total = done, total

    def _put(self, files: tuple[Path, ...], found: Found) -> Path:
        """The recording in one file, under its own name."""
        stem = f"{slug(found.title)}-{_key(self.url)}"
        suffix = files[0].suffix.lower()
        if len(files) == 1 and suffix in PLAIN and "m3u8" not in str(found.raw.get("protocol")):
            target = self.folder / f"{stem}{suffix}"
            files[0].replace(target)
            return target
        suffix = suffix_for(files)
        target = self.folder / f"{stem}{suffix}"
        with replacing(target, self.ctx.partial_files) as part:
            remux(files, part, suffix, self.ctx.cancel)
        return target

    def _subtitles(self, web: Web, found: Found, path: Path) -> Subtitles | None:
        """The subtitles, in a file beside the recording; what cannot be had is told."""
        asked = found.subtitles
        if asked is None:
            return None
        target = path.with_suffix(f".{asked.form}")
        try:
            write_atomically(target, web.subtitles(found, self.url))
            read_transcript(target)
        except SourceError as exc:
            target.unlink(missing_ok=True)
            told = f"the subtitles of {path.name} were not kept: {exc.message}"
            self.warned.append(Warned(told, "the recording is whole without them"))
            return None
        return Subtitles(target.name, asked.language, asked.is_automatic)

    def _describe(self, path: Path, found: Found, subtitles: Subtitles | None) -> None:
        origin = Origin(
            url=self.url,
            title=found.title,
            site=found.site,
            channel=found.channel,
            uploaded=found.uploaded,
            language=found.language,
            chapters=found.chapters,
            subtitles=subtitles,
        )
        write_atomically(origin_file(path), origin_to_bytes(origin, path.name))


def _refused(url: str, listing: Listing) -> DownloadFailed:
    return DownloadFailed(
        f"{url} is a list of {len(listing.urls)} recordings ({listing.title})",
        hint="`reelremix add --playlist URL` takes all of them; else name the address of one",
    )


def _in_thread(work: Callable[[], T], release: Callable[[], None], ctx: RunContext) -> T:
    """Run, and leave within a second of being asked to: a silent server cannot be interrupted.

    `release` is called when the work has really ended, so that no other run writes beside it.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as exc:  # told to whoever waits, whatever it is
            errors.append(exc)
        finally:
            release()

    thread = threading.Thread(target=body, daemon=True, name=STAGE)
    thread.start()
    while thread.is_alive() and not ctx.cancel.is_set():
        thread.join(NOTICE_S)
        _tell_progress(work, ctx)
    thread.join(PATIENCE_S if ctx.cancel.is_set() else None)
    if thread.is_alive():
        raise Cancelled
    for warned in getattr(work, "warned", ()):
        ctx.reporter.emit(warned)
    if errors:
        raise errors[0]
    return results[0]


def _tell_progress(work: object, ctx: RunContext) -> None:
    progress = getattr(work, "progress", None)
    if progress is not None and progress.done:
        ctx.reporter.emit(StageProgress(STAGE, progress.done, progress.total, "B"))


def path_of(source: str, ctx: RunContext) -> Path:
    """Where a source is on this machine: a path as it is, an address fetched."""
    return fetched(source, ctx) if is_url(source) else Path(source)
