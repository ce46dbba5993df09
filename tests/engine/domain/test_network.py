"""The hook stays for good once it is set, so these run in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WATCHED = """
import json, socket, sys, threading
from reelremix.engine.domain.network import network_calls, note_calls, watch_network
watch_network()
watch_network()
def attempt(call):
    try:
        call()
    except OSError:
        pass
{body}
print(json.dumps(network_calls()))
"""


def calls(body: str) -> list[str]:
    """What is recorded while a process does something."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.format(body=body)], capture_output=True, check=True
    )
    return list(json.loads(done.stdout))


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "attempt(lambda: socket.create_connection(('127.0.0.1', 9), 0.2))",
        "attempt(lambda: socket.create_connection(('::1', 9), 0.2))",
        "attempt(lambda: socket.getaddrinfo('localhost', 80))",
        "attempt(lambda: socket.socket(socket.AF_UNIX).connect('/nowhere'))",
    ],
)
def test_this_machine_is_not_the_network(body: str) -> None:
    assert calls(body) == []


def test_connections_are_recorded_with_host_and_port() -> None:
    body = "s = socket.socket(); s.settimeout(0.05); attempt(lambda: s.connect(('192.0.2.1', 443)))"
    assert calls(body) == ["connect 192.0.2.1:443"]


def test_other_threads_are_seen_too() -> None:
    body = (
        "s = socket.socket(); s.settimeout(0.05)\n"
        "t = threading.Thread(target=lambda: attempt(lambda: s.connect(('192.0.2.7', 80))))\n"
        "t.start(); t.join()"
    )
    assert calls(body) == ["connect 192.0.2.7:80"]


def test_what_other_processes_recorded_is_added_once() -> None:
    body = "note_calls(('lookup a.org', 'lookup b.org')); note_calls(('lookup a.org',))"
    assert calls(body) == ["lookup a.org", "lookup b.org"]
