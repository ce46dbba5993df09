"""How fast, against floors and a peer, interleaved in one run, as ratios.

    python benchmarks/speed.py [--repeat N] [--no-peer] [--long]

The peer (shorts-factory 0.1.1) chooses five clips; both sides then transcribe the whole source
with the same weights and render the same ranges at 1080x1920, source frame rate, libx264 veryfast
crf 20. It lives in its own virtual environment under `.bench/` and needs the ffmpeg binary.
`--long` adds growth from 10 to 60 minutes of source and the memory of a four-hour one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from math import ceil
from pathlib import Path
from typing import Any

from measuring import (
    PANEL,
    ROOT,
    SCRATCH,
    Timed,
    keep,
    last_json,
    model_folder,
    needs,
    run_timed,
    show,
)

PEER = SCRATCH / "peer" / "bin" / "python"
PEER_PACKAGES = ("shorts-factory==0.1.1", "opencv-python<5", "faster-whisper==1.2.1")
FLOORS = str(ROOT / "benchmarks" / "floors.py")
FIXED_RANGES = ((508.2, 524.2), (560.3, 576.5), (109.9, 127.8), (130.6, 146.2), (404.8, 442.4))
"""Used where the peer cannot run: what it chose elsewhere."""
AS_THE_PEER = ("--speakers", "off")
"""The peer does not tell voices apart, nor which of several faces speaks."""
COUNTED_APART = ("transcribe", "render")
FRAMING = ("look", "frame")
SETTINGS = {
    "ReelRemix": (
        "faster-whisper int8, batches of 8, beam 5, word times, whole source",
        "faces 6 a second, a layout a shot, captions with the spoken word lit",
        "libx264 veryfast crf 20, two processes of one thread, AAC 192 kbit/s, -14 LUFS",
    ),
    "shorts-factory": (
        "faster-whisper int8, one stretch at a time, word times, whole source",
        "faces in one frame a second, one fixed crop a clip, captions by libass",
        "libx264 veryfast crf 20, one ffmpeg process, AAC 160 kbit/s, loudness as it is",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    needs(PANEL)
    model = model_folder("base")
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(Path(folder), model, with_peer=not options.no_peer)
        result = bench.compare(options.repeat)
        if options.long:
            result["growth"] = bench.growth()
    keep("speed", result)


class _Bench:
    def __init__(self, folder: Path, model: str, *, with_peer: bool) -> None:
        self._folder = folder
        self._model = model
        self._runs = 0
        self._peer = with_peer and _peer_is_ready()
        self._peer_bytes: list[int] = []
        self._ranges = self._peer_run()["ranges"] if self._peer else [*FIXED_RANGES]

    def compare(self, repeat: int) -> dict[str, Any]:
        walls: dict[str, list[float]] = {}
        runs: list[dict[str, Any]] = []
        for _ in range(repeat):
            if self._peer:
                walls.setdefault("peer", []).append(self._peer_run()["wall_s"])
            flags = _range_flags(self._ranges)
            told, all_on = self._clip(PANEL, flags)
            walls.setdefault("ours, all on", []).append(told.wall_s)
            framed = sum(_stage(all_on, name) for name in FRAMING) / told.wall_s
            walls.setdefault("share of look and frame, all on", []).append(framed)
            ours, manifest = self._clip(PANEL, [*flags, *AS_THE_PEER])
            videos = sorted(self._manifest.parent.glob("*.mp4"))
            our_bytes = [video.stat().st_size for video in videos]
            runs.append({**manifest["run"], "wall_s": ours.wall_s, "peak_mb": ours.peak_mb})
            walls.setdefault("ours", []).append(ours.wall_s)
            floor = last_json(
                run_timed([sys.executable, FLOORS, "transcribe", self._model, str(PANEL)]).stdout
            )
            walls.setdefault("bare transcription", []).append(floor["wall_s"])
            walls.setdefault("transcribe stage", []).append(_stage(manifest, "transcribe"))
            for jobs in (1, 2):
                fps = self._encode_only(jobs)
                walls.setdefault(f"encode-only fps, {jobs} process(es)", []).append(fps)
                walls.setdefault(f"render fps, {jobs} process(es)", []).append(self._render(jobs))
        sizes = {"ReelRemix": our_bytes}
        if self._peer:
            sizes["shorts-factory"] = self._peer_bytes
        _show_settings(sizes)
        return {**_tables(walls, runs, self._ranges), "bytes": sizes}

    def growth(self) -> list[dict[str, Any]]:
        rows = []
        for minutes in (10, 30, 60, 240):
            source = _repeated(PANEL, minutes, self._folder)
            timed, manifest = self._clip(source, ["--count", "2"])
            rows.append({
                "minutes": minutes, "wall_s": round(timed.wall_s, 1), "peak_mb": timed.peak_mb,
                "transcribe_s": _stage(manifest, "transcribe"),
            })  # fmt: skip
            source.unlink()
        show("Growth", ["source", "wall", "transcribe", "s per minute", "peak memory"], [
            (f"{r['minutes']} min", f"{r['wall_s']} s", f"{r['transcribe_s']:.1f} s",
             f"{r['wall_s'] / r['minutes']:.2f}", f"{r['peak_mb']} MB") for r in rows
        ])  # fmt: skip
        return rows

    def _peer_run(self) -> dict[str, Any]:
        out = self._fresh("peer")
        script = str(ROOT / "benchmarks" / "peers" / "shorts_factory_run.py")
        done = run_timed([str(PEER), script, str(PANEL), self._model, str(out), "25"])
        shutil.rmtree(out)
        result: dict[str, Any] = last_json(done.stdout)
        self._peer_bytes = result["bytes"]
        return {**result, "wall_s": done.wall_s, "peak_mb": done.peak_mb}

    def _clip(self, source: Path, flags: list[str]) -> tuple[Timed, dict[str, Any]]:
        out, data = self._fresh("ours"), self._fresh("data")
        timed = run_timed(
            [sys.executable, "-m", "reelremix", "clip", str(source), "--out", str(out),
             "--quiet", "--model", self._model, *flags],
            self._environ(data),
        )  # fmt: skip
        self._manifest = out / source.stem / "clips.json"
        return timed, json.loads(self._manifest.read_text(encoding="utf-8"))

    def _render(self, jobs: int) -> float:
        """Frames a second of the render stage alone, from the plan of the last run."""
        copy = self._fresh("render") / "clips.json"
        copy.parent.mkdir(parents=True)
        shutil.copy(self._manifest, copy)
        data = self._fresh("data")
        done = run_timed(
            [sys.executable, "-m", "reelremix", "render", str(copy), "--source", str(PANEL),
             "--jobs", str(jobs), "--progress", "json", "--json"],
            self._environ(data),
        )  # fmt: skip
        manifest = last_json_document(done.stdout)["runs"][0]["manifest"]
        frames = sum(round((b - a) * 25) for c in manifest["clips"] for a, b in c["ranges"])
        return frames / self._last_render_s(data)

    def _last_render_s(self, data: Path) -> float:
        import sqlite3

        with sqlite3.connect(data / "library.sqlite3") as library:
            rows = library.execute(
                "SELECT detail FROM events WHERE type = 'stage_finished' ORDER BY at"
            ).fetchall()
        finished = [json.loads(row[0]) for row in rows]
        return float(next(e["wall_s"] for e in finished if e["stage"] == "render"))

    def _encode_only(self, jobs: int) -> float:
        done = run_timed(
            [sys.executable, FLOORS, "encode", str(self._manifest), str(PANEL), str(jobs)]
        )
        return float(last_json(done.stdout)["fps"])

    def _environ(self, data: Path) -> dict[str, str]:
        models = str(Path(self._model).parent)
        return {"REELREMIX_DATA_DIR": str(data), "REELREMIX_MODELS_DIR": models}

    def _fresh(self, kind: str) -> Path:
        self._runs += 1
        return self._folder / f"{kind}-{self._runs}"


def _range_flags(ranges: list[Any]) -> list[str]:
    return [flag for start, end in ranges for flag in ("--range", f"{start}-{end}")]


def _show_settings(sizes: dict[str, list[int]]) -> None:
    show("Settings and sizes", ["", "listening", "picture", "encoding", "MB, clip by clip"], [
        (name, *SETTINGS[name], ", ".join(f"{size / 1e6:.1f}" for size in held))
        for name, held in sizes.items()
    ])  # fmt: skip


def _tables(
    walls: dict[str, list[float]], runs: list[dict[str, Any]], ranges: list[Any]
) -> dict[str, Any]:
    middle = {name: statistics.median(values) for name, values in walls.items()}
    encode = max(v for n, v in middle.items() if n.startswith("encode-only"))
    render = max(v for n, v in middle.items() if n.startswith("render fps"))
    ratios = {
        "transcribe stage / bare faster-whisper batched": (
            middle["transcribe stage"] / middle["bare transcription"], "<= 1.05"),
        "render fps / encode-only fps": (render / encode, ">= 0.85"),
    }  # fmt: skip
    if "peer" in middle:
        ratios["end to end / shorts-factory"] = (middle["ours"] / middle["peer"], "<= 0.65")
        told = middle["ours, all on"] / middle["peer"]
        ratios["end to end with voices and active speaker / shorts-factory"] = (told, "<= 0.85")
    best = min(runs, key=lambda run: float(run["wall_s"]))
    stages: dict[str, float] = {}
    for stage in best["stages"]:
        stages[stage["name"]] = stages.get(stage["name"], 0.0) + stage["wall_s"]
    framed = sum(stages.get(name, 0.0) for name in FRAMING)
    rest = best["wall_s"] - framed - sum(stages.get(name, 0.0) for name in COUNTED_APART)
    ratios["look and frame, of the total"] = (framed / best["wall_s"], "<= 0.25")
    ratios["look and frame with the active speaker network, of the total"] = (
        middle["share of look and frame, all on"], "<= 0.25")  # fmt: skip
    ratios["everything else but transcribe and render, of the total"] = (
        rest / best["wall_s"], "<= 0.15")  # fmt: skip
    show("Ratios", ["measure", "ratio", "to reach"],
         [(name, f"{value:.3f}", goal) for name, (value, goal) in ratios.items()])  # fmt: skip
    show("Medians", ["", "value", "all"], [
        (n, f"{middle[n]:.2f}", ", ".join(f"{x:.2f}" for x in v)) for n, v in walls.items()
    ])  # fmt: skip
    finished = [(n, f"{s:.2f}") for n, s in stages.items()]
    show("Stages of the fastest run", ["stage", "s"], [*finished, ("all", f"{best['wall_s']:.2f}")])
    print(f"\npeak memory {max(r['peak_mb'] for r in runs)} MB; ranges {ranges}")
    return {
        "ratios": {name: round(value, 4) for name, (value, _) in ratios.items()},
        "medians": {name: round(value, 3) for name, value in middle.items()},
        "stages_s": stages,
        "peak_mb": max(r["peak_mb"] for r in runs),
        "ranges": ranges,
    }


def last_json_document(text: str) -> Any:
    """The whole of standard output as JSON."""
    return json.loads(text)


def _stage(manifest: dict[str, Any], name: str) -> float:
    return sum(float(s["wall_s"]) for s in manifest["run"]["stages"] if s["name"] == name)


def _peer_is_ready() -> bool:
    if shutil.which("ffmpeg") is None:
        print("the peer needs the ffmpeg binary (Debian: ffmpeg); measuring without it")
        return False
    if not PEER.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER.parent.parent)], check=True)
        subprocess.run([str(PEER), "-m", "pip", "install", "--quiet", *PEER_PACKAGES], check=True)
    return True


def _repeated(source: Path, minutes: int, folder: Path) -> Path:
    """The recording over and over, packets copied, as long as asked."""
    import av

    target = folder / f"long-{minutes}.mp4"
    with av.open(str(target), "w") as out:
        with av.open(str(source)) as first:
            length_s = ceil((first.duration or 0) / 1e6) + 1  # so that no packet overlaps another
            streams = {
                s.index: out.add_stream_from_template(s)
                for s in (*first.streams.video, *first.streams.audio)
            }
        for turn in range(max(1, round(minutes * 60 / length_s))):
            with av.open(str(source)) as again:
                for packet in again.demux(*(again.streams[i] for i in streams)):
                    if packet.dts is None or packet.pts is None or packet.time_base is None:
                        continue
                    shift = round(turn * length_s / packet.time_base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
    return target


if __name__ == "__main__":
    main()
