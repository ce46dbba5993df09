"""An optional judge: any server that speaks OpenAI's chat completions, Ollama among them.

One exchange at a time: a question goes out, a text comes back. What is asked, how often it is tried
and what an answer must look like is decided in `stages.judge`; nothing here trusts a server: a
reply is cut off by time and by size, redirects are not followed, compressed bodies are refused.

Each exchange runs in a thread of its own, because a blocked read cannot be interrupted: whoever
waits looks at the clock and at the cancel token, and leaves a thread behind that ends by itself.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reelremix import __version__
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.models.judge_address import KEY_VARIABLE, JudgeAddress
from reelremix.engine.network import note_sent

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 1 << 18
"""Of a reply; the longest one that is asked for has about three thousand."""
LONGEST_MODEL_NAME = 200
POLL_S = 0.02
BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
REFUSED_FORM = frozenset({400, 415, 422, 501})
"""What servers answer to a parameter they do not know."""
LONGEST_PAUSE_S = 10.0
"""A server may ask for more before the next try, and is not obeyed."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask: who it is that answers, what about, in which form."""

    name: str
    instructions: str
    material: dict[str, Any]
    """Sent as JSON, apart from the instructions: it holds what was said in the recording."""
    schema: dict[str, Any]
    """JSON Schema of the answer."""
    most_tokens: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, not looked at yet."""

    text: str
    tokens: int
    """As the server counts them; zero when it does not."""


class JudgeFailed(Exception):
    """The judge gave no answer, and asking on is of no use."""

    def __init__(self, why: str, hint: str | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class TryAgain(JudgeFailed):
    """The server or the line failed in a way that may pass."""

    def __init__(self, why: str, hint: str | None = None, *, pause_s: float = 0.0) -> None:
        super().__init__(why, hint)
        self.pause_s = pause_s
        """What the server asked for before the next try."""


class BadReply(JudgeFailed):
    """The judge answered, but not what was asked."""


class RefusedForm(BadReply):
    """The server does not know a parameter of the request; the next one has fewer."""


class Judge(Protocol):
    """Answers questions about passages of a transcript."""

    address: JudgeAddress

    def first_model(self, timeout_s: float, cancel: CancelToken) -> str:
        """The first model that the server lists. Raises JudgeFailed and Cancelled."""

    def ask(
        self,
        model: str,
        question: Question,
        timeout_s: float,
        cancel: CancelToken,
        *,
        complaint: str | None = None,
    ) -> Reply:
        """One answer; `complaint` says what was wrong with the one before.

        Raises:
            JudgeFailed: there is none.
            Cancelled: the user asked to stop; within a tenth of a second.
        """

    def close(self) -> None:
        """Let go of connections."""


class OpenAiJudge:
    """`Judge` over HTTP."""

    def __init__(self, address: JudgeAddress, key: str | None = None) -> None:
        """Ask the server at `address`; `key` is sent to it and to nobody else."""
        import httpx  # deferred: 0.1 s, and few ask a judge

        self.address = address
        self._plainness = 0
        headers = {"accept-encoding": "identity", "user-agent": f"reelremix/{__version__}"}
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        # A proxy named by the environment must not get to see what stays on this machine.
        self._client = httpx.Client(
            follow_redirects=False, headers=headers, trust_env=not address.is_local
        )

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def first_model(self, timeout_s: float, cancel: CancelToken) -> str:
        """The first model that the server lists. Raises JudgeFailed and Cancelled."""
        content = self._exchange("GET", "/models", b"", timeout_s, cancel)
        try:
            name = json.loads(content)["data"][0]["id"]
        except (ValueError, LookupError, TypeError, RecursionError):
            name = None
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_MODEL_NAME:
            raise JudgeFailed("lists no model", "name one with `--judge-model`")
        if not name.isprintable():
            raise JudgeFailed("lists a model without a proper name", "name one: `--judge-model`")
        return name

    def ask(
        self,
        model: str,
        question: Question,
        timeout_s: float,
        cancel: CancelToken,
        *,
        complaint: str | None = None,
    ) -> Reply:
        """One answer; `complaint` says what was wrong with the one before."""
        body = self._body(model, question, complaint)
        return _reply(self._exchange("POST", "/chat/completions", body, timeout_s, cancel))

    def _body(self, model: str, question: Question, complaint: str | None) -> bytes:
        """The request; each refusal takes away what some servers do not know."""
        instructions = question.instructions
        if complaint is not None:
            instructions += f"\nYour last answer was refused: {complaint}. Answer again."
        asked: dict[str, Any] = {
            "model": model,
            "messages": [
                {"role": "system", "content": instructions},
                {"role": "user", "content": json.dumps(question.material, ensure_ascii=False)},
            ],
            "stream": False,
        }
        if self._plainness < 2:
            asked |= {"temperature": 0, "max_tokens": question.most_tokens}
        if self._plainness < 1:
            schema = {"name": question.name, "strict": True, "schema": question.schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": schema}
        return json.dumps(asked, ensure_ascii=False).encode(errors="replace")

    def _exchange(
        self, method: str, path: str, body: bytes, timeout_s: float, cancel: CancelToken
    ) -> bytes:
        """The body of a good response."""
        cancel.raise_if_set()
        exchange = _Exchange(self._client, self.address, method, path, body, timeout_s)
        threading.Thread(target=exchange.run, name="judge", daemon=True).start()
        until = time.monotonic() + timeout_s
        try:
            while not exchange.ended.wait(POLL_S):
                cancel.raise_if_set()
                if time.monotonic() > until:
                    raise TryAgain(f"did not answer within {timeout_s:.0f} s")
        finally:
            exchange.is_left.set()
        if exchange.failure is not None:
            raise exchange.failure
        self._check_status(exchange.status, exchange.pause_s)
        return bytes(exchange.content)

    def _check_status(self, status: int, pause_s: float) -> None:
        if status == 200:
            return
        said = f"answered with status {status}"
        if status in BUSY:
            raise TryAgain(said, pause_s=pause_s)
        if status in REFUSED_FORM:
            self._plainness = (self._plainness + 1) % 3
            raise RefusedForm(said)
        if 300 <= status < 400:
            raise JudgeFailed(
                f"{said}, a redirect, which is not followed", "give the address it leads to"
            )
        if status in (401, 403):
            raise JudgeFailed(said, f"put the key it wants into {KEY_VARIABLE}")
        if status == 404:
            raise JudgeFailed(
                said, "check the model's name; most servers want an address that ends in /v1"
            )
        raise JudgeFailed(said)


@dataclass
class _Exchange:
    """One request and its response, in a thread of its own."""

    client: httpx.Client
    address: JudgeAddress
    method: str
    path: str
    body: bytes
    timeout_s: float
    status: int = 0
    pause_s: float = 0.0
    content: bytearray = field(default_factory=bytearray)
    failure: JudgeFailed | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    is_left: threading.Event = field(default_factory=threading.Event)
    """Nobody waits any more."""
    _is_noted: bool = False

    def run(self) -> None:
        """Send and receive; what comes of it is left in the fields."""
        import httpx

        try:
            self._receive()
        except JudgeFailed as exc:
            self.failure = exc
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self.failure = JudgeFailed("cannot be reached")
        except httpx.TimeoutException:
            self.failure = TryAgain(f"did not answer within {self.timeout_s:.0f} s")
        except Exception as exc:  # also what a client raises that is closed meanwhile
            self.failure = TryAgain(f"broke off ({type(exc).__name__})")
        finally:
            self.ended.set()

    def _receive(self) -> None:
        with self.client.stream(
            self.method,
            self.address.base + self.path,
            content=self.body,
            headers={"content-type": "application/json"} if self.body else {},
            timeout=self.timeout_s,
            extensions={"trace": self._note},
        ) as response:
            self.status = response.status_code
            self.pause_s = _pause_s(response.headers.get("retry-after", ""))
            if response.headers.get("content-encoding", "identity") != "identity":
                raise JudgeFailed("compresses its answers unasked")
            for chunk in response.iter_raw():
                if self.is_left.is_set():
                    return
                self.content += chunk
                if len(self.content) > MOST_BYTES:
                    raise BadReply(f"the answer is longer than {MOST_BYTES >> 10} KiB")

    def _note(self, event: str, _: dict[str, Any]) -> None:
        """Record the call when its body goes out: one that never connects sends nothing."""
        if event == "http11.send_request_body.started" and not self._is_noted:
            self._is_noted = True
            note_sent("judge", self.address.host, self.address.port, len(self.body))


def _pause_s(retry_after: str) -> float:
    """Seconds a server asks for; dates are not worth the trouble."""
    return min(float(retry_after), LONGEST_PAUSE_S) if retry_after.isdecimal() else 0.0


def _reply(content: bytes) -> Reply:
    """The text in a chat completion."""
    try:
        envelope = json.loads(content)
        choice = envelope["choices"][0]
        text = choice["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as exc:
        raise BadReply("the answer is not the JSON of a chat completion") from exc
    if not isinstance(text, str):
        raise BadReply("the answer holds no text")
    usage = envelope.get("usage") if isinstance(envelope, dict) else None
    tokens: object = usage.get("total_tokens") if isinstance(usage, dict) else None
    if choice.get("finish_reason") == "length":
        raise BadReply("the answer is too long and was cut off")
    return Reply(text, max(tokens, 0) if isinstance(tokens, int) else 0)
