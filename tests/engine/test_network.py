"""The hook stays for good once it is set, so these run in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

WATCHED = """
import json, socket, sys, threading
from reelremix.engine.network import network_calls, network_mark, note_calls, watch_network
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
        "attempt(lambda: socket.gethostbyname('localhost'))",
        "attempt(lambda: socket.gethostbyaddr('127.0.0.1'))",
        "attempt(lambda: socket.getnameinfo(('::1', 80), 0))",
        "attempt(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9)))",
        "attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', '/none'))",
        "a, b = socket.socketpair(); a.sendmsg([b'x'])",
        "sys.audit('socket.connect', None, ('can0',))",
        "attempt(lambda: socket.socket(socket.AF_UNIX).connect('/nowhere'))",
    ],
)
def test_this_machine_is_not_the_network(body: str) -> None:
    assert calls(body) == []


def test_connections_are_recorded_with_host_and_port() -> None:
    body = "s = socket.socket(); s.settimeout(0.05); attempt(lambda: s.connect(('192.0.2.1', 443)))"
    assert calls(body) == ["connect 192.0.2.1:443"]


@pytest.mark.parametrize(
    ("call", "recorded"),
    [
        ("getaddrinfo(b'192.0.2.1', 443)", "lookup 192.0.2.1"),
        ("gethostbyname('192.0.2.2')", "lookup 192.0.2.2"),
        ("gethostbyname_ex('192.0.2.3')", "lookup 192.0.2.3"),
        ("gethostbyaddr('nowhere.invalid')", "lookup nowhere.invalid"),
        ("getnameinfo(('192.0.2.5', 80), socket.NI_NUMERICHOST)", "lookup 192.0.2.5"),
    ],
)
def test_every_way_to_look_up_a_name_is_recorded(call: str, recorded: str) -> None:
    assert calls(f"attempt(lambda: socket.{call})") == [recorded]


@pytest.mark.parametrize(
    "call", ["sendto(b'x', ('192.0.2.1', 9))", "sendmsg([b'x'], [], 0, ('192.0.2.1', 9))"]
)
def test_datagrams_are_recorded_with_host_and_port(call: str) -> None:
    body = f"s = socket.socket(type=socket.SOCK_DGRAM); attempt(lambda: s.{call})"
    assert calls(body) == ["send 192.0.2.1:9"]


def test_a_mark_tells_a_later_job_from_an_earlier_one() -> None:
    body = (
        "note_calls(('lookup a.org',)); mark = network_mark(); note_calls(('lookup b.org',))\n"
        "assert network_calls(mark) == ('lookup b.org',), network_calls(mark)\n"
        "assert network_calls(network_mark()) == ()"
    )
    assert calls(body) == ["lookup a.org", "lookup b.org"]


def test_other_threads_are_seen_too() -> None:
    body = (
        "s = socket.socket(); s.settimeout(0.05)\n"
        "t = threading.Thread(target=lambda: attempt(lambda: s.connect(('192.0.2.7', 80))))\n"
        "t.start(); t.join()"
    )
    assert calls(body) == ["connect 192.0.2.7:80"]


def test_what_a_client_says_it_sent_is_listed_each_time() -> None:
    body = (
        "from reelremix.engine.network import note_sent\n"
        "for _ in range(2): note_sent('judge', '127.0.0.1', 11434, 52); note_calls(('lookup a',))"
    )
    assert calls(body) == ["judge 127.0.0.1:11434 52 bytes", "lookup a",
                           "judge 127.0.0.1:11434 52 bytes"]  # fmt: skip


def test_what_other_processes_recorded_is_added_once() -> None:
    body = "note_calls(('lookup a.org', 'lookup b.org')); note_calls(('lookup a.org',))"
    assert calls(body) == ["lookup a.org", "lookup b.org"]
