"""The daemon as a service that begins when its user logs in: systemd on Linux, launchd on macOS."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reelremix.config import ENVIRONMENT_PREFIX, describe_settings
from reelremix.daemon.lifecycle import FOREGROUND
from reelremix.engine.store.files import write_atomically
from reelremix.errors import DaemonError

UNIT = "reelremix.service"
LABEL = "com.reelremix.daemon"
STOP_S = 15


@dataclass(frozen=True, slots=True)
class Service:
    """What is written where, and which commands make it known."""

    file: Path
    content: bytes
    begin: tuple[tuple[str, ...], ...]
    """Commands after the file is there."""
    end: tuple[tuple[str, ...], ...]
    """Commands before it goes."""


def service_for(environ: Mapping[str, str], platform: str = sys.platform) -> Service:
    """The service of this installation.

    Args:
        environ: settings in it become the service's.
        platform: as `sys.platform`.

    Raises:
        DaemonError: services are not known how to be made here.
    """
    kept = _kept(environ)
    if platform.startswith("linux"):
        base = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        file = Path(base) / "systemd" / "user" / UNIT
        control = ("systemctl", "--user")
        return Service(
            file,
            _unit(kept).encode(),
            ((*control, "daemon-reload"), (*control, "enable", "--now", UNIT)),
            ((*control, "disable", "--now", UNIT),),
        )
    if platform == "darwin":
        file = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        return Service(
            file,
            _plist(kept),
            (("launchctl", "load", "-w", str(file)),),
            (("launchctl", "unload", "-w", str(file)),),
        )
    raise DaemonError(
        f"the daemon cannot be made a service on {platform}",
        hint="have `reelremix daemon start` run when you log in",
    )


def install(service: Service) -> str | None:
    """Write a service and begin it; returns what is left to type where that cannot be done here.

    Raises ConfigError where the file cannot be written.
    """
    write_atomically(service.file, service.content)
    return _carried_out(service.begin)


def uninstall(service: Service) -> bool:
    """End a service and take it away; returns whether there was one."""
    if not service.file.exists():
        return False
    _carried_out(service.end)
    service.file.unlink(missing_ok=True)
    return True


def _carried_out(commands: tuple[tuple[str, ...], ...]) -> str | None:
    """Run commands; None where all did what they should, else what to type oneself."""
    for at, command in enumerate(commands):
        left = " && ".join(" ".join(own) for own in commands[at:])
        if shutil.which(command[0]) is None:
            return left
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return left
    return None


def _kept(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings in the environment: none of them is a secret."""
    names = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in describe_settings()}
    names |= {"REELREMIX_CONFIG"}
    return {n: v for n, v in sorted(environ.items()) if n in names}


def _unit(environment: Mapping[str, str]) -> str:
    lines = "".join(f'Environment="{_quoted(f"{n}={v}")}"\n' for n, v in environment.items())
    program = _quoted(sys.executable).replace("$", "$$")
    command = " ".join([f'"{program}"', *FOREGROUND])
    return f"""[Unit]
Description=ReelRemix: clips from long recordings

[Service]
Type=exec
ExecStart={command}
{lines}Restart=on-failure
RestartSec=2
TimeoutStopSec={STOP_S}
KillMode=mixed
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def _quoted(text: str) -> str:
    """Text inside quotes of a unit file, where `%` begins a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("%", "%%").replace("\n", "\\n")


def _plist(environment: Mapping[str, str]) -> bytes:
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": [sys.executable, *FOREGROUND],
            "EnvironmentVariables": dict(environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ExitTimeOut": STOP_S,
            "ProcessType": "Background",
        }
    )
