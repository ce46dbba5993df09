"""Where a judge is, as people type it, and the key that opens it.

Knows no HTTP, so that a typing mistake is told before anything heavy is loaded. What is typed may
hold a password by mistake: then no message repeats it.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from reelremix.engine.domain.request import JudgeOptions
from reelremix.engine.network import is_loopback
from reelremix.errors import ConfigError

KEY_VARIABLE = "REELREMIX_JUDGE_KEY"
OLLAMA = "ollama"
OLLAMA_PORT = 11434
PORTS = {"http": 80, "https": 443}
HOW = "type `--judge ollama:MODEL`, or an address such as `--judge http://127.0.0.1:8080/v1`"
_LISTENS_EVERYWHERE = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class JudgeAddress:
    """A server to ask."""

    base: str
    """Without a slash at its end; `/chat/completions` is added."""
    host: str
    port: int
    model: str | None
    """None takes the first that the server lists."""

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        return is_loopback(self.host)


def judge_address(
    options: JudgeOptions, environ: Mapping[str, str] | None = None
) -> JudgeAddress | None:
    """The server that the options name; None when the judge is off.

    Raises:
        ConfigError: it is no address that can be asked, or a limit makes no sense.
    """
    typed = options.endpoint.strip()
    if not typed:
        return None
    _check_limits(options)
    scheme, colon, rest = typed.partition(":")
    if scheme.lower() == OLLAMA and not rest.startswith("//"):
        model = _ollama_model(rest if colon else "", options.model)
        address = _ollama_address(os.environ if environ is None else environ)
        return JudgeAddress(*address, model)
    base, host, port = _split(
        typed, "--judge" if _may_hold_a_password(typed) else f"--judge {typed}"
    )
    return JudgeAddress(base, host, port, options.model.strip() or None)


def judge_key(address: JudgeAddress, environ: Mapping[str, str] | None = None) -> str | None:
    """The secret to send, from the environment alone; None without one.

    Raises:
        ConfigError: it would travel unencrypted to another machine, or is no key.
    """
    key = (os.environ if environ is None else environ).get(KEY_VARIABLE, "").strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"{KEY_VARIABLE} holds characters that no key has", hint="copy the key again"
        )
    if not address.is_local and not address.base.startswith("https:"):
        raise ConfigError(
            f"the key in {KEY_VARIABLE} would travel to {address.host} unencrypted",
            hint=f"use an https address, or unset {KEY_VARIABLE}",
        )
    return key


def check_judge(options: JudgeOptions, environ: Mapping[str, str] | None = None) -> None:
    """Raise ConfigError for a judge that cannot be asked; nothing is sent."""
    address = judge_address(options, environ)
    if address is not None:
        judge_key(address, environ)


def _check_limits(options: JudgeOptions) -> None:
    for name, value in (
        ("judge_budget_s", options.budget_s),
        ("judge_calls", options.calls),
        ("judge_tokens", options.tokens),
    ):
        if not value > 0:
            raise ConfigError(f"{name} must be above 0 (got {value:g})")


def _ollama_model(named: str, asked: str) -> str:
    named, asked = named.strip(), asked.strip()
    if named and asked and named != asked:
        raise ConfigError(
            f"--judge {OLLAMA}:{named} and --judge-model {asked} name two models",
            hint="leave one of them out",
        )
    if not named and not asked:
        raise ConfigError(
            f"--judge {OLLAMA} names no model",
            hint="type `--judge ollama:MODEL`; `ollama list` says which there are",
        )
    return named or asked


def _ollama_address(environ: Mapping[str, str]) -> tuple[str, str, int]:
    """Where Ollama listens: OLLAMA_HOST is a host, a host and port, or an address."""
    said = environ.get("OLLAMA_HOST", "").strip().strip("\"'")
    typed = said if "://" in said else f"http://{said or '127.0.0.1'}"
    split = _parsed(typed.rstrip("/"), "OLLAMA_HOST")
    host = split.hostname or ""
    if host in _LISTENS_EVERYWHERE:  # what a server is told is not where a client goes
        host = "127.0.0.1"
    port = split.port or (PORTS[split.scheme] if "://" in said else OLLAMA_PORT)
    return f"{split.scheme}://{_bracketed(host)}:{port}{split.path}/v1", host, port


def _split(typed: str, named: str) -> tuple[str, str, int]:
    split = _parsed(typed, named)
    path = split.path.rstrip("/").removesuffix("/chat/completions")
    host, port = split.hostname or "", split.port or PORTS[split.scheme]
    netloc = _bracketed(host) + (f":{split.port}" if split.port else "")
    return f"{split.scheme}://{netloc}{path}", host, port


def _parsed(typed: str, named: str) -> SplitResult:
    """The parts of an http address. Raises ConfigError calling it `named`."""
    if _may_hold_a_password(typed):
        raise ConfigError(
            f"{named}: an address with a user name or password in it is not taken",
            hint=f"leave them out; a key goes into the environment as {KEY_VARIABLE}",
        )
    if "?" in typed or "#" in typed:
        raise ConfigError(
            f"{named.partition('?')[0].partition('#')[0]}: an address ends before `?` and `#`",
            hint=f"leave the rest out; a key goes into the environment as {KEY_VARIABLE}",
        )
    try:
        split = urlsplit(typed)
        has_port = split.port != 0
    except ValueError as exc:
        raise ConfigError(f"{named} is no address", hint=HOW) from exc
    if split.scheme not in PORTS:
        raise ConfigError(f"{named} is neither ollama:MODEL nor an http address", hint=HOW)
    if not split.hostname or not has_port or not typed.isprintable() or " " in typed:
        raise ConfigError(f"{named} is no address", hint=HOW)
    return split


def _may_hold_a_password(typed: str) -> bool:
    return "@" in unicodedata.normalize("NFKC", typed)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
