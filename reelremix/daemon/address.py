"""Where the daemon of this user is: its address, its token, and that there is one alone.

The folder and what is in it can be read by nobody else. The lock is held by the process itself and
goes with it, however it ends, so that nothing is left behind by a power cut.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from reelremix.engine.store.files import cannot_write, write_atomically
from reelremix.errors import ConfigError, DaemonError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
TOKEN_BYTES = 32
CLAIMED_WITHIN_S = 1.0
"""Whoever looks whether a daemon runs has the lock for a moment."""
RUNNING_HINT = "`reelremix daemon status` shows it, `reelremix daemon restart` begins it anew"


@dataclass(frozen=True, slots=True)
class Address:
    """A daemon that runs."""

    port: int
    pid: int
    version: str
    """Of ReelRemix."""
    protocol: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


class DaemonFolder:
    """The files of a running daemon."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / "lock")

    def claim(self) -> None:
        """Be the only daemon of this folder, until this process ends.

        Raises:
            DaemonError: another one runs.
            ConfigError: the folder cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(PRIVATE_FOLDER)
            self._lock.acquire(timeout=CLAIMED_WITHIN_S)
            write_atomically(self.path / "pid", str(os.getpid()).encode())
        except Timeout as exc:
            raise self.runs_already() from exc
        except OSError as exc:
            raise ConfigError(
                f"the daemon's folder {self.path} cannot be used: {exc}",
                hint="set REELREMIX_DATA_DIR to a folder you can write to",
            ) from exc

    def is_claimed(self) -> bool:
        """Whether a daemon runs, or is about to."""
        try:
            if not (self.path / "lock").exists():
                return False
            with FileLock(self.path / "lock").acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a folder that cannot be written to has no daemon
            return False

    def runs_already(self) -> DaemonError:
        """The error for whoever wants to be the daemon while there is one."""
        who = f" (process {pid})" if (pid := self.pid()) is not None else ""
        return DaemonError(f"a daemon runs already{who}", hint=RUNNING_HINT)

    def pid(self) -> int | None:
        """The process that claimed the folder last; None where nobody knows."""
        try:
            return int((self.path / "pid").read_text())
        except (OSError, ValueError):
            return None

    def new_token(self) -> str:
        """Another token than before, in a file that nobody else can read. Raises ConfigError."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._write_token(token)
        return token

    def _write_token(self, token: str) -> None:
        file = self.path / "token"
        try:
            file.unlink(missing_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
            with os.fdopen(handle, "w") as out:
                out.write(token)
        except OSError as exc:
            raise cannot_write(file, exc) from exc

    def token(self) -> str:
        """The token of the daemon that runs.

        Raises:
            DaemonError: there is none, or others can read it.
        """
        file = self.path / "token"
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            token = file.read_text().strip()
        except OSError as exc:
            raise DaemonError(
                f"the daemon's token {file} cannot be read: {(exc.strerror or str(exc)).lower()}",
                hint="`reelremix daemon restart` makes a new one",
            ) from exc
        if os.name == "posix" and mode & 0o077:
            raise DaemonError(
                f"others can read the daemon's token {file}",
                hint="`reelremix daemon restart` makes a new one that they cannot",
            )
        return token

    def announce(self, address: Address, token: str) -> None:
        """Say where the daemon answers; also once more where its files are gone or damaged.

        Raises ConfigError.
        """
        try:
            is_told = (self.path / "token").read_text() == token
        except (OSError, UnicodeDecodeError):
            is_told = False
        if not is_told:
            self._write_token(token)
        if self.address() != address:
            write_atomically(self.path / "address.json", json.dumps(asdict(address)).encode())

    def withdraw(self) -> None:
        """Say nothing any more: the daemon ends."""
        for name in ("address.json", "token"):
            with suppress(OSError):  # a disk that is gone has nothing to be found on
                (self.path / name).unlink(missing_ok=True)

    def address(self) -> Address | None:
        """Where the daemon answers; None where none said so, or what it said is not understood."""
        try:
            content = json.loads((self.path / "address.json").read_bytes())
            return Address(
                int(content["port"]), int(content["pid"]), str(content["version"]),
                int(content["protocol"]),
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            return None
