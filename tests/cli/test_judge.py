"""A judge from the command line: off unless asked for, listed when it was, never in the way."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.cli.commandline import (
    QUICK,
    Command,
    end_of,
    manifest_in,
    partial_files,
    wait_for,
    words_file,
)
from tests.cli.conftest import Start
from tests.contract.schemas import faults
from tests.judge_server import Answer, Asked, JudgeServer, completion, fair, judge_server, wording
from tests.media_factory import Film, sound_of, tone, write_media

LENGTHS = ("--min", "3", "--max", "8", "--count", "2")
KEY = "s3cret-key"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Twenty seconds of a talk."""
    frames = Film(200, size=(160, 90), rate=Fraction(10))
    return write_media(tmp_path / "talk.mp4", frames, sound_of(tone(20)))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """What is said in it."""
    return words_file(tmp_path / "words.json")


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """A fair judge."""
    with judge_server() as running:
        yield running


def plan(words: Path, *more: object) -> tuple[object, ...]:
    """Options of a run that renders nothing."""
    return ("--transcript", words, "--plan", *LENGTHS, *QUICK, *more)


def test_nobody_judges_unless_asked(
    reelremix: Command, film: Path, words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELREMIX_JUDGE_KEY", KEY)
    ended = reelremix("clip", film, *plan(words))
    manifest = manifest_in(Path("clips/talk"))
    assert ended.code == 0 and manifest["options"]["judge"] is None
    assert manifest["run"]["network"] == []
    assert "judge" not in {stage["name"] for stage in manifest["run"]["stages"]}
    assert not any("judge" in clip for clip in manifest["clips"])


def test_a_judge_is_in_the_manifest_with_every_call(
    reelremix: Command,
    film: Path,
    words: Path,
    server: JudgeServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REELREMIX_JUDGE_KEY", KEY)
    ended = reelremix("clip", film, *plan(words, "--judge", server.url, "--progress", "json"))
    assert ended.code == 0, ended.err
    manifest = manifest_in(Path("clips/talk"))
    assert faults("clips", manifest) == []
    assert manifest["options"]["judge"] == {
        "endpoint": server.url, "model": "", "budget_s": 120.0, "calls": 60, "tokens": 200_000,
    }  # fmt: skip
    assert manifest["run"]["network"] == [
        f"judge 127.0.0.1:{server.port} {len(asked.body)} bytes" for asked in server.asked
    ]
    for clip in manifest["clips"]:
        assert clip["judge"]["model"] == "small" and clip["judge"]["hook"] == "Wait for it"
        assert clip["title"].startswith("About ")
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    everything = [ended.err, *(str(path.read_bytes()) for path in _written())]
    assert not any(KEY in text for text in everything)


def _written() -> list[Path]:
    """Every file that a run left: output, library, artifacts and logs."""
    home = Path.cwd().parent
    return [path for path in home.rglob("*") if path.is_file()]


def test_a_second_run_makes_the_same_clips_without_a_call(
    reelremix: Command, film: Path, words: Path, server: JudgeServer
) -> None:
    command = ("clip", film, *plan(words, "--judge", server.url))
    assert reelremix(*command).code == 0
    first, asked = manifest_in(Path("clips/talk")), len(server.asked)
    assert reelremix(*command, "--overwrite").code == 0
    again = manifest_in(Path("clips/talk"))
    assert (again["clips"], again["run"]["network"]) == (first["clips"], [])
    assert len(server.asked) == asked


@pytest.mark.parametrize("answer", [Answer(status=404), Answer(b"<html>"), None])
def test_a_judge_that_fails_is_a_warning_and_no_more(
    reelremix: Command, film: Path, words: Path, server: JudgeServer, answer: Answer | None
) -> None:
    assert reelremix("clip", film, *plan(words, "--out", "plain")).code == 0
    url = server.url
    if answer is None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    else:
        server.answer = lambda _: answer
    ended = reelremix("clip", film, *plan(words, "--judge", url))
    assert ended.code == 0 and "reelremix: warning: the judge at 127.0.0.1:" in ended.err
    assert "hint: " in ended.err
    plain, judged = (manifest_in(Path(f"{out}/talk")) for out in ("plain", "clips"))
    assert judged["clips"] == plain["clips"]


def test_ctrl_c_is_heard_while_the_judge_hangs(
    start: Start, film: Path, words: Path, server: JudgeServer
) -> None:
    server.answer = lambda _: Answer(hangs=True)
    process = start("clip", film, *plan(words, "--judge", server.url, "--progress", "json"))
    wait_for(process, "stage_started", stage="judge")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert end_of(process).code == 130
    assert time.monotonic() - began < 2
    assert partial_files() == []


def test_scores_are_ordered_by_the_judge_and_keep_their_values(
    reelremix: Command, words: Path, server: JudgeServer
) -> None:
    plain = reelremix("score", words, *LENGTHS, "--json").json
    judged = reelremix("score", words, *LENGTHS, "--judge", server.url, "--json").json
    assert faults("score", judged) == []
    records = [c["judge"] for c in judged["candidates"]]
    assert all(r["wins"] + r["losses"] and r["hook"] is None for r in records)
    assert not any("judge" in c for c in plain["candidates"])
    totals = {(c["start_s"], c["end_s"]): c["score"] for c in plain["candidates"]}
    for candidate in judged["candidates"]:
        place = (candidate["start_s"], candidate["end_s"])
        assert candidate["score"] == totals.get(place, candidate["score"])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--judge", "gpt-4"), "--judge gpt-4 is neither ollama:MODEL nor an http address"),
        (("--judge", "ollama:"), "--judge ollama names no model"),
        (("--judge", "ollama:a", "--judge-model", "b"), "name two models"),
        (("--judge", "http://joe:hunter2@h/v1"), "flag --judge: the judge's address must not hold"),
        (("--judge", "http://h/v1?key=hunter2"), "flag --judge: the judge's address must not hold"),
    ],
)
@pytest.mark.parametrize("command", ["clip", "score"])
def test_a_wrong_address_is_told_before_any_work(
    reelremix: Command, command: str, flags: tuple[str, ...], said: str
) -> None:
    ended = reelremix(command, "not-there.mp4", *flags)
    assert ended.failed_politely(2, said)
    assert "hunter2" not in ended.err and not Path("clips").exists()


