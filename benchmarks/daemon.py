"""The daemon: does it survive anything, how soon does it begin, what does it take.

    python benchmarks/daemon.py [chaos warm two store life listeners] [--kills 100] [--sources 20]

`chaos`      kill -9 at random moments over queued jobs, compared with an undisturbed run
`warm`       submit to first event; one job's words heard to the next one's listening
`two`        two jobs at once against one after the other, interleaved
`store`      10,000 finished jobs listed; memory of an idle daemon
`life`       a day of a watched folder, accelerated: memory and descriptors
`listeners`  1,000 followers of the event stream
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx
import psutil
from measuring import PANEL, keep, model_folder, needs, show

from reelremix.engine.domain.events import StageFinished, StageStarted, Waiting
from reelremix.engine.domain.job import JobRecord, JobState
from reelremix.engine.domain.request import ClipRequest, TranscribeOptions
from reelremix.engine.joblog import JobLog, Silence
from reelremix.engine.store.factory import open_local
from tests.daemon.chaos import Chaos, cut_sources, request_for
from tests.daemon.rig import Rig, submission, wait_for

LISTENERS, FACTS = 1000, 200
FINISHED = 10_000
ROUNDS = 5
EVENTS_OF_A_DAY = 2880
"""One every thirty seconds."""
MB = 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=["all", *PARTS], default="all")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--pause", type=float, default=4.5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for part in PARTS if "all" in options.parts else options.parts:
        with tempfile.TemporaryDirectory() as scratch:
            found[part] = PARTS[part](Path(scratch), options)
    keep("daemon", found)


def chaos(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Kill the daemon again and again."""
    sources = cut_sources(needs(PANEL), scratch / "sources", options.sources)
    trial = Chaos(sources, scratch, _models(), seed=options.seed)
    began = time.monotonic()
    wanted = trial.undisturbed()
    whole_s = time.monotonic() - began
    outcome = trial.disturbed([signal.SIGKILL] * options.kills, wanted, options.pause)
    forced = trial.unrecorded()
    again = sorted(wall_s for _, wall_s in (*outcome.found_s, *forced))
    is_same = trial.results("disturbed") == wanted
    rows = [
        ("jobs", len(sources)), ("killed", outcome.ends),
        ("undisturbed", f"{whole_s:.0f} s"), ("with kills", f"{outcome.wall_s:.0f} s"),
        ("ended", dict(outcome.states)), ("other results", len(outcome.different)),
        ("recorded steps that ran again", len(outcome.repeated)),
        ("artifacts computed twice", len(outcome.computed_twice)),
        ("files left over", len(outcome.leftovers)),
        ("steps done but not recorded, by chance", len(outcome.found_s)),
        ("steps done but not recorded, by force", len(forced)),
        ("found again within", f"{again[-1]:.3f} s (median {statistics.median(again):.3f})"),
        ("other results after that", "none" if is_same else "some"),
    ]  # fmt: skip
    show("Killed at random moments", ["", ""], rows)
    if not outcome.is_clean:
        print(outcome)
    return {
        "jobs": len(sources), "kills": outcome.ends, "undisturbed_s": round(whole_s, 1),
        "wall_s": outcome.wall_s, "states": dict(outcome.states),
        "different": list(outcome.different), "repeated": list(outcome.repeated),
        "computed_twice": list(outcome.computed_twice), "leftovers": list(outcome.leftovers),
        "by_chance": len(outcome.found_s), "by_force": len(forced), "same_after_force": is_same,
        "found_again_s": {"median": statistics.median(again), "worst": again[-1]},
    }  # fmt: skip


