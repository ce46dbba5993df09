"""The life of the daemon's process: begun in the foreground or behind, and ended in order."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn

import psutil

from reelremix.config import Settings
from reelremix.daemon.address import Address, DaemonFolder
from reelremix.errors import ConfigError, DaemonError, ReelRemixError

STARTED_WITHIN_S = 30.0
STOPPED_WITHIN_S = 10.0
LOOK_S = 0.05
SAID = "reelremix: error: "
"""How an error begins on stderr."""
USAGE = 2
"""Its exit code where something is set wrong."""
FOREGROUND = ("-P", "-m", "reelremix", "daemon", "start", "--foreground")

_log = logging.getLogger("reelremix.daemon")


def run(settings: Settings) -> NoReturn:
    """Be the daemon, until a signal or a client ends it; ends this process.

    Raises:
        DaemonError: another one runs, or its port is taken.
        ConfigError: a setting is wrong, or the library cannot be opened.
    """
    _require_posix()
    folder = DaemonFolder(settings.daemon_path)
    folder.claim()
    from reelremix.daemon.server import serve  # 0.7 s, once the lock says that somebody comes

    is_outdated = serve(settings, folder)
    _log.info("ended")
    logging.shutdown()
    if is_outdated:
        os.execv(sys.executable, [sys.executable, *FOREGROUND])
    os._exit(0)  # past threads that wait for work which the next daemon goes on with


def start(settings: Settings) -> Address:
    """Begin a daemon behind, and wait until it answers.

    Raises:
        DaemonError: one runs already, or it does not come up.
    """
    _require_posix()
    folder = DaemonFolder(settings.daemon_path)
    if folder.is_claimed():
        raise folder.runs_already()
    with tempfile.TemporaryFile() as first_words:
        child = subprocess.Popen(
            [sys.executable, *FOREGROUND],
            stdin=subprocess.DEVNULL,
            stdout=first_words,
            stderr=first_words,
            start_new_session=True,
            env={**os.environ, **_in_full(settings)},
            cwd=Path.home() if Path.home().is_dir() else None,
        )
        deadline = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < deadline:
            address = folder.address()
            if address is not None and address.pid == child.pid:
                return address
            if child.poll() is not None:
                first_words.seek(0)
                raise _ended_at_once(first_words.read().decode(errors="replace"), child.returncode)
            time.sleep(LOOK_S)
    raise DaemonError(
        f"the daemon does not answer after {STARTED_WITHIN_S:.0f} s",
        hint="`reelremix daemon logs` shows what it does",
    )


def _ended_at_once(said: str, code: int) -> ReelRemixError:
    """Why a daemon did not come up, by what it said last."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line.partition(SAID)[2] for line in lines if SAID in line]
    hints = [line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")]
    why = errors[-1] if errors else " ".join(lines[-3:]) or f"exit code {code}"
    hint = hints[-1] if errors and hints else "`reelremix daemon start --foreground` shows more"
    kind = ConfigError if code == USAGE else DaemonError
    return kind(f"the daemon ended at once: {why}", hint=hint)


def stop(settings: Settings) -> bool:
    """End the daemon; what is under way is gone on with by the next one.

    Returns whether one ran. Raises DaemonError where it does not end.
    """
    from reelremix.daemon.client import DaemonClient

    folder = DaemonFolder(settings.daemon_path)
    if not folder.is_claimed():
        return False
    pid = folder.pid()
    try:
        with DaemonClient(settings) as client:
            client.stop()
    except ReelRemixError:  # it speaks another version, or does not answer: a signal does it
        if pid is None or not _is_daemon(pid):
            raise
        psutil.Process(pid).terminate()
    if _ended(folder, STOPPED_WITHIN_S):
        return True
    if pid is not None and _is_daemon(pid):
        psutil.Process(pid).kill()
        if _ended(folder, STOPPED_WITHIN_S):
            return True
    raise DaemonError("the daemon does not end", hint="see `reelremix daemon logs`")


def _in_full(settings: Settings) -> dict[str, str]:
    """Places that settings name from the folder one is in, for a process in another one."""
    named = {"DATA_DIR": settings.data_dir, "MODELS_DIR": settings.models_dir}
    found = {f"REELREMIX_{name}": str(Path.cwd() / p) for name, p in named.items() if p}
    if own := os.environ.get("REELREMIX_CONFIG"):
        found["REELREMIX_CONFIG"] = str(Path.cwd() / own)
    return found


def _require_posix() -> None:
    if os.name != "posix":
        raise DaemonError(
            "the daemon does not run on Windows yet", hint="`reelremix clip` works without it"
        )


def _ended(folder: DaemonFolder, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not folder.is_claimed():
            return True
        time.sleep(LOOK_S)
    return False


def _is_daemon(pid: int) -> bool:
    """Whether a process is a daemon of ours, and not another one that got its number."""
    try:
        command = list(psutil.Process(pid).cmdline())
        return command[-len(FOREGROUND) :] == list(FOREGROUND)
    except psutil.Error:
        return False
