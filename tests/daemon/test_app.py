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


@pytest.fixture
def api(daemon: Daemon) -> Iterator[TestClient]:
    """Its API, with the token."""
    with TestClient(create_app(daemon, TOKEN, lambda: None), headers=OWN) as client:
        yield client


def asked(source: Path, **more: Any) -> dict[str, Any]:
    """A submission for a recording."""
    request = codec.to_plain(ClipRequest(str(source), str(source.parent / "clips")))
    return {"kind": "clip", "request": request, **more}


@pytest.fixture
def failed(api: TestClient, tmp_path: Path) -> dict[str, Any]:
    """A job whose recording is not there."""
    job = api.post("/v1/jobs", json=asked(tmp_path / "gone.mp4")).json()
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


def test_its_events_are_streamed_to_the_end(api: TestClient, failed: dict[str, Any]) -> None:
    answer = api.get(f"/v1/jobs/{failed['id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    told = [json.loads(line) for line in data]
    assert [event["type"] for event in told] == [
        "job_queued", "job_started", "stage_started", "job_failed",
    ]  # fmt: skip
    assert [event["seq"] for event in told] == [1, 2, 3, 4]


@pytest.mark.parametrize("how", ["query", "header"])
def test_a_stream_goes_on_from_a_number(api: TestClient, failed: dict[str, Any], how: str) -> None:
    path = f"/v1/jobs/{failed['id']}/events"
    if how == "query":
        answer = api.get(path, params={"after": 3})
    else:
        answer = api.get(path, headers={"Last-Event-ID": "3"})
    assert answer.text.count("data: ") == 1 and "job_failed" in answer.text


def test_a_job_that_failed_is_tried_again(api: TestClient, failed: dict[str, Any]) -> None:
    again = api.post(f"/v1/jobs/{failed['id']}/retry", json={}).json()
    assert again["attempt"] == 2 and again["failure"] is None
    eventually(lambda: api.get(f"/v1/jobs/{failed['id']}").json()["state"] == "failed", 20)


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


def test_what_does_not_suit_a_job_is_a_conflict(api: TestClient, failed: dict[str, Any]) -> None:
    for action in ("cancel", "pause", "resume"):
        answer = api.post(f"/v1/jobs/{failed['id']}/{action}")
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
