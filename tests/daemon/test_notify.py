from __future__ import annotations

import hashlib
import hmac
import json
import logging
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reelremix.daemon import notify
from reelremix.daemon.notify import (
    Delivery,
    Desktop,
    Webhook,
    body_of,
    checked_address,
    desktop_command,
)
from reelremix.engine.domain.job import Failure, JobRecord, JobState
from reelremix.errors import ConfigError
from tests.contract.schemas import faults, schema
from tests.daemon.folders import eventually

SECRET = "correct horse"
JOB = JobRecord(
    id="0123456789abcdef",
    kind="clip",
    name="talk.mp4",
    request={"source": "/secret/place"},
    created_at=1.0,
    state=JobState.FAILED,
    failure=Failure("NoAudioStream", "talk.mp4 has no audio stream", "add one"),
)
HANGS = 0


@dataclass
class Hook:
    """Somebody's server: answers as it is told, the last answer for ever."""

    statuses: list[int]
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    address: str = ""


@pytest.fixture
def hook() -> Iterator[Callable[..., Hook]]:
    """Starts servers that answer with these statuses."""
    started: list[tuple[Hook, ThreadingHTTPServer]] = []

    def start(*statuses: int) -> Hook:
        hook = Hook(list(statuses))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hook))
        hook.address = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started.append((hook, server))
        return hook

    yield start
    for hook, server in started:
        hook.over.set()
        server.shutdown()
        server.server_close()


def _handler(hook: Hook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hook.asked.append((headers, body))
            status = hook.statuses.pop(0) if len(hook.statuses) > 1 else hook.statuses[0]
            if status == HANGS:
                hook.over.wait(20)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("location", "/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def deliveries() -> list[Delivery]:
    """What became of messages."""
    return []


@pytest.fixture
def webhook(deliveries: list[Delivery]) -> Iterator[Webhook]:
    """One that does not wait long."""
    webhook = Webhook(SECRET, deliveries.append, waits_s=(0.01, 0.02), timeout_s=0.2)
    yield webhook
    webhook.stop()


def test_a_message_says_what_became_of_a_job_and_is_signed(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery]
) -> None:
    server = hook(204)
    webhook.send(server.address, JOB)
    eventually(lambda: deliveries)
    [(headers, body)] = server.asked
    at, signed = (part.split("=")[1] for part in headers["reelremix-signature"].split(","))
    expected = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(signed, expected) and abs(time.time() - int(at)) < 60
    told = json.loads(body)
    assert (told["version"], told["type"]) == (1, "job_failed")
    assert told["job"]["failure"]["message"] == "talk.mp4 has no audio stream"
    assert "/secret/place" not in body.decode() and headers["idempotency-key"].startswith(JOB.id)
    assert deliveries == [Delivery("127.0.0.1", JOB, 1, None)]


@pytest.mark.parametrize("job", [
    JOB,
    replace(JOB, state=JobState.DEAD, failure=Failure("WorkerDied", "it crashed"), attempt=2),
    replace(JOB, state=JobState.SUCCEEDED, failure=None, folder="/clips/talk", started_at=1.5,
            ended_at=2.0, source_id="ab" * 32, usage={"source_s": 20.0}, origin="watch ab12"),
])  # fmt: skip
def test_a_message_fits_the_published_schema(job: JobRecord) -> None:
    told = json.loads(body_of(job, 3.0))
    assert told["job"].keys() == schema("webhook")["properties"]["job"]["properties"].keys()
    assert faults("webhook", told) == []


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_cannot_is_asked_again_with_the_same_message(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery], status: int
) -> None:
    server = hook(status, 200)
    webhook.send(server.address, JOB)
    eventually(lambda: deliveries)
    (first, body), (second, again) = server.asked
    assert body == again and first["idempotency-key"] == second["idempotency-key"]
    assert (deliveries[0].attempts, deliveries[0].failure) == (2, None)


def test_other_states_and_attempts_have_other_keys(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery]
) -> None:
    server = hook(200)
    for job in (JOB, replace(JOB, state=JobState.SUCCEEDED), replace(JOB, attempt=2)):
        webhook.send(server.address, job)
    eventually(lambda: len(deliveries) == 3)
    assert len({headers["idempotency-key"] for headers, _ in server.asked}) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_server_that_will_not_is_not_asked_again(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery], status: int
) -> None:
    server = hook(status)
    webhook.send(server.address, JOB)
    eventually(lambda: deliveries)
    assert len(server.asked) == 1 and deliveries[0].failure == f"it answers {status}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_told_who_was_not_named(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery], status: int
) -> None:
    server = hook(status)
    webhook.send(server.address, JOB)
    eventually(lambda: deliveries)
    assert len(server.asked) == 1 and "not followed" in (deliveries[0].failure or "")


def test_it_is_given_up_at_last(
    hook: Callable[..., Hook], webhook: Webhook, deliveries: list[Delivery]
) -> None:
    server = hook(500)
    webhook.send(server.address, JOB)
    eventually(lambda: deliveries)
    assert len(server.asked) == deliveries[0].attempts == 3
    assert deliveries[0].failure == "it answers 500"


