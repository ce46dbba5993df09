"""Who speaks when: error against known turns, how many speakers are found, and what it costs.

    python benchmarks/diarization.py

Diarization error rate by pyannote.metrics, a quarter of a second around every border of a turn left
out, overlapping speech counted. Thresholds were chosen on mixtures: recordings of eighteen people
in eight languages, cut into turns and set one after another, clean, in noise, and in quick
exchange. The draws shown here are others, and the panel was only reported on. Beside it stands a
bare clustering of the same embeddings: no heed of time, of pauses, or of how little a voice is
heard. The truth of mixtures is where a recording is loud: noise in one counts as missed speech.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import av
import numpy as np
import numpy.typing as npt
from measuring import PANEL, SHARED, keep, model_folder, needs, show
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from reelremix.engine.domain.time import Timestamp
from reelremix.engine.models.speaker_embedding import CamPlusPlus, SpeakerEmbedder
from reelremix.engine.stages import diarize as stage
from reelremix.engine.stages import speaker_clustering
from reelremix.engine.stages.diarize import VoiceListener

RATE_HZ = 16_000
COLLAR_S = 0.5
"""Both sides together, as pyannote.metrics counts it."""
VOICES = {
    "LJ": "ljspeech/*.flac",
    "Austen": "librivox_austen/*.wav",
    "1088": "lhotse_libri-1088-134315-0000.wav",
    "Kennedy": "jfk.flac",
    "call": "earnings22/*.wav",
    **{n: f"fleurs/fleurs-{n}.ogg" for n in ("de-001", "en-000", "es-001", "fr-001", "pt-000")},
    "test": "leopard/test.wav",
    **{n: f"leopard/test_{n}.wav" for n in ("de", "es", "fr", "it", "ja", "ko", "pt")},
}
"""Files of one person each; other languages and other collections are other people."""
COUNTS = (1, 2, 4, 8, 16)
DRAWS = (3, 4, 5)
"""Thresholds were chosen on 0, 1 and 2: other turns of the same people."""
MOST_TURNS = 32
"""Of all speakers together, as far as the recordings reach; at least four each."""
NOISE_DB = 15.0
"""Speech above the noise."""
PIECE_S = 37
"""What the listener is handed at once."""

BARE = (
    mock.patch.multiple(
        speaker_clustering, CHANGE_COST=0.0, ROUNDS=1, FEW=0, LEAST=0, LEAST_SHARE=0
    ),
    mock.patch.object(stage, "PAUSE_S", 0.0),
)

Sound = npt.NDArray[np.float32]
Turn = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a mixture is made."""

    name: str
    turn_s: tuple[float, float]
    pause_s: tuple[float, float]
    is_noisy: bool = False


KINDS = (
    _Kind("mixture", (2.0, 6.0), (0.1, 0.9)),
    _Kind("in noise", (2.0, 6.0), (0.1, 0.9), is_noisy=True),
    _Kind("quick exchange", (1.0, 2.5), (0.0, 0.3)),
)


@dataclass(frozen=True, slots=True)
class _Recording:
    name: str
    sound: Sound
    turns: list[Turn]
    scored: list[tuple[float, float]]


def main() -> None:
    embedder = CamPlusPlus(Path(model_folder("campplus")))
    mixtures = [_judged(recording, embedder) for recording in _mixtures()]
    panel = _judged(_panel(), embedder)
    rows = [*_summaries(mixtures), panel]
    show("Diarization", [*rows[0]], [[*row.values()] for row in rows])
    keep("diarization", {"recordings": [*mixtures, panel]})


def _judged(recording: _Recording, embedder: SpeakerEmbedder) -> dict[str, Any]:
    began, began_cpu = time.perf_counter(), time.process_time()
    listener = VoiceListener(embedder)
    step = PIECE_S * RATE_HZ
    for at in range(0, len(recording.sound), step):
        listener.hear(recording.sound[at : at + step], Timestamp.from_seconds(at / RATE_HZ))
    found = listener.diarization()
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    length_s = len(recording.sound) / RATE_HZ
    with BARE[0], BARE[1]:
        bare = listener.diarization()
    error = _error(recording, [(t.range.start_s, t.range.end_s, t.speaker) for t in found.turns])
    count = len({speaker for *_, speaker in _scored_turns(recording)})
    return {
        "recording": recording.name,
        "seconds": round(length_s),
        "speakers": count,
        "found": len(found.speakers),
        **error,
        "bare clustering": _error(
            recording, [(t.range.start_s, t.range.end_s, t.speaker) for t in bare.turns]
        )["error rate"],
        "times realtime": round(length_s / wall_s, 1),
        "core seconds an hour": round(3600 * cpu_s / length_s),
    }


def _error(recording: _Recording, found: Sequence[Turn]) -> dict[str, float]:
    metric = DiarizationErrorRate(collar=COLLAR_S, skip_overlap=False)
    scored = Timeline([Segment(*span) for span in recording.scored])
    parts = metric(_annotation(recording.turns), _annotation(found), uem=scored, detailed=True)
    total = parts["total"]
    return {
        "error rate": round(parts["diarization error rate"], 4),
        "missed": round(parts["missed detection"] / total, 4),
        "false alarm": round(parts["false alarm"] / total, 4),
        "confused": round(parts["confusion"] / total, 4),
    }