def warm(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """How soon a warm daemon tells of a job, and goes on to the next one."""
    sources = cut_sources(needs(PANEL), scratch / "sources", 2 + 2 * ROUNDS)
    rig = Rig(scratch / "data", _models())
    first_event_s, next_s = [], []
    with rig.running() as client:
        for source in sources[:2]:
            wait_for(client, client.submit(submission(request_for(source, scratch / "clips"))).id)
        for number in range(ROUNDS):
            pair = sources[2 + 2 * number : 4 + 2 * number]
            began = time.monotonic()
            first = client.submit(submission(request_for(pair[0], scratch / "clips")))
            next(event for event in client.events(first.id) if event is not None)
            first_event_s.append(time.monotonic() - began)
            second = client.submit(submission(request_for(pair[1], scratch / "clips")))
            for job in (first, second):
                wait_for(client, job.id)
            heard = max(
                _times(client, first.id, StageFinished, ("diarize", "transcribe", "listen"))
            )
            next_s.append(min(_times(client, second.id, StageStarted, ("transcribe",))) - heard)
    rows = [
        ("submit to first event", _ms(first_event_s), "100 ms"),
        ("words heard to the next listening", _ms(next_s), "500 ms"),
    ]
    show("A warm daemon", ["", "median (worst)", "target"], rows)
    return {"first_event_s": first_event_s, "next_listening_s": next_s}


def _times(client: Any, job_id: str, kind: type, stages: Sequence[str]) -> list[float]:
    told = [event for event in client.events(job_id) if event is not None]
    return [e.at for e in told if isinstance(e.event, kind) and e.event.stage in stages]


def two(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Two jobs at once against one after the other, on a warm daemon, over the same recordings."""
    pair = cut_sources(needs(PANEL), scratch / "sources", 2)
    rig = Rig(scratch / "data", _models())
    together_s, apart_s, first_together_s, first_alone_s, held = [], [], [], [], [0]
    with rig.running() as client:
        limit_mb = client.status().limit_mb

        def run(number: int, *, at_once: bool) -> tuple[float, float]:
            """Seconds until the first has ended, and both."""
            began = time.time()
            jobs = []
            for source in _anew(pair, number):
                asked = submission(request_for(source, scratch / "clips"))
                jobs.append(client.submit(asked).id)
                if not at_once:
                    _wait(client, jobs[-1], held)
            for job in jobs:
                _wait(client, job, held)
            ended = [(client.job(job).ended_at or 0.0) - began for job in jobs]
            return ended[0], max(ended)

        run(0, at_once=True)
        for number in range(1, ROUNDS + 1):
            first_s, both_s = run(2 * number, at_once=False)
            first_alone_s.append(first_s)
            apart_s.append(both_s)
            first_s, both_s = run(2 * number + 1, at_once=True)
            first_together_s.append(first_s)
            together_s.append(both_s)
    ratio = sum(together_s) / sum(apart_s)
    later = sum(first_together_s) / sum(first_alone_s)
    rows = [
        ("one after the other", f"{statistics.mean(apart_s):.1f} s", ""),
        ("at once", f"{statistics.mean(together_s):.1f} s", ""),
        ("at once against one after the other", f"{ratio:.2f}", "1.05"),
        ("the first one against alone", f"{later:.2f}", "1.3"),
        ("memory held at most", f"{max(held)} MB", f"{limit_mb} MB"),
    ]
    show("Two jobs", ["", "measured", "target"], rows)
    return {
        "apart_s": apart_s, "together_s": together_s, "ratio": round(ratio, 3),
        "first_alone_s": first_alone_s, "first_together_s": first_together_s,
        "first_later": round(later, 3), "held_mb": max(held), "limit_mb": limit_mb,
    }  # fmt: skip


def _anew(sources: Sequence[Path], number: int) -> list[Path]:
    """The same recordings as others that nobody knows: with some bytes behind their end."""
    copies = []
    for source in sources:
        copy = source.with_name(f"{source.stem}-{number}.mp4")
        copy.write_bytes(source.read_bytes() + bytes(4) + b"free" + str(number).encode())
        copies.append(copy)
    return copies


def _wait(client: Any, job_id: str, held: list[int]) -> None:
    """Until a job has ended, looking seldom: whoever looks takes from the CPU."""
    while client.job(job_id).ended_at is None:
        held.append(client.status().held_mb)
        time.sleep(0.25)


def store(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Lists over many finished jobs, and an idle daemon beside them."""
    rig = Rig(scratch / "data")
    stores = open_local(rig.settings)
    request = {"source": "/videos/talk.mp4", "out": "/clips", "version": 1}
    with stores.catalogue.at_once():
        for number in range(FINISHED):
            job = JobRecord(
                f"{number:032x}", "clip", f"talk {number}.mp4", request, float(number),
                JobState.SUCCEEDED, started_at=1.0, ended_at=2.0,
            )  # fmt: skip
            stores.jobs.add(job)
            log = JobLog(job.id, stores.catalogue, Silence())
            for stage in ("ingest", "transcribe", "render"):
                log.emit(StageFinished(stage, 1.0, False))
    stores.release_thread()
    with rig.running() as client:
        pages = [_timed(lambda: client.jobs(limit=50)) for _ in range(50)]
        last = [_timed(lambda: client.jobs(limit=50, offset=FINISHED - 50)) for _ in range(50)]
        only = [_timed(lambda: client.jobs(["failed"], limit=50)) for _ in range(50)]
        process = psutil.Process(client.health().pid)
        process.cpu_percent()
        time.sleep(10)
        idle_percent, rss_mb = process.cpu_percent(), process.memory_info().rss / MB
    rows = [
        ("first page of 10,000", _ms(pages), "50 ms"), ("last page", _ms(last), "50 ms"),
        ("those that failed", _ms(only), "50 ms"),
        ("memory of the idle daemon", f"{rss_mb:.0f} MB", "200 MB"),
        ("CPU of the idle daemon", f"{idle_percent:.1f} % of a core", ""),
    ]  # fmt: skip
    show("Ten thousand finished jobs", ["", "median (worst)", "target"], rows)
    return {
        "first_page_s": statistics.median(pages), "last_page_s": statistics.median(last),
        "failed_s": statistics.median(only), "worst_s": max(pages + last + only),
        "idle_rss_mb": round(rss_mb, 1), "idle_cpu_percent": idle_percent,
    }  # fmt: skip


def life(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A day of a watched folder in which something happens every thirty seconds."""
    from reelremix.engine.domain.watch import WhenDone
    from reelremix.engine.store.catalogue import SqliteCatalogue
    from reelremix.engine.store.database import Database
    from reelremix.engine.store.watch_table import SqliteWatchStore
    from tests.daemon.folders import Studio, held
    from tests.daemon.test_watch_life import LIVELY, disturb

    database = Database(scratch / "library.sqlite3")
    watches, catalogue = SqliteWatchStore(database), SqliteCatalogue(database)
    studio = Studio(
        scratch / "drop", watches, catalogue, timings=LIVELY, release=database.close_thread
    )
    studio.watch(recursive=True, when_done=WhenDone.LEAVE)
    studio.takes_nothing_more()
    chance, process, sizes = random.Random(1), psutil.Process(), []
    began, open_before = time.monotonic(), held()
    for number in range(EVENTS_OF_A_DAY + 240):
        disturb(studio.folder, chance, number)
        if studio.queue.jobs:
            studio.end(studio.queue.jobs.pop(), JobState.SUCCEEDED)
        if number % 10 == 0:
            studio.drop(f"marker {number}.mp4")
            studio.eventually_takes(f"marker {number}.mp4")
        if number % 240 == 239:
            sizes.append(process.memory_info().rss / MB)
    wall_s, open_after = time.monotonic() - began, held()
    studio.watcher.stop()
    database.close()
    rows = [
        ("events", EVENTS_OF_A_DAY), ("took", f"{wall_s:.0f} s"),
        ("memory after two hours", f"{sizes[0]:.1f} MB"),
        ("memory after a day", f"{sizes[-1]:.1f} MB"),
        ("descriptors and threads before", open_before), ("after", open_after),
    ]  # fmt: skip
    show("A day of a watched folder", ["", ""], rows)
    return {
        "events": EVENTS_OF_A_DAY, "rss_mb": [round(size, 1) for size in sizes],
        "held_before": str(open_before), "held_after": str(open_after),
    }  # fmt: skip


def listeners(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """A thousand followers of one job; a tenth of them read slowly."""
    rig = Rig(scratch / "data")
    with rig.running() as client:
        job = client.submit(submission(_never(scratch)))
        wait_for(client, job.id)
        stores = open_local(rig.settings)
        folder = rig.settings.daemon_path
        port = json.loads((folder / "address.json").read_text())["port"]
        url, token = f"http://127.0.0.1:{port}/v1/events", (folder / "token").read_text()
        before = psutil.Process(client.health().pid).memory_info().rss / MB
        began = time.monotonic()
        counts = asyncio.run(_follow(url, token, job.id, stores))
        wall_s = time.monotonic() - began
        after = psutil.Process(client.health().pid).memory_info().rss / MB
        stores.release_thread()
    lost = sum(count != FACTS for count in counts)
    rows = [
        ("listeners", len(counts)), ("facts each", FACTS), ("took", f"{wall_s:.1f} s"),
        ("listeners that lost facts", lost), ("memory before", f"{before:.0f} MB"),
        ("memory after", f"{after:.0f} MB"),
    ]  # fmt: skip
    show("A thousand listeners", ["", ""], rows)
    return {"listeners": len(counts), "lost": lost, "wall_s": round(wall_s, 1),
            "rss_before_mb": round(before), "rss_after_mb": round(after)}  # fmt: skip


async def _follow(url: str, token: str, job_id: str, stores: Any) -> list[int]:
    """How many facts each listener got, in order and once each."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    ready = asyncio.Semaphore(0)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        headers=headers, timeout=httpx.Timeout(120), limits=limits, trust_env=False
    ) as http:

        async def one(number: int) -> int:
            wanted = 1
            async with http.stream("GET", url) as answer:
                async for line in answer.aiter_lines():
                    if line == ": listening":
                        ready.release()
                    if not line.startswith("data: "):
                        continue
                    event = json.loads(line.removeprefix("data: "))
                    if event["type"] == "waiting" and event["reason"] == str(wanted):
                        wanted += 1
                    if wanted > FACTS:
                        break
                    if number % 10 == 0:
                        await asyncio.sleep(0.02)
            return wanted - 1

        following = [asyncio.create_task(one(number)) for number in range(LISTENERS)]
        for _ in following:
            await ready.acquire()
        log = JobLog(job_id, stores.catalogue, Silence())
        for number in range(1, FACTS + 1):
            await asyncio.to_thread(log.emit, Waiting(str(number)))
        return list(await asyncio.wait_for(asyncio.gather(*following), 300))


def _never(scratch: Path) -> ClipRequest:
    """What cannot be done."""
    options = TranscribeOptions(model="tiny.en")
    return ClipRequest(str(scratch / "gone.mp4"), str(scratch / "clips"), transcribe=options)


def _models() -> str:
    return str(Path(model_folder("tiny.en")).parent)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.0f} ms ({max(seconds) * 1000:.0f})"


PARTS = {
    "chaos": chaos,
    "warm": warm,
    "two": two,
    "store": store,
    "life": life,
    "listeners": listeners,
}

if __name__ == "__main__":
    main()
