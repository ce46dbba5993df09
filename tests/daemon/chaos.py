"""The daemon killed at random moments while it works, and what must hold afterwards."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av

from reelremix.config import Settings
from reelremix.engine.domain.context import ArtifactKey, ArtifactStore
from reelremix.engine.domain.request import (
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.store.factory import Stores, open_local
from tests.daemon.rig import ENDED, Rig, eventually, submission

LENGTH_S = 20
PUTS = "puts.log"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a disturbed run."""

    ends: int
    wall_s: float
    states: Mapping[str, int]
    different: Sequence[str]
    """Jobs whose result is not that of an undisturbed run."""
    repeated: Sequence[str]
    """Steps that began although their completion was recorded."""
    computed_twice: Sequence[str]
    """Artifacts whose computation was completed more than once."""
    leftovers: Sequence[str]
    """Files that nobody lists."""
    found_s: Sequence[tuple[str, float]]
    """How long steps took that were done but not recorded, by name."""

    @property
    def is_clean(self) -> bool:
        """Whether everything holds."""
        wrong = (self.different, self.repeated, self.computed_twice, self.leftovers)
        return not any(wrong)


def open_counted(settings: Settings) -> Stores:
    """The stores of this machine, with every artifact that is stored noted in a file."""
    stores = open_local(settings)
    counted = _Counted(stores.artifacts, settings.data_path / PUTS)
    return replace(stores, artifacts=counted)


@dataclass(frozen=True)
class PassedOn:
    """An `ArtifactStore` that hands everything on to another one."""

    inner: ArtifactStore

    def get(self, key: ArtifactKey) -> bytes | None:
        """As it is."""
        return self.inner.get(key)

    def put(self, key: ArtifactKey, content: bytes) -> None:
        """As it is."""
        self.inner.put(key, content)

    def delete(self, key: ArtifactKey) -> None:
        """As it is."""
        self.inner.delete(key)

    def collect(self, cap_bytes: int) -> int:
        """As it is."""
        return self.inner.collect(cap_bytes)

    def size_bytes(self) -> int:
        """As it is."""
        return self.inner.size_bytes()


@dataclass(frozen=True)
class _Counted(PassedOn):
    """Notes what was stored, once it was."""

    file: Path

    def put(self, key: ArtifactKey, content: bytes) -> None:
        """Store it and note that."""
        self.inner.put(key, content)
        with self.file.open("a") as out:
            out.write(f"{key.stage} {key.digest}\n")


