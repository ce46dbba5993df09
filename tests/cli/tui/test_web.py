"""The session in a browser: a real server on loopback, and those who may not talk to it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest

from tests.cli.commandline import arguments
from tests.cli.tui.sessions import talk_in


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a review of three clips is served, with its token."""
    settings, path = talk_in(tmp_path)
    environment = os.environ | {"REELREMIX_DATA_DIR": settings.data_dir}
    command = arguments("review", path, "--web", "--port", free_port())
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.wait(10) == 0


def test_only_who_has_the_token_and_no_other_page_is_answered(address: str) -> None:
    base, token = address.split("/?token=")
    assert httpx.get(base).status_code == 403
    assert httpx.get(f"{base}/?token=wrong").status_code == 403
    assert httpx.get(address, headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(address, headers={"Origin": "http://evil.example"}).status_code == 403
    with httpx.Client() as browser:
        page = browser.get(address, follow_redirects=True)
        assert page.status_code == 200 and "ReelRemix" in page.text
        assert browser.cookies["reelremix-review"] == token
        assert token not in str(page.url)


@pytest.mark.slow
def test_the_session_is_drawn_in_the_browser(address: str) -> None:
    async def first_words() -> bytes:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            await browser.get(address)
            url = address.split("/?")[0].replace("http", "ws") + "/ws?width=100&height=30"
            seen = b""
            async with browser.ws_connect(url) as session:
                async for message in session:
                    seen += message.data if isinstance(message.data, bytes) else b""
                    if b"Clip number 1" in seen:
                        break
            return seen

    seen = asyncio.run(asyncio.wait_for(first_words(), 60))
    assert b"Clip number 1" in seen


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    settings, path = talk_in(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            arguments("review", path, "--web", "--port", port),
            capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {"REELREMIX_DATA_DIR": settings.data_dir},
        )  # fmt: skip
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr and "--port" in done.stderr
