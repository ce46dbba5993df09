"""The local API: who is let in, what is answered, and how errors are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from reelremix.config import Settings
from reelremix.daemon.app import create_app
from reelremix.daemon.gpu import NoGpus
from reelremix.daemon.service import Daemon
from reelremix.engine import codec
from reelremix.engine.domain.events import StageStarted, Waiting
from reelremix.engine.domain.job import JobState
from reelremix.engine.domain.request import ClipRequest
from tests.conftest import REPOSITORY
from tests.daemon.rig import ENDED, eventually

TOKEN = "the-token"
OWN = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1:4000"}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon in this process, with nothing to do."""
    folder = tmp_path_factory.mktemp("daemon")
    found = Daemon(Settings(data_dir=str(folder / "data")), NoGpus())
    yield found
    found.close()


@pytest.fixture(scope="module")
def api(daemon: Daemon) -> Iterator[TestClient]:
    """Its API, with the token."""
    with TestClient(create_app(daemon, TOKEN, lambda: None), headers=OWN) as client:
        yield client


def asked(source: Path, **more: Any) -> dict[str, Any]:
    """A submission for a recording."""
    request = codec.to_plain(ClipRequest(str(source), str(source.parent / "clips")))
    return {"kind": "clip", "request": request, **more}


def posted(api: TestClient, path: str, body: Any) -> Any:
    """The answer to a body, with numbers that are none and halves of characters as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.post(path, content=content, headers={"Content-Type": "application/json"})


def refused(answer: Any, said: str, code: int = 422) -> None:
    """Assert that an answer says in one line what is wrong, as every refusal does."""
    assert answer.status_code == code, answer.text
    told = answer.json()
    assert told.keys() == {"kind", "message", "hint"}
    assert said in told["message"] and "\n" not in told["message"], told


@pytest.fixture(scope="module")
def lasting(api: TestClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A job whose recording is not there, for all who only ask about it."""
    return a_failed_job(api, tmp_path_factory.mktemp("lasting"))


@pytest.fixture
def failed(api: TestClient, tmp_path: Path) -> dict[str, Any]:
    """Such a job for one test alone."""
    return a_failed_job(api, tmp_path)


def a_failed_job(api: TestClient, folder: Path) -> dict[str, Any]:
    """Submit a recording that is not there and wait until that is told."""
    job = api.post("/v1/jobs", json=asked(folder / "gone.mp4")).json()
    eventually(lambda: api.get(f"/v1/jobs/{job['id']}").json()["state"] in ENDED, 20)
    found: dict[str, Any] = api.get(f"/v1/jobs/{job['id']}").json()
    return found


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:4000",
        "evil:4000",
        "",
        "localhost.evil.example",
        "127.0.0.1:4000@evil.example",
    ],
)
def test_no_other_host_is_answered(api: TestClient, host: str) -> None:
    assert api.get("/v1/health", headers={"Host": host}).status_code == 403
    assert api.get("/v1/jobs", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:4000", "localhost:4000", "[::1]:4000", "localhost"])
def test_own_names_are_answered(api: TestClient, host: str) -> None:
    assert api.get("/v1/health", headers={"Host": host}).json()["status"] == "ok"


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"},
                                     {"Origin": "http://evil.example:4000"},
                                     {"Sec-Fetch-Site": "cross-site"},
                                     {"Sec-Fetch-Site": "same-site"}])  # fmt: skip
def test_no_page_from_elsewhere_is_answered(api: TestClient, headers: dict[str, str]) -> None:
    assert api.post("/v1/stop", headers=headers).status_code == 403


@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", TOKEN[:-1]])
def test_nothing_is_answered_without_the_token(api: TestClient, sent: str) -> None:
    answer = api.get("/v1/jobs", headers={"Authorization": sent})
    assert answer.status_code == 401
    assert answer.json()["message"] == "the token is missing or wrong"


def test_health_needs_no_token(api: TestClient) -> None:
    answer = api.get("/v1/health", headers={"Authorization": ""}).json()
    assert answer["protocol"] == 1 and answer["status"] == "ok"