def cut_sources(recording: Path, folder: Path, count: int) -> list[Path]:
    """Recordings of twenty seconds each, cut out of a long one without coding it anew."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_cut(recording, folder / f"part-{n:02d}.mp4", n * LENGTH_S * 1.2) for n in range(count)]


def _cut(recording: Path, target: Path, start_s: float) -> Path:
    with av.open(str(recording)) as source, av.open(str(target), "w") as out:
        streams = [source.streams.video[0], source.streams.audio[0]]
        copies = {s.index: out.add_stream_from_template(s) for s in streams}
        source.seek(int(start_s * av.time_base))
        first: float | None = None
        for packet in source.demux(streams):
            if packet.dts is None or packet.time_base is None:
                continue
            at = float(packet.dts * packet.time_base)
            first = at if first is None else first
            if at - first > LENGTH_S:
                break
            shift = int(first / packet.time_base)
            packet.dts -= shift
            packet.pts = (packet.pts or 0) - shift
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    return target


def request_for(source: Path, out: Path) -> ClipRequest:
    """Quick to do, with every stage but faces."""
    return ClipRequest(
        str(source),
        str(out),
        transcribe=TranscribeOptions(model="tiny.en"),
        select=SelectOptions(count=2, min_s=3, max_s=9),
        frame=FrameOptions(faces=False),
        encode=EncodeOptions(preset="ultrafast", crf=30, fps="10"),
    )


@dataclass(slots=True)
class Chaos:
    """Jobs over some sources, in a folder of their own."""

    sources: Sequence[Path]
    folder: Path
    models: str | None
    seed: int = 1
    settings: dict[str, Any] = field(default_factory=dict)

    def undisturbed(self) -> dict[str, Any]:
        """What comes of the jobs where nobody kills anything, by the name of the source."""
        rig = self._rig("undisturbed")
        with rig.running() as client:
            for source in self.sources:
                client.submit(submission(request_for(source, rig.data / "clips")))
            eventually(lambda: self._all_ended(rig), 60.0 * len(self.sources))
        return self.results("undisturbed")

    def computed_twice(self) -> list[str]:
        """Artifacts of the disturbed run whose computation was completed more than once."""
        return _computed_twice(self._rig("disturbed"))

    def films(self) -> dict[str, int]:
        """When each film of the disturbed run was written."""
        found = (self._rig("disturbed").data / "clips").rglob("*.mp4")
        return {path.name: path.stat().st_mtime_ns for path in found}

    def results(self, name: str) -> dict[str, Any]:
        """What came of the jobs of a run."""
        return _ends(self._rig(name), self.sources)

    def disturbed(
        self,
        ends: Sequence[signal.Signals],
        wanted: Mapping[str, Any],
        pause_s: float,
    ) -> Outcome:
        """End the daemon with each of these signals, in some order, while it works; then let it
        finish, and compare.
        """
        chance = random.Random(self.seed)
        left = chance.sample(ends, len(ends))
        rig = self._rig("disturbed")
        began = time.monotonic()
        rig.start()
        with rig.client() as client:
            for source in self.sources:
                client.submit(submission(request_for(source, rig.data / "clips")))
        while left and not self._all_ended(rig):
            time.sleep(chance.uniform(0.05, pause_s))
            number = left.pop()
            if number is signal.SIGKILL:
                rig.kill()
            else:
                rig.wait_until_up()
                assert rig.stop(number) == 0
            rig.begin()
        rig.wait_until_up()
        eventually(lambda: self._all_ended(rig), 60.0 * len(self.sources))
        rig.stop()
        return self._outcome(rig, len(ends) - len(left), round(time.monotonic() - began, 1), wanted)

    def unrecorded(self) -> list[tuple[str, float]]:
        """Take records from jobs that succeeded, as if each process had ended between a step's end
        and its record; returns how long each step took then, by its name.
        """
        last = self._without("function_name = 'finish'")
        others = self._without("true")  # with an end of its own: no step was done behind those
        return [*last, *(entry for entry in others if entry[0] != "finish")]

    def _without(self, which: str) -> list[tuple[str, float]]:
        rig = self._rig("disturbed")
        before = len(rig.log())
        with closing(sqlite3.connect(rig.settings.library_file)) as library:
            rows = library.execute("SELECT id FROM jobs WHERE state = 'succeeded'").fetchall()
            running = "json_set(detail, '$.state', 'running', '$.ended_at', NULL)"
            library.execute(
                f"UPDATE jobs SET state = 'running', detail = {running} WHERE state = 'succeeded'"
            )
            library.commit()
        with closing(sqlite3.connect(rig.settings.jobs_file)) as queue:
            queue.executemany(
                f"DELETE FROM operation_outputs WHERE workflow_uuid = ? AND {which}", rows
            )
            queue.executemany(
                "UPDATE workflow_status SET status = 'PENDING', output = NULL, error = NULL"
                " WHERE workflow_uuid = ?",
                rows,
            )
            queue.commit()
        with rig.running():
            eventually(lambda: self._all_ended(rig), 60.0 * len(self.sources))
        return [
            (entry["step"].partition(":")[0], float(entry["wall_s"]))
            for entry in rig.log()[before:]
            if entry["message"] == "step is done"
        ]

    def _rig(self, name: str) -> Rig:
        more = {"stores": "tests.daemon.chaos:open_counted", "crash_limit": 50, **self.settings}
        return Rig(self.folder / name, self.models, **more)

    def _all_ended(self, rig: Rig) -> bool:
        states = _states(rig)
        return len(states) == len(self.sources) and set(states.values()) <= ENDED

    def _outcome(self, rig: Rig, ends: int, wall_s: float, wanted: Mapping[str, Any]) -> Outcome:
        found = _ends(rig, self.sources)
        return Outcome(
            ends=ends,
            wall_s=wall_s,
            states=Counter(_states(rig).values()),
            different=[name for name in wanted if found.get(name) != wanted[name]],
            repeated=_repeated(rig),
            computed_twice=_computed_twice(rig),
            leftovers=_leftovers(rig, self.sources),
            found_s=_found_again(rig),
        )


def _ends(rig: Rig, sources: Sequence[Path]) -> dict[str, Any]:
    """How every job ended, and what it left, by the name of the source."""
    with sqlite3.connect(rig.settings.library_file) as library:
        rows = library.execute("SELECT detail FROM jobs").fetchall()
    jobs = {job["name"]: job for job in (json.loads(row[0]) for row in rows)}
    left = results(rig.data / "clips", sources)
    return {
        source.stem: {
            "state": jobs[source.name]["state"],
            "failure": (jobs[source.name]["failure"] or {}).get("kind"),
            "left": left[source.stem],
        }
        for source in sources
    }


def results(clips: Path, sources: Sequence[Path]) -> dict[str, Any]:
    """What every job left: its manifest but for what a run costs, and every file but its bits.

    x264 does not always code the same frames in the same bits; how many there are is the same.
    """
    return {source.stem: _result(clips / source.stem) for source in sources}


def _result(folder: Path) -> Any:
    if not (folder / "clips.json").is_file():
        return None
    manifest = json.loads((folder / "clips.json").read_bytes())
    films = {path.name: _film(path) for path in sorted(folder.glob("*.mp4"))}
    texts = {path.name: path.read_text() for path in sorted(folder.glob("*.srt"))}
    names = sorted(path.name for path in folder.iterdir())
    kept = {key: value for key, value in manifest.items() if key not in ("run", "id")}
    return {"manifest": kept, "films": films, "texts": texts, "names": names}


def _film(path: Path) -> tuple[int, int, float]:
    with av.open(str(path)) as film:
        frames = sum(1 for _ in film.decode(video=0))
        return frames, film.streams.video[0].width, float(film.duration or 0)


def _states(rig: Rig) -> dict[str, str]:
    with sqlite3.connect(rig.settings.library_file) as library:
        return dict(library.execute("SELECT id, state FROM jobs").fetchall())


def _recorded(rig: Rig) -> dict[tuple[str, str], float]:
    """When each step was recorded as done, in seconds since the epoch."""
    with sqlite3.connect(rig.settings.jobs_file) as queue:
        rows = queue.execute(
            "SELECT workflow_uuid, function_name, completed_at_epoch_ms FROM operation_outputs"
        ).fetchall()
    return {(job, step): at / 1000 for job, step, at in rows}


def _repeated(rig: Rig) -> list[str]:
    recorded = _recorded(rig)
    return [
        f"{entry['job'][:8]} {entry['step']}"
        for entry in rig.log()
        if entry["message"] == "step begins"
        and _at(entry) > recorded.get((entry["job"], entry["step"]), float("inf"))
    ]


def _found_again(rig: Rig) -> list[tuple[str, float]]:
    """How long steps took that had been done before and were not recorded."""
    done: set[tuple[str, str]] = set()
    found = []
    for entry in rig.log():
        if entry["message"] == "step is done":
            step = (entry["job"], entry["step"])
            if step in done:
                found.append((entry["step"].partition(":")[0], float(entry["wall_s"])))
            done.add(step)
    return found


def _computed_twice(rig: Rig) -> list[str]:
    puts = Counter((rig.data / PUTS).read_text().splitlines())
    return [key for key, times in puts.items() if times > 1]


def _leftovers(rig: Rig, sources: Sequence[Path]) -> list[str]:
    """Files that are being written, and what is among the clips of no recording."""
    clips = rig.data / "clips"
    parts = {*rig.data.rglob(".reelremix-*"), *clips.rglob("*.part")}
    strange = {path for path in clips.iterdir() if path.name not in {s.stem for s in sources}}
    return sorted(str(path) for path in parts | strange)


def _at(entry: Mapping[str, Any]) -> float:
    from datetime import datetime

    return datetime.fromisoformat(entry["at"]).timestamp()