def test_nobody_there_is_tried_again_too(webhook: Webhook, deliveries: list[Delivery]) -> None:
    webhook.send("http://127.0.0.1:9/hook", JOB)
    eventually(lambda: deliveries)
    assert deliveries[0].attempts == 3 and deliveries[0].failure


def test_a_server_that_hangs_keeps_nobody_waiting(
    hook: Callable[..., Hook], deliveries: list[Delivery]
) -> None:
    silent, other = hook(HANGS), hook(200)
    webhook = Webhook(SECRET, deliveries.append, waits_s=(60.0,), timeout_s=0.3)
    began = time.monotonic()
    webhook.send(silent.address, JOB)
    webhook.send(other.address, JOB)
    assert time.monotonic() - began < 0.2
    eventually(lambda: deliveries)
    assert other.asked and len(silent.asked) == 1
    webhook.stop()


def test_a_proxy_that_cannot_be_used_is_told_and_keeps_nobody_else_waiting(
    hook: Callable[..., Hook],
    deliveries: list[Delivery],
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setattr(logging.getLogger("reelremix.daemon"), "propagate", False)
    server = hook(200)
    webhook.send("https://elsewhere.invalid/hook", JOB)
    webhook.send(server.address, JOB)
    eventually(lambda: len(deliveries) == 2)
    assert deliveries[0].failure and deliveries[1].failure is None and server.asked


def test_it_stops_within_a_second_whatever_is_under_way(
    hook: Callable[..., Hook], deliveries: list[Delivery]
) -> None:
    silent = hook(HANGS)
    webhook = Webhook(SECRET, deliveries.append)
    webhook.send(silent.address, JOB)
    eventually(lambda: silent.asked)
    began = time.monotonic()
    webhook.stop()
    assert time.monotonic() - began < 1
    webhook.send(silent.address, JOB)
    assert deliveries == [] and len(silent.asked) == 1
    silent.over.set()
    eventually(lambda: "webhook" not in [thread.name for thread in threading.enumerate()])


def test_too_many_messages_are_given_up_at_once(
    monkeypatch: pytest.MonkeyPatch, hook: Callable[..., Hook], deliveries: list[Delivery]
) -> None:
    monkeypatch.setattr(notify, "MOST_MESSAGES", 2)
    silent = hook(HANGS)
    webhook = Webhook(SECRET, deliveries.append)
    webhook.send(silent.address, JOB)
    eventually(lambda: silent.asked)
    for _ in range(3):
        webhook.send(silent.address, JOB)
    assert [delivery.failure for delivery in deliveries] == ["2 others wait already"]
    silent.over.set()
    webhook.stop()


@pytest.mark.parametrize(
    "address",
    ["https://example.org/hook?key=1", "http://127.0.0.1:8000", "http://[::1]/x",
     "http://localhost/hook"],
)  # fmt: skip
def test_addresses_that_nobody_can_listen_in_on_are_taken(address: str) -> None:
    assert str(checked_address(address)).startswith(address)


@pytest.mark.parametrize(
    "address",
    ["", "hook", "http://example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1",
     "https://", "https://user:word@example.org", "https://exa mple\n.org", "file:///etc/passwd",
     "http://192.168.1.4/", "https://[::1"],
)  # fmt: skip
def test_other_addresses_are_refused(address: str, webhook: Webhook) -> None:
    with pytest.raises(ConfigError, match="webhook's address"):
        webhook.send(address, JOB)


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `notify-send` that writes down what it is to show."""
    shown = tmp_path / "shown"
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {shown}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return shown


def test_a_note_is_shown_as_it_is(screen: Path) -> None:
    desktop = Desktop(desktop_command("linux"))
    desktop.tell("3 clips of talk.mp4", "--urgency <b>&\n\0$(x)")
    desktop.stop()
    assert screen.read_text().startswith(
        "--app-name=ReelRemix\n--\n3 clips of talk.mp4\n--urgency &lt;b&gt;&amp;\n$(x)\n"
    )


def test_a_desktop_that_cannot_show_notes_is_told_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    desktop = Desktop(desktop_command("linux"))
    for _ in range(3):
        desktop.tell("title", "text")
    desktop.stop()
    [record] = caplog.records
    assert (record.levelno, "notify-send is not installed" in record.message) == (
        logging.WARNING, True
    )  # fmt: skip


def test_a_desktop_of_another_kind_says_so(caplog: pytest.LogCaptureFixture) -> None:
    desktop = Desktop(desktop_command("win32"))
    desktop.tell("title", "text")
    desktop.stop()
    assert "on this system" in caplog.text


def test_a_program_that_fails_is_told_of(screen: Path, caplog: pytest.LogCaptureFixture) -> None:
    program = screen.parent / "bin" / "notify-send"
    program.write_text("#!/bin/sh\necho no session >&2\nexit 1\n")
    desktop = Desktop(desktop_command("linux"))
    desktop.tell("title", "text")
    desktop.stop()
    assert "no session" in caplog.text


def test_a_mac_gets_texts_as_arguments() -> None:
    command = desktop_command("darwin")
    assert command is not None and command[0] == "osascript" and "item 2 of argv" in command[4]
