"""Every network call this process makes, recorded by an interpreter audit hook.

Python code cannot open a connection or look up a name without the hook seeing it. Native code can:
none of the libraries in use does, and a test runs where there is no network at all.
"""

from __future__ import annotations

import ipaddress
import sys
import threading
from typing import Any

_calls: list[str] = []
_lock = threading.Lock()
_installed = False


def watch_network() -> None:
    """Start recording; once a process is enough."""
    global _installed
    with _lock:
        if not _installed:
            sys.addaudithook(_hook)
            _installed = True


def network_calls() -> tuple[str, ...]:
    """What was recorded so far: `connect host:port` and `lookup name`, loopback left out."""
    with _lock:
        return tuple(dict.fromkeys(_calls))


def note_calls(calls: tuple[str, ...]) -> None:
    """Add what another process of ours recorded."""
    with _lock:
        _calls.extend(calls)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host, port = arguments[1][:2]
        if not _is_loopback(str(host)):
            _remember(f"connect {host}:{port}")
    elif event == "socket.getaddrinfo" and arguments[0] is not None:
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else str(arguments[0])
        if not _is_loopback(host):
            _remember(f"lookup {host}")


def _remember(call: str) -> None:
    with _lock:
        _calls.append(call)


def _is_loopback(host: str) -> bool:
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False