def test_a_key_does_not_travel_unencrypted(
    reelremix: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELREMIX_JUDGE_KEY", KEY)
    ended = reelremix("clip", "not-there.mp4", "--judge", "http://api.example/v1")
    assert ended.failed_politely(2, "would travel to api.example unencrypted")
    assert KEY not in ended.err


def test_settings_show_the_judge_and_never_a_secret(
    reelremix: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELREMIX_JUDGE_KEY", KEY)
    monkeypatch.setenv("REELREMIX_JUDGE", "ollama:qwen2.5")
    shown = reelremix("config", "show", "--json")
    assert shown.json["settings"]["judge"]["value"] == "ollama:qwen2.5" and KEY not in shown.out
    monkeypatch.setenv("REELREMIX_JUDGE", "http://joe:hunter2@h/v1")
    refused = reelremix("config", "show")
    assert refused.failed_politely(2, "REELREMIX_JUDGE: the judge's address must not hold")
    assert "hunter2" not in refused.err
    monkeypatch.delenv("REELREMIX_JUDGE")
    Path(".reelremix.toml").write_text('judge = "http://joe:hunter2@h/v1"\n')
    assert "hunter2" not in reelremix("config", "show").err


def test_the_sheet_shows_a_judges_words_as_text(
    reelremix: Command, film: Path, words: Path, server: JudgeServer
) -> None:
    def cheeky(asked: Asked) -> Answer:
        if asked.method == "GET" or asked.is_comparison:
            return fair(asked)
        return completion(wording(asked.material["clip"], title='5 < 7 & "more"'))

    server.answer = cheeky
    assert reelremix("clip", film, *plan(words, "--judge", server.url)).code == 0
    assert "5 &lt; 7 &amp; &#34;more&#34;" in Path("clips/talk/index.html").read_text()
    manifest = json.loads(Path("clips/talk/clips.json").read_text())
    assert [clip["slug"] for clip in manifest["clips"]] == ["5-7-more"] * 2
