"""How far from the truth are words that were given without times?

python benchmarks/alignment.py

The text of the demo's sample and of English recordings with known word times is given as an SRT
file: as it is, late, drifting, without times, with wrong words. Beside it stands what the file
itself says (words spread evenly over their lines), and Whisper made to align the given words at
the times of their lines (`ctranslate2.models.Whisper.align`). Of the panel only the times of lines
are known: there the words that begin outside their lines are counted.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import PANEL, ROOT, SCRATCH, SHARED, keep, model_folder, needs, run_timed, show

SAMPLE = ROOT / ".demo" / "conversation.mp4"
LINE_WORDS = 8
WINDOW_S, MARGIN_S, RATE_HZ = 27.0, 0.4, 16_000
NEAR_S = 0.5
EARLY_S = 0.06
"""As in `engine.models.whisper`."""
MEASURES = ("words", "median ms", "95th percentile ms", "over 500 ms")
COLUMNS = ["words of", "lines", "way", *MEASURES]
Floats = np.typing.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Said:
    """A word, and when it begins and ends in truth."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """A cue."""

    start_s: float
    end_s: float
    words: tuple[str, ...]


Change = Callable[[Sequence[Line]], list[Line]]


def main() -> None:
    folder = SCRATCH / "alignment"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["REELREMIX_MODELS_DIR"] = str(Path(model_folder("base")).parent)
    os.environ["REELREMIX_DATA_DIR"] = str(folder / "data")
    recordings = list(_recordings())
    rows, forced = [], _Forced(model_folder("base"))
    for name, change in CHANGES.items():
        for group, members in (("demo's sample", recordings[:1]), ("references", recordings[1:])):
            found: dict[str, list[Floats]] = {"aligned": [], "as the file says": [], "forced": []}
            for path, words in members:
                lines = change(_lines(words))
                truth = np.array([w.start_s for w in words])
                found["aligned"].append(_aligned(path, lines, folder) - truth)
                found["as the file says"].append(_spread(lines) - truth)
                found["forced"].append(forced.starts(path, lines) - truth)
            rows += [(group, name, way, *_figures(np.concatenate(e))) for way, e in found.items()]
    show(
        "Beginnings of given words against the truth", ["words of", "lines", "way", *MEASURES], rows
    )
    panel, times = _panel(folder, forced), _times(folder)
    keep("alignment", {
        "rows": [dict(zip(COLUMNS, row, strict=True)) for row in rows],
        "panel": panel, "seconds": times,
    })  # fmt: skip


def _figures(errors: Floats) -> tuple[int, float, float, int]:
    away = np.abs(errors) * 1000
    return (
        len(errors),
        round(float(np.median(away)), 1),
        round(float(np.percentile(away, 95)), 1),
        int((away > 500).sum()),
    )


def _recordings() -> Iterator[tuple[Path, list[Said]]]:
    truth = json.loads(needs(SAMPLE.with_suffix(".truth.json")).read_text("utf-8"))
    words = [w for segment in truth["transcript"]["segments"] for w in segment["words"]]
    yield SAMPLE, [Said(w["text"], w["start_s"], w["end_s"]) for w in words]
    for entry in json.loads(needs(SHARED / "speech" / "references.json").read_text("utf-8")):
        known = _known(entry) if entry["lang"] == "en" else []
        if known:
            yield SHARED / "speech" / entry["file"], known


def _known(entry: dict[str, Any]) -> list[Said]:
    if "words" in entry:
        return [Said(w["word"], w["start_sec"], w["end_sec"]) for w in entry["words"]]
    listed = entry["alignment"]["w"] if "alignment" in entry else []
    spoken = [w for w in listed if w["t"][0].isalnum()]
    return [Said(w["t"].split("(")[0], w["b"], w["b"] + w.get("d", 0.3)) for w in spoken]


def _lines(words: Sequence[Said]) -> list[Line]:
    parts = [words[n : n + LINE_WORDS] for n in range(0, len(words), LINE_WORDS)]
    return [Line(p[0].start_s, p[-1].end_s, tuple(w.text for w in p)) for p in parts]


def _timed(clock: Callable[[float], float]) -> Change:
    return lambda lines: [
        Line(max(0.0, clock(x.start_s)), max(0.0, clock(x.end_s)), x.words) for x in lines
    ]


def _misheard(lines: Sequence[Line]) -> list[Line]:
    chance = random.Random(1)
    return [
        Line(x.start_s, x.end_s, tuple(
            "zebra" if chance.random() < 0.05 else word for word in x.words))
        for x in lines
    ]  # fmt: skip


CHANGES: dict[str, Change] = {
    "right": _timed(lambda at: at),
    "3 s late": _timed(lambda at: at + 3),
    "drifting, 25/24": _timed(lambda at: at * 25 / 24),
    "all at 0": _timed(lambda _: 0.0),
    "5 % wrong words": _misheard,
}


def _aligned(path: Path, lines: Sequence[Line], folder: Path) -> Floats:
    srt = folder / "given.srt"
    srt.write_text("\n".join(_cue(n, line) for n, line in enumerate(lines, 1)), encoding="utf-8")
    done = _transcribe(path, "--transcript", str(srt))
    found = [w for s in json.loads(done.stdout)["segments"] for w in s["words"]]
    if len(found) != sum(len(line.words) for line in lines):
        sys.exit(f"{path.name}: {len(found)} words came back")
    return np.array([w["start_s"] for w in found])


def _cue(number: int, line: Line) -> str:
    return f"{number}\n{_clock(line.start_s)} --> {_clock(line.end_s)}\n{' '.join(line.words)}\n"


def _clock(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


def _transcribe(path: Path, *more: str) -> Any:
    return run_timed([
        sys.executable, "-m", "reelremix", "transcribe", str(path), "--format", "json",
        "--language", "en", "--quiet", "--speakers", "off", *more,
    ])  # fmt: skip


def _spread(lines: Sequence[Line]) -> Floats:
    starts: list[float] = []
    for line in lines:
        letters = np.cumsum([0, *(len(word) + 1 for word in line.words)])
        shares = letters[:-1] / letters[-1]
        starts += (line.start_s + shares * (line.end_s - line.start_s)).tolist()
    return np.array(starts)


class _Forced:
    """Whisper made to find given words in the sound at the times of their lines."""

    def __init__(self, folder: str) -> None:
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        self._model: Any = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=2)
        self._tokens = Tokenizer(self._model.hf_tokenizer, True, task="transcribe", language="en")
        self._sound: tuple[Path, Floats] | None = None

    def starts(self, path: Path, lines: Sequence[Line]) -> Floats:
        """When every word begins."""
        from faster_whisper.audio import decode_audio

        if self._sound is None or self._sound[0] != path:
            self._sound = path, decode_audio(str(path))
        windows: list[list[Line]] = []
        for line in lines:
            if windows and line.end_s - windows[-1][0].start_s < WINDOW_S and len(windows[-1]) < 10:
                windows[-1].append(line)
            else:
                windows.append([line])
        return np.concatenate([self._window(window, self._sound[1]) for window in windows])

    def _window(self, lines: Sequence[Line], sound: Floats) -> Floats:
        from faster_whisper.audio import pad_or_trim

        begin_s = max(0.0, lines[0].start_s - MARGIN_S)
        piece = sound[int(begin_s * RATE_HZ) : int((lines[-1].end_s + MARGIN_S) * RATE_HZ)]
        tokens = [self._tokens.encode(f" {word}") for line in lines for word in line.words]
        if len(piece) < RATE_HZ // 10:
            return np.full(len(tokens), begin_s)
        features = self._model.feature_extractor(piece)
        encoded = self._model.encode(pad_or_trim(features))
        flat = [token for word in tokens for token in word]
        [found] = self._model.model.align(
            encoded, self._tokens.sot_sequence, [flat], features.shape[-1]
        )
        places = np.array(found.alignments)
        begins = np.append(True, np.diff(places[:, 0]) > 0)
        times = places[begins, 1] / self._model.tokens_per_second
        first = np.cumsum([0, *(len(word) for word in tokens)])[:-1]
        return np.asarray(begin_s + times[np.minimum(first, len(times) - 1)] + EARLY_S)


def _panel(folder: Path, forced: _Forced) -> dict[str, Any]:
    from reelremix.engine.export.transcript import read_transcript

    srt = needs(PANEL.with_suffix(".srt"))
    lines = [
        Line(s.range.start_s, s.range.end_s, tuple(s.text.split()))
        for s in read_transcript(srt).segments
    ]
    begins = np.repeat([line.start_s for line in lines], [len(line.words) for line in lines])
    ends = np.repeat([line.end_s for line in lines], [len(line.words) for line in lines])
    outside = {}
    for way, starts in (
        ("aligned", _aligned(PANEL, lines, folder)),
        ("forced", forced.starts(PANEL, lines)),
    ):
        is_outside = (starts < begins - NEAR_S) | (starts > ends + NEAR_S)
        outside[way] = int(is_outside.sum())
    rows = [(way, len(begins), count) for way, count in outside.items()]
    show("The panel's words outside their lines", ["way", "words", "outside"], rows)
    return {"words": len(begins), "outside": outside}


def _times(folder: Path) -> dict[str, float]:
    """Of the panel: plain transcription, the same with given words, and with both known."""
    srt = str(PANEL.with_suffix(".srt"))
    seconds: dict[str, float] = {}
    for name, more in (("transcribed", ()), ("aligned", ("--transcript", srt))):
        os.environ["REELREMIX_DATA_DIR"] = str(folder / f"data-{name}")
        seconds[name] = round(_transcribe(PANEL, *more).wall_s, 2)
    os.environ["REELREMIX_DATA_DIR"] = str(folder / "data-transcribed")
    more = ("--transcript", srt)
    seconds["aligned, transcript known"] = round(_transcribe(PANEL, *more).wall_s, 2)
    seconds["aligned again"] = round(_transcribe(PANEL, *more).wall_s, 2)
    rows = [(n, s, round(s / seconds["transcribed"], 2)) for n, s in seconds.items()]
    show("Ten minutes of the panel", ["what", "seconds", "of plain transcription"], rows)
    return seconds


if __name__ == "__main__":
    main()
