from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.request import JudgeOptions
from reelremix.engine.models.judge import (
    MOST_BYTES,
    BadReply,
    JudgeFailed,
    OpenAiJudge,
    Question,
    RefusedForm,
    TryAgain,
)
from reelremix.engine.models.judge_address import (
    KEY_VARIABLE,
    JudgeAddress,
    check_judge,
    judge_address,
    judge_key,
)
from reelremix.engine.network import network_calls, network_mark
from reelremix.errors import Cancelled, ConfigError
from tests.judge_server import Answer, JudgeServer, completion, judge_server

QUESTION = Question("test", "Which one?", {"A": "ein Tag", "B": "två"}, {"type": "object"}, 50)


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """A judge that says yes; tests change its answer."""
    with judge_server(lambda _: completion("yes", 12)) as running:
        yield running


def address(server: JudgeServer) -> JudgeAddress:
    found = judge_address(JudgeOptions(server.url, "m"), {})
    assert found is not None
    return found


def ask(server: JudgeServer, timeout_s: float = 5.0, key: str | None = None, **more: Any) -> str:
    judge = OpenAiJudge(address(server), key)
    try:
        return judge.ask("m", QUESTION, timeout_s, more.pop("cancel", CancelToken()), **more).text
    finally:
        judge.close()


def test_a_question_goes_out_as_data_apart_from_the_instructions(server: JudgeServer) -> None:
    assert ask(server) == "yes"
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.instructions == "Which one?" and asked.material == QUESTION.material
    assert (asked.json["model"], asked.json["temperature"]) == ("m", 0)
    assert asked.json["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert "authorization" not in asked.headers


def test_a_complaint_reaches_the_judge(server: JudgeServer) -> None:
    ask(server, complaint="it is too long")
    assert "refused: it is too long" in server.asked[0].instructions


def test_the_key_travels_in_the_header_alone(server: JudgeServer) -> None:
    ask(server, key="s3cret")
    assert server.asked[0].headers["authorization"] == "Bearer s3cret"
    assert b"s3cret" not in server.asked[0].body


def test_tokens_are_counted_where_the_server_counts_them(server: JudgeServer) -> None:
    judge = OpenAiJudge(address(server))
    assert judge.ask("m", QUESTION, 5, CancelToken()).tokens == 12
    for uncounted in (None, -5, 0):
        server.answer = lambda _, n=uncounted: completion("yes", n)  # type: ignore[misc]
        assert judge.ask("m", QUESTION, 5, CancelToken()).tokens == 0
    judge.close()


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(status=429), TryAgain, "status 429"),
        (Answer(status=500), TryAgain, "status 500"),
        (Answer(status=503), TryAgain, "status 503"),
        (Answer(status=400), RefusedForm, "status 400"),
        (Answer(status=401), JudgeFailed, "status 401"),
        (Answer(status=404), JudgeFailed, "status 404"),
        (Answer(b"{}", sent=1), TryAgain, "broke off"),
        (Answer(b"not JSON"), BadReply, "not the JSON of a chat completion"),
        (Answer(b"[" * 100_000), BadReply, "not the JSON of a chat completion"),
        (Answer(b'{"choices": []}'), BadReply, "not the JSON of a chat completion"),
        (Answer(b'{"choices": [{"message": {"content": null}}]}'), BadReply, "holds no text"),
        (completion("{", finish="length"), BadReply, "cut off"),
        (Answer(b" " * (MOST_BYTES + 1)), BadReply, "longer than"),
        (Answer(b"x", headers={"content-encoding": "gzip"}), JudgeFailed, "compresses"),
    ],
)
def test_a_bad_answer_is_named(
    server: JudgeServer, answer: Answer, kind: type[JudgeFailed], said: str
) -> None:
    server.answer = lambda _: answer
    with pytest.raises(kind, match=said) as raised:
        ask(server)
    assert type(raised.value) is kind