def _annotation(turns: Sequence[Turn]) -> Annotation:
    annotation = Annotation()
    for number, (start, end, speaker) in enumerate(turns):
        annotation[Segment(start, end), number] = speaker
    return annotation


def _scored_turns(recording: _Recording) -> list[Turn]:
    return [t for t in recording.turns if any(a <= t[0] < b for a, b in recording.scored)]


def _summaries(results: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """One row for the mixtures of a kind and size."""
    for kind, own in itertools.groupby(results, lambda r: r["recording"].rsplit("-", 1)[0]):
        draws = list(own)
        means = {
            key: round(sum(draw[key] for draw in draws) / len(draws), 4)
            for key in draws[0]
            if key != "recording"
        }
        yield {"recording": kind, **means, "found": " ".join(str(d["found"]) for d in draws)}


def _panel() -> _Recording:
    """The panel, without the turns whose speakers nobody verified and without the film."""
    truth = json.loads(needs(PANEL.with_suffix(".gt.json")).read_text(encoding="utf-8"))
    turns, left_out = [], []
    for turn in truth["turns"]:
        turns.append((turn["speech_start"], turn["speech_end"], turn["speaker"]))
        if turn["speaker"] == "film" or not turn["speaker_identity_verified"]:
            left_out.append((turn["start"], turn["end"]))
    borders = [0.0, *(t for span in sorted(left_out) for t in span), truth["duration"]]
    scored = [(a, b) for a, b in zip(borders[::2], borders[1::2], strict=True) if b > a]
    return _Recording("panel", _read(PANEL), turns, scored)


def _mixtures() -> Iterator[_Recording]:
    folder = needs(SHARED / "speech")
    sounds = {
        name: [_trimmed(_read(file)) for file in sorted(folder.glob(files))]
        for name, files in VOICES.items()
    }
    for kind in KINDS:
        voices = {n: [u for s in own for u in _utterances(s, kind)] for n, own in sounds.items()}
        for count in COUNTS:
            for draw in DRAWS:
                rng = np.random.default_rng([count, draw])
                names = [str(name) for name in rng.permutation(list(voices))[:count]]
                if count == 1:
                    names = [("LJ", "call", "Austen")[draw % 3]]
                sound, turns = _mixture({name: voices[name] for name in names}, kind, rng)
                scored = [(0.0, len(sound) / RATE_HZ)]
                yield _Recording(f"{kind.name} {count}-{draw}", sound, turns, scored)


def _mixture(
    voices: dict[str, list[Sound]], kind: _Kind, rng: np.random.Generator
) -> tuple[Sound, list[Turn]]:
    """Turns in random order, each as loud as it happens."""
    most = max(4, MOST_TURNS // len(voices))
    order = [(name, turn) for name, own in voices.items() for turn in own[:most]]
    sound, turns, at = [], [], 0
    for i in rng.permutation(len(order)):
        name, utterance = order[i]
        pause = np.zeros(int(rng.uniform(*kind.pause_s) * RATE_HZ), np.float32)
        louder = np.float32(0.05 * 10 ** (rng.uniform(-6, 6) / 20))
        sound += [pause, utterance * louder / utterance.std()]
        begin = at + len(pause)
        at = begin + len(utterance)
        turns.append((begin / RATE_HZ, at / RATE_HZ, name))
    mixed = np.concatenate(sound)
    return np.clip(_in_noise(mixed, rng) if kind.is_noisy else mixed, -1, 1), turns


def _in_noise(sound: Sound, rng: np.random.Generator) -> Sound:
    """Pink noise under all of it."""
    spectrum = np.fft.rfft(rng.standard_normal(len(sound)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, len(sound)).astype(np.float32)
    level = sound[sound != 0].std() * 10 ** (-NOISE_DB / 20)
    return sound + noise * np.float32(level / noise.std())


def _utterances(sound: Sound, kind: _Kind) -> Iterator[Sound]:
    """What is said, cut at the quietest moments, no silence around it."""
    low, high = (round(seconds * RATE_HZ) for seconds in kind.turn_s)
    while len(sound) > high:
        cut = low + int(_loudness(sound[low:high]).argmin()) * 160
        yield _trimmed(sound[:cut])
        sound = _trimmed(sound[cut:])
    if len(sound) >= low:
        yield sound


def _trimmed(sound: Sound) -> Sound:
    loud = _loudness(sound)
    audible = np.flatnonzero(loud > 0.03 * loud.max(initial=0))
    return sound[audible[0] * 160 : (audible[-1] + 1) * 160] if len(audible) else sound[:0]


def _loudness(sound: Sound) -> npt.NDArray[np.float64]:
    """Of every hundredth of a second, smoothed over five."""
    frames = sound[: len(sound) // 160 * 160].reshape(-1, 160).astype(np.float64)
    return np.convolve(np.sqrt((frames**2).mean(axis=1)), np.ones(5) / 5, "same")


def _read(path: Path) -> Sound:
    pieces = []
    with av.open(str(needs(path))) as container:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        for frame in (*container.decode(audio=0), None):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(pieces).astype(np.float32) / np.float32(32768)


if __name__ == "__main__":
    main()
