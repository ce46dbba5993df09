"""Every network call this process makes, recorded by an interpreter audit hook.

Seen are connections, datagrams and name look-ups by Python code, in every thread, from the moment
the hook is set. The hook cannot see what native code does by itself (FFmpeg is only ever opened on
local files), what a program we start does (pip is recorded by name, see `note_calls`), what is sent
over a connection that is already open, or what lies behind a proxy. Loopback and sockets that are
files belong to this machine and are left out, but for what a client notes itself because it carries
what was said (`note_sent`). A process has one record: jobs that run in it at the same time see each
other's calls.
"""

from __future__ import annotations

import ipaddress
import sys
import threading
from typing import Any

_CONTACTS = {
    "socket.connect": "connect",
    "socket.sendto": "send",
    "socket.sendmsg": "send",
}
"""Audit events whose second argument is an address."""
_LOOKUPS = frozenset(
    {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
)
"""Audit events whose first argument is a name, a number or an address to look up."""

_calls: list[tuple[str, bool]] = []
"""What was called, and whether it is listed each time rather than once."""
_lock = threading.Lock()
_installed = False


def watch_network() -> None:
    """Start recording; once a process is enough."""
    global _installed
    with _lock:
        if not _installed:
            sys.addaudithook(_hook)
            _installed = True


def network_mark() -> int:
    """The end of the record so far; `network_calls` of it gives what comes afterwards."""
    with _lock:
        return len(_calls)


def network_calls(since: int = 0) -> tuple[str, ...]:
    """What was recorded since a mark, or ever, each contact once and loopback left out.

    `connect host:port`, `send host:port` (a datagram) and `lookup name`. What `note_sent` recorded
    is listed each time, loopback or not, because two calls of one size are two calls.
    """
    with _lock:
        calls = _calls[since:]
    seen: set[str] = set()
    listed = []
    for call, each_time in calls:
        if each_time or call not in seen:
            listed.append(call)
        seen.add(call)
    return tuple(listed)


def note_calls(calls: tuple[str, ...]) -> None:
    """Add what another process of ours recorded."""
    with _lock:
        _calls.extend((call, False) for call in calls)


def note_sent(who: str, host: str, port: int, size_bytes: int) -> None:
    """Record one call of a client that tells how much it sends: `who host:port N bytes`."""
    with _lock:
        _calls.append((f"{who} {host}:{port} {size_bytes} bytes", True))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONTACTS:
        _contact(_CONTACTS[event], arguments[1])
    elif event in _LOOKUPS:
        _lookup(arguments[0])


def _contact(verb: str, address: object) -> None:
    if not isinstance(address, tuple) or len(address) < 2:
        return  # a socket that is a file, or one that is connected already
    host = _text(address[0])
    if not is_loopback(host):
        _remember(f"{verb} {host}:{address[1]}")


def _lookup(asked: object) -> None:
    if isinstance(asked, tuple):
        asked = asked[0] if asked else None
    if asked is not None and not is_loopback(host := _text(asked)):
        _remember(f"lookup {host}")


def _text(host: object) -> str:
    if isinstance(host, bytes | bytearray):
        return host.decode(errors="backslashreplace")
    return str(host)


def _remember(call: str) -> None:
    with _lock:
        _calls.append((call, False))