def test_a_server_may_ask_for_a_pause_but_not_for_a_long_one(server: JudgeServer) -> None:
    for wanted, given in (("2", 2.0), ("86400", 10.0), ("soon", 0.0)):
        answer = Answer(status=429, headers={"retry-after": wanted})
        server.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        with pytest.raises(TryAgain) as raised:
            ask(server)
        assert raised.value.pause_s == given


@pytest.mark.parametrize("answer", [Answer(hangs=True), Answer(drips=True)])
def test_no_answer_takes_longer_than_it_may(server: JudgeServer, answer: Answer) -> None:
    server.answer = lambda _: answer
    began = time.monotonic()
    with pytest.raises(TryAgain, match="did not answer within"):
        ask(server, timeout_s=0.1)
    assert time.monotonic() - began < 1


def test_a_cancelled_question_is_left_at_once(server: JudgeServer) -> None:
    server.answer = lambda _: Answer(hangs=True)
    cancel = CancelToken()
    threading.Timer(0.05, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        ask(server, timeout_s=30, cancel=cancel)
    assert time.monotonic() - began < 1


def test_a_redirect_is_not_followed(server: JudgeServer) -> None:
    with judge_server() as elsewhere:
        server.answer = lambda _: Answer(status=307, headers={"location": elsewhere.url})
        with pytest.raises(JudgeFailed, match="not followed"):
            ask(server, key="s3cret")
        assert elsewhere.asked == []


def test_parameters_that_a_server_does_not_know_are_left_out(server: JudgeServer) -> None:
    def picky(asked: Any) -> Answer:
        known = {"model", "messages", "stream"}
        return completion("yes") if asked.json.keys() <= known else Answer(status=400)

    server.answer = picky
    judge = OpenAiJudge(address(server))
    for _ in range(2):
        with pytest.raises(RefusedForm):
            judge.ask("m", QUESTION, 5, CancelToken())
    assert judge.ask("m", QUESTION, 5, CancelToken()).text == "yes"
    judge.close()


def test_a_server_that_is_not_there_is_told_and_nothing_counts_as_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    mark = network_mark()
    judge = OpenAiJudge(JudgeAddress(f"http://127.0.0.1:{port}", "127.0.0.1", port, "m"))
    with pytest.raises(JudgeFailed, match="cannot be reached"):
        judge.ask("m", QUESTION, 5, CancelToken())
    judge.close()
    assert network_calls(mark) == ()


def test_every_call_is_recorded_with_what_it_sent(server: JudgeServer) -> None:
    mark = network_mark()
    for _ in range(2):
        ask(server)
    size = len(server.asked[0].body)
    assert network_calls(mark) == (f"judge 127.0.0.1:{server.port} {size} bytes",) * 2


def test_a_proxy_does_not_see_what_stays_here(
    server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:9")
    assert ask(server) == "yes"


def test_the_first_model_listed_is_found(server: JudgeServer) -> None:
    server.answer = lambda _: Answer(json.dumps({"data": [{"id": "qwen"}]}).encode())
    judge = OpenAiJudge(address(server))
    assert judge.first_model(5, CancelToken()) == "qwen"
    for bad in ("{}", '{"data": []}', '{"data": [{"id": 3}]}', r'{"data": [{"id": "a\nb"}]}'):
        server.answer = lambda _, bad=bad: Answer(bad.encode())  # type: ignore[misc]
        with pytest.raises(JudgeFailed, match="lists"):
            judge.first_model(5, CancelToken())
    judge.close()


@pytest.mark.parametrize(
    ("typed", "ollama_host", "base"),
    [
        ("ollama:qwen2.5:7b", "", "http://127.0.0.1:11434/v1"),
        ("ollama:q", "gpu-box", "http://gpu-box:11434/v1"),
        ("ollama:q", "0.0.0.0:1234", "http://127.0.0.1:1234/v1"),
        ("ollama:q", "https://gpu.example/ollama/", "https://gpu.example:443/ollama/v1"),
        ("ollama:q", "[::1]:99", "http://[::1]:99/v1"),
        ("http://127.0.0.1:8080/v1/", "", "http://127.0.0.1:8080/v1"),
        ("https://api.example/v1/chat/completions", "", "https://api.example/v1"),
        (" HTTP://[::1]/v1 ", "", "http://[::1]/v1"),
    ],
)
def test_addresses_are_understood(typed: str, ollama_host: str, base: str) -> None:
    found = judge_address(JudgeOptions(typed), {"OLLAMA_HOST": ollama_host})
    assert found is not None and found.base == base


def test_an_empty_address_is_no_judge() -> None:
    assert judge_address(JudgeOptions(" "), {}) is None


def test_the_model_comes_from_the_address_or_its_own_option() -> None:
    def model(endpoint: str, named: str = "") -> str | None:
        found = judge_address(JudgeOptions(endpoint, named), {})
        assert found is not None
        return found.model

    assert model("ollama:qwen2.5:7b") == "qwen2.5:7b"
    assert model("ollama", "phi4") == model("ollama:phi4", "phi4") == "phi4"
    assert model("http://h/v1", "phi4") == "phi4" and model("http://h/v1") is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (JudgeOptions("ollama:"), "names no model"),
        (JudgeOptions("ollama:a", "b"), "name two models"),
        (JudgeOptions("gpt-4"), "neither ollama:MODEL nor an http address"),
        (JudgeOptions("ftp://h/v1"), "neither ollama:MODEL nor an http address"),
        (JudgeOptions("file:///etc/passwd"), "neither"),
        (JudgeOptions("http://"), "is no address"),
        (JudgeOptions("http://h:99999/v1"), "is no address"),
        (JudgeOptions("http://h:0/v1"), "is no address"),
        (JudgeOptions("http://[::1/v1"), "is no address"),
        (JudgeOptions("http://a b/v1"), "is no address"),
        (JudgeOptions("http://h/v1?key=hunter2"), "ends before"),
        (JudgeOptions("http://joe:hunter2@h/v1"), "user name or password"),
        (JudgeOptions("http://joe:hunter2＠h/v1"), "user name or password"),
        (JudgeOptions("joe:hunter2@h"), "user name or password"),
        (JudgeOptions("http://h/v1", budget_s=0), "judge_budget_s must be above 0"),
        (JudgeOptions("http://h/v1", calls=0), "judge_calls must be above 0"),
        (JudgeOptions("http://h/v1", tokens=-1), "judge_tokens must be above 0"),
    ],
)
def test_what_cannot_be_asked_is_told_without_its_password(
    options: JudgeOptions, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        check_judge(options, {})
    assert "hunter2" not in f"{raised.value.message} {raised.value.hint}"


@pytest.mark.parametrize("endpoint", ["https://api.example/v1", "http://127.0.0.1:1/v1",
                                      "http://localhost/v1", "ollama:q"])  # fmt: skip
def test_a_key_may_travel_where_nobody_listens(endpoint: str) -> None:
    found = judge_address(JudgeOptions(endpoint), {})
    assert found is not None and judge_key(found, {KEY_VARIABLE: " s3cret\n"}) == "s3cret"
    assert judge_key(found, {}) is None


@pytest.mark.parametrize(("endpoint", "key"), [("http://api.example/v1", "s3cret"),
                                               ("https://api.example/v1", "s3cret\nx: y"),
                                               ("https://api.example/v1", "s3crét")])  # fmt: skip
def test_a_key_that_would_leak_is_refused(endpoint: str, key: str) -> None:
    with pytest.raises(ConfigError, match=KEY_VARIABLE) as raised:
        check_judge(JudgeOptions(endpoint), {KEY_VARIABLE: key})
    assert "s3cr" not in f"{raised.value.message} {raised.value.hint}"


def test_the_clients_own_log_holds_no_key(
    server: JudgeServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        ask(server, key="s3cret")
    assert caplog.records and "s3cret" not in caplog.text