def test_a_job_is_queued_shown_and_listed(api: TestClient, failed: dict[str, Any]) -> None:
    assert failed["state"] == "failed"
    assert failed["failure"]["kind"] == "UnreadableMedia"
    assert "gone.mp4" in failed["failure"]["message"]
    assert api.get(f"/v1/jobs/{failed['id'][:8]}").json() == failed
    page = api.get("/v1/jobs", params={"state": "failed"}).json()
    assert failed["id"] in [job["id"] for job in page["jobs"]] and page["counts"]["failed"] >= 1


def test_its_events_are_streamed_to_the_end(api: TestClient, lasting: dict[str, Any]) -> None:
    answer = api.get(f"/v1/jobs/{lasting['id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    told = [json.loads(line) for line in data]
    assert [event["type"] for event in told] == [
        "job_queued", "job_started", "stage_started", "job_failed",
    ]  # fmt: skip
    assert [event["seq"] for event in told] == [1, 2, 3, 4]


@pytest.mark.parametrize("how", ["query", "header"])
def test_a_stream_goes_on_from_a_number(api: TestClient, lasting: dict[str, Any], how: str) -> None:
    path = f"/v1/jobs/{lasting['id']}/events"
    if how == "query":
        answer = api.get(path, params={"after": 3})
    else:
        answer = api.get(path, headers={"Last-Event-ID": "3"})
    assert answer.text.count("data: ") == 1 and "job_failed" in answer.text


def test_a_number_behind_the_last_one_of_a_job_that_has_ended_ends_the_stream(
    api: TestClient, lasting: dict[str, Any]
) -> None:
    answer = api.get(f"/v1/jobs/{lasting['id']}/events", headers={"Last-Event-ID": "99"})
    assert answer.status_code == 200 and "data: " not in answer.text


@pytest.mark.parametrize("number", ["", "-1", "1.5", "x", "²", "9" * 17, "9" * 5000])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/jobs/{}/events"])
def test_what_is_no_number_of_an_event_is_refused(
    api: TestClient, lasting: dict[str, Any], path: str, number: str
) -> None:
    headers = {b"Last-Event-ID": number.encode("latin-1")}
    answer = api.get(path.format(lasting["id"]), headers=headers)
    refused(answer, "Last-Event-ID must be the number of an event")


def test_a_job_that_failed_is_tried_again(api: TestClient, failed: dict[str, Any]) -> None:
    again = api.post(f"/v1/jobs/{failed['id']}/retry", json={}).json()
    assert again["attempt"] == 2 and again["failure"] is None
    eventually(lambda: api.get(f"/v1/jobs/{failed['id']}").json()["state"] == "failed", 20)


def test_a_job_that_waits_says_for_what(
    daemon: Daemon, api: TestClient, failed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    id, jobs = failed["id"], daemon.stores.jobs
    jobs.change(id, JobState.FAILED, state=JobState.RUNNING)
    log = daemon.runner.log_of(id)
    assert "broken off" in api.get(f"/v1/jobs/{id}").json()["waits_for"]
    monkeypatch.setattr(daemon.runner, "is_under_way", lambda job_id: True)
    try:
        log.emit(Waiting("no space left on device; trying again in 9 s"))
        for asked in (f"/v1/jobs/{id}", "/v1/jobs"):
            told = api.get(asked).json()
            told = next(one for one in told.get("jobs", [told]) if one["id"] == id)
            assert told["waits_for"] == "no space left on device; trying again in 9 s"
        log.emit(StageStarted("render"))
        assert api.get(f"/v1/jobs/{id}").json()["waits_for"] is None
    finally:
        jobs.change(id, JobState.RUNNING, state=JobState.FAILED)


def test_jobs_are_forgotten(api: TestClient, failed: dict[str, Any]) -> None:
    assert api.post("/v1/jobs/purge", json={"older_than_s": 3600}).json() == {"jobs": 0}
    assert api.post("/v1/jobs/purge", json={"ids": [failed["id"]]}).json() == {"jobs": 1}
    assert api.get(f"/v1/jobs/{failed['id']}").status_code == 404
    refused = api.post("/v1/jobs/purge", json={"states": ["running"]})
    assert refused.status_code == 422 and "got 'running'" in refused.json()["message"]


@pytest.mark.parametrize(("change", "said"), [
    ({"kind": "dance"}, "no kind of job 'dance'"),
    ({"priority": 12}, "between 0 and 9"),
    ({"request": {"source": "talk.mp4", "out": "/clips"}}, "must be an absolute path"),
    ({"request": {"source": "/talk.mp4", "out": "/clips", "version": 2}}, "of a newer ReelRemix"),
    ({"request": {"source": "/talk.mp4", "encode": {"crf": "much"}}}, "cannot be read"),
    ({"request": "talk.mp4"}, "body.request"),
])  # fmt: skip
def test_what_cannot_be_asked_is_told_in_words(
    api: TestClient, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    answer = api.post("/v1/jobs", json=asked(tmp_path / "talk.mp4") | change)
    assert answer.status_code == 422
    assert said in answer.json()["message"]


@pytest.mark.parametrize(("change", "said"), [
    ({"source": ""}, "source must not be empty"),
    ({"out": ""}, "out must not be empty"),
    ({"out": "https://example.org/clips"}, "out must be an absolute path"),
    ({"source": 3}, "request.source must be text"),
    ({"source": "/a\0b.mp4"}, "body.request.source must not hold a null byte"),
    ({"out": "/cl\0ips"}, "body.request.out must not hold a null byte"),
    ({"source": "/a\ud800.mp4"}, "body.request.source holds half a character"),
    ({"captions": "./mine.toml"}, "captions must be an absolute path"),
    ({"brand": "kits/mine"}, "brand must be an absolute path"),
    ({"captions": {"name": "bold"}}, "request.captions must be text"),
    ({"transcribe": {"model": "models/own"}}, "transcribe.model must be an absolute path"),
    ({"transcribe": {"model": ""}}, "transcribe.model must not be empty"),
    ({"transcribe": {"transcript": ""}}, "transcribe.transcript must not be empty"),
    ({"transcribe": {"speakers": "0"}}, "--speakers must be"),
    ({"transcribe": {"device": "tpu"}}, "--device must be auto, cpu or cuda"),
    ({"transcribe": {"beam_size": 0}}, "beam_size must be between"),
    ({"transcribe": {"vocabulary": "a, b"}}, "request.transcribe.vocabulary must be a list"),
    ({"sound": {"music": "bed.mp3"}}, "sound.music must be an absolute path"),
    ({"sound": {"music_level_db": 60}}, "--music-level must be between"),
    ({"sound": {"music_level_db": float("nan")}}, "sound.music_level_db must be a number"),
    ({"version": True}, "version must be a whole number"),
    ({"version": -1}, "version must be a whole number"),
    ({"version": 1.0}, "version must be a whole number"),
    ({"version": "1"}, "version must be a whole number"),
    ({"crff": 3}, "request has no 'crff'"),
    ({"encode": {"crff": 3}}, "request.encode has no 'crff'; did you mean 'crf'?"),
    ({"encode": {"crf": 52}}, "--crf must be between 0 and 51"),
    ({"encode": {"crf": 10**30}}, "body.request.encode.crf must be a number"),
    ({"encode": {"crf": True}}, "request.encode.crf must be a whole number"),
    ({"encode": {"jobs": -1}}, "--jobs must be between"),
    ({"encode": {"fps": "1e999999999"}}, "--fps must be"),
    ({"encode": {"fps": "0"}}, "--fps must be between"),
    ({"encode": [1]}, "request.encode must be an object"),
    ({"encode": None}, "request.encode must be an object"),
    ({"select": {"count": 0}}, "--count must be"),
    ({"select": {"count": 101}}, "--count must be"),
    ({"select": {"min_s": 90.0}}, "--min must be"),
    ({"select": {"min_s": -1}}, "--min must be"),
    ({"select": {"about": "..."}}, "--about needs at least a word"),
    ({"select": {"judge": {"endpoint": "nowhere"}}}, "--judge nowhere"),
    ({"select": {"ranges": [{"start": [9, "1/1"], "end": [3, "1/1"]}]}}, "--range must end after"),
    ({"select": {"ranges": [{"start": [9, "1/0"], "end": 3}]}}, "select.ranges[0].start must be"),
    ({"frame": {"aspect": "3:1"}}, "request.frame.aspect must be one of 9:16"),
    ({"tighten": {}}, "request.tighten must be one of off"),
    ({"subtitles": "srt"}, "request.subtitles must be a list"),
    ({"subtitles": ["sub"]}, "--subtitles must be"),
    ({"platform": "myspace"}, "--platform must be one of"),
    ({"plan_only": "false"}, "request.plan_only must be true or false"),
])  # fmt: skip
def test_an_absurd_request_is_refused_by_the_name_of_its_field(
    api: TestClient, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    new = asked(tmp_path / "talk.mp4")
    new["request"] |= change
    refused(posted(api, "/v1/jobs", new), said)


@pytest.mark.parametrize(("change", "said"), [
    ({"origin": ""}, "origin must be 1 to 200 characters"),
    ({"origin": "x" * 9999}, "origin must be 1 to 200 characters"),
    ({"origin": "a\nb"}, "origin must be 1 to 200 characters on one line"),
    ({"origin": "\ud800"}, "body.origin holds half a character"),
    ({"key": ""}, "key must be 1 to 200 characters"),
    ({"key": "\x1b[2J"}, "key must be 1 to 200 characters on one line"),
    ({"key": "a\0"}, "body.key must not hold a null byte"),
    ({"key": 3}, "body.key"),
    ({"priority": float("inf")}, "body.priority must be a number"),
    ({"priority": 2**70}, "body.priority must be a number"),
    ({"priority": [5]}, "body.priority"),
    ({"kind": "k" * 9999}, "there is no kind of job"),
    ({"kind": None}, "body.kind"),
    ({"request": None}, "body.request"),
    ({"request": {}}, "request.source is missing"),
])  # fmt: skip
def test_an_absurd_submission_is_refused_too(
    api: TestClient, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    refused(posted(api, "/v1/jobs", asked(tmp_path / "talk.mp4") | change), said)


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"{", b"[" * 5000, b'"talk.mp4"', b"[]", b"null"])
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/purge", "/v1/watches"])
def test_a_body_that_is_none_is_refused(api: TestClient, path: str, body: bytes) -> None:
    refused(posted(api, path, body), "body")


@pytest.mark.parametrize("is_told", [True, False])
def test_a_body_that_is_too_large_is_not_read(api: TestClient, is_told: bool) -> None:
    parts = [b" " * 600_000] * 2
    content: Any = b"".join(parts) if is_told else iter(parts)
    refused(api.post("/v1/jobs", content=content), "1000000 bytes at most", 413)


@pytest.mark.parametrize(("change", "said"), [
    ({"folder": "drop"}, "must be an absolute path"),
    ({"folder": "/dr\0op"}, "body.folder must not hold a null byte"),
    ({"folder": "/gone/drop"}, "is not a folder"),
    ({"folder": "/" + "a" * 5000}, "file name too long"),
    ({"options": {"model": "x" * 3000}}, "no model named"),
    ({"options": {"model": "/" + "x" * 3000}}, "there is no folder"),
    ({"options": {"out": "/" + "x" * 3000}}, "file name too long"),
    ({"folder": None}, "body.folder"),
    ({"when_done": "burn"}, "when_done must be leave or move"),
    ({"ignore": "*.mp4"}, "body.ignore"),
    ({"webhook": "ftp://a"}, "must begin with https://"),
    ({"webhook": "https://a\x07b"}, "webhook"),
    ({"options": {"out": "/cl\0ips"}}, "body.options.out must not hold a null byte"),
    ({"options": {"captoins": "x"}}, "no setting 'captoins'"),
    ({"options": {"count": "9" * 5000}}, "--count must be"),
    ({"options": {"crf": {"a": [1]}}}, "crf must be a whole number"),
    ({"options": {"min": 40, "max": 20}}, "--max must be at least --min"),
    ({"options": {"fps": "many"}}, "--fps must be"),
    ({"options": {"speakers": "0"}}, "--speakers must be"),
    ({"options": {"platform": "myspace"}}, "--platform must be one of"),
    ({"options": {"model": "hugest"}}, "no model named 'hugest'"),
    ({"options": {"model": "small"}}, "model 'small' is not installed"),
    ({"options": {"model": "own/model"}}, "there is no folder"),
    ({"options": {"out": "words.txt"}}, "words.txt is a file, not a folder"),
    ({"options": {"out": "words.txt/clips"}}, "not a directory"),
])  # fmt: skip
def test_a_folder_whose_recordings_would_all_fail_is_refused(
    api: TestClient, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    (tmp_path / "words.txt").touch()
    refused(posted(api, "/v1/watches", {"folder": str(tmp_path)} | change), said)
    assert api.get("/v1/watches").json() == []


def test_looking_where_clips_may_go_leaves_nothing_there(api: TestClient, tmp_path: Path) -> None:
    out = tmp_path / "new" / "clips"
    added = api.post("/v1/watches", json={"folder": str(tmp_path), "options": {"out": str(out)}})
    assert added.status_code == 201 and list(tmp_path.iterdir()) == []
    assert api.delete(f"/v1/watches/{added.json()['id']}").status_code == 200


@pytest.mark.parametrize(("path", "said"), [
    ("/v1/jobs?limit=0", "query.limit"),
    ("/v1/jobs?limit=1e400", "query.limit"),
    ("/v1/jobs?offset=-1", "query.offset"),
    (f"/v1/jobs?offset={10**30}", "query.offset"),
    ("/v1/jobs?state=lost", "query.state"),
    ("/v1/stats?days=nan", "query.days"),
    ("/v1/stats?days=1e400", "query.days"),
    ("/v1/events?after=-1", "query.after"),
    ("/v1/events?after=x", "query.after"),
])  # fmt: skip
def test_an_absurd_question_is_refused(api: TestClient, path: str, said: str) -> None:
    refused(api.get(path), said)


@pytest.mark.parametrize("named", ["%00", "%ff", "zzz", "a%0ab", "%F0%9F%98%80", "x" * 5000])
def test_a_job_of_an_absurd_name_is_not_found(api: TestClient, named: str) -> None:
    refused(api.get(f"/v1/jobs/{named}"), "there is no job", 404)
    assert api.get(f"/v1/library/sources?text={named}").json() == []


def test_what_no_route_takes_is_told_like_any_other_refusal(api: TestClient) -> None:
    refused(api.get("/v1/songs"), "there is no GET /v1/songs", 404)
    refused(api.put("/v1/jobs"), "there is no PUT /v1/jobs", 405)


@pytest.mark.parametrize("age", [-1, float("nan"), "old"])
def test_jobs_of_an_absurd_age_are_not_forgotten(api: TestClient, age: Any) -> None:
    refused(posted(api, "/v1/jobs/purge", {"older_than_s": age}), "older_than_s")


def test_what_does_not_suit_a_job_is_a_conflict(api: TestClient, lasting: dict[str, Any]) -> None:
    for action in ("cancel", "pause", "resume"):
        answer = api.post(f"/v1/jobs/{lasting['id']}/{action}")
        assert answer.status_code == 409 and "failed" in answer.json()["message"]


def test_files_that_no_manifest_lists_are_not_given_out(
    api: TestClient, failed: dict[str, Any]
) -> None:
    assert api.get(f"/v1/jobs/{failed['id']}/artifacts").json() == []
    for name in ("..%2Fgone.mp4", "clips.json", "%2Fetc%2Fpasswd"):
        assert api.get(f"/v1/jobs/{failed['id']}/artifacts/{name}").status_code == 404


def test_status_stats_and_metrics_say_what_there_is(
    api: TestClient, failed: dict[str, Any]
) -> None:
    status = api.get("/v1/status").json()
    assert status["jobs"]["failed"] >= 1 and status["rss_mb"] > 0
    assert {worker["role"] for worker in status["workers"]} == {"hear", "work"}
    stats = api.get("/v1/stats").json()
    assert any("gone.mp4" in failure["message"] for failure in stats["failures"])
    metrics = api.get("/v1/metrics").text
    assert 'reelremix_jobs{state="failed"}' in metrics and "reelremix_memory_bytes" in metrics


def test_the_library_can_be_asked(api: TestClient) -> None:
    assert api.get("/v1/library/sources").json() == []
    assert api.get("/v1/library/clips").json() == []


def test_the_published_description_is_that_of_the_api(daemon: Daemon) -> None:
    published = REPOSITORY / "docs" / "api" / "openapi.json"
    app = create_app(daemon, TOKEN, lambda: None)
    assert json.loads(published.read_text("utf-8")) == json.loads(json.dumps(app.openapi())), (
        "run `python docs/make_reference.py`"
    )


@pytest.mark.parametrize("path", ["/v1/events", "/v1/jobs/any/events"])
def test_more_listeners_than_there_may_be_are_refused_for_now(
    api: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelremix.daemon.streams.MOST_LISTENERS", 0)
    refused(api.get(path), "0 listeners are connected already", 503)
