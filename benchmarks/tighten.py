"""What tightening takes out, what it must not, and whether its joins are heard.

    python benchmarks/tighten.py [MODEL]

Two recordings. One is made here: two synthetic voices read a script with fillers, false starts and
pauses, so every word's time is known; decisions are measured once with those times and once with a
recogniser's. The other is a conference call whose reference keeps its "uh". Needs the packages in
`demo/requirements.txt`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from measuring import ROOT, SHARED, keep, model_folder, needs, show
from transcription import distance, words

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.source import Presentation
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.media.audio import read_speech
from reelremix.engine.media.joints import read_joined
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.stages.fillers import bare
from reelremix.engine.stages.hesitations import listened
from reelremix.engine.stages.tighten import Tight, tighten

sys.path.insert(0, str(ROOT / "demo"))

FRAME = Fraction(1, 25)
RATE = 48_000
CALL = SHARED / "speech" / "earnings22" / "earnings22_3_4483589_261_321.wav"
ROOM_DB = -58.0
"""Noise of the synthetic room."""
GONE = 0.6
"""A word counts as removed if so much of it is not heard."""
SCRIPT = (
    ("W", "So, {um,} when we started the company we had no idea what we were doing.", 0.4),
    ("W", "We were, {uh,} three people in a garage, and nobody had slept for two days.", 1.3),
    ("M", "And did you ever think about giving up?", 0.5),
    ("W", "No. Never.", 1.1),
    ("W", "{[I I]} I think the hardest part was {um} telling my parents.", 0.5),
    ("M", "What did they say?", 0.6),
    ("W", "{Um,} they did not say anything for, {uh,} about a minute.", 0.9),
    ("W", "And then my mother said, I know that you know what you want.", 1.6),
    ("M", "{[we went]} we went through the same thing in nineteen ninety nine.", 0.4),
    ("M", "Do you know how many customers we had that year?", 0.8),
    ("W", "{Uh,} four hundred?", 0.5),
    ("M", "Eleven. It was, {(you know,)} not a good year.", 1.2),
    ("W", "That is {um} a very very small number.", 0.5),
    ("M", "It is. {Uh} {um,} we could not pay the rent, and the bank would not help.", 0.4),
    ("W", "What {uh} changed?", 0.7),
    ("M", "Well, one Monday morning, {um,} a hospital in Boston called.", 0.5),
    ("M", "They wanted twenty machines, {uh,} and they wanted them by Friday.", 1.4),
    ("W", "Is that something like a miracle?", 0.5),
    ("M", "{[It was]} it was {(I mean,)} the best phone call of my life.", 0.6),
    ("M", "I mean it when I say that, {um,} without that call there would be no company.", 0.5),
    ("W", "{Hmm,} so luck matters more than people admit.", 0.9),
    ("M", "It does, {uh,} but you have to be there when the phone rings.", 0.3),
)
"""Voice, words and the pause after them. In braces what goes at `light`; false starts stand in
square brackets as well, and phrases in round ones: those go at `strong`."""


@dataclass(frozen=True, slots=True)
class Said:
    """A word of the script with its true time."""

    word: Word
    kind: str
    """`word`, `sound`, `start` or `phrase`."""


def main() -> None:
    model = model_folder(sys.argv[1] if len(sys.argv) > 1 else "base")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "script.wav"
        truth = write_script(made)
        heard = transcribed(made, model)
        results: dict[str, Any] = {"model": Path(model).name, "fillers": fillers_in(truth)}
        rows = []
        for level in (Tighten.LIGHT, Tighten.STRONG):
            ways = (
                ("true", [s.word for s in truth], True),
                ("recognised", heard.words, True),
                ("recognised, words alone", heard.words, False),
            )
            for name, spoken, unheard in ways:
                way = tightened(made, spoken, level, unheard=unheard)
                result = against_truth(made, way, truth, model)
                results[f"{level.value} {name}"] = result
                rows.append((level.value, name, *result.values()))
        columns = ["level", "words", *results["light true"]]
        show("Script with known times", columns, rows)
        results["call"] = on_call(model)
        results["read"] = on_read_speech(model, Path(folder))
    keep("tighten", results)


def write_script(path: Path) -> list[Said]:
    """Read the script aloud; returns its words."""
    from sample_voices import Hibari, Joe

    voices: dict[str, Any] = {"W": Hibari(3), "M": Joe(3)}
    pieces: list[npt.NDArray[np.float32]] = []
    said: list[Said] = []
    at = 0.0
    for voice, text, pause_s in SCRIPT:
        spoken = voices[voice].say(text.translate(str.maketrans("", "", "{}[]()")))
        sound = resampled(spoken.sound, spoken.rate_hz)
        sound = sound * 0.07 / max(float(np.sqrt(np.square(sound).mean())), 1e-6)
        for word, kind in zip(spoken.words, kinds_of(text), strict=True):
            span = TimeRange.from_seconds(at + word.start_s, at + word.end_s)
            said.append(Said(Word(word.text, span, speaker=voice), kind))
        pieces += [sound.astype(np.float32), np.zeros(round(pause_s * RATE), np.float32)]
        at += (len(pieces[-1]) + len(pieces[-2])) / RATE
    whole = np.concatenate(pieces)
    noise = np.random.default_rng(1).normal(size=len(whole)) * 10 ** (ROOM_DB / 20)
    write_wav(path, whole + noise)
    return said


def kinds_of(text: str) -> Iterator[str]:
    """What each word of a line of the script is."""
    kind = "word"
    marks = {"{": "sound", "[": "start", "(": "phrase"}
    for token in text.split():
        for mark in token:
            kind = marks.get(mark, kind)
        yield kind
        if "}" in token:
            kind = "word"


def resampled(sound: npt.NDArray[np.float32], rate_hz: int) -> npt.NDArray[np.float64]:
    at = np.arange(round(len(sound) * RATE / rate_hz)) * rate_hz / RATE
    return np.interp(at, np.arange(len(sound)), sound)


def write_wav(path: Path, sound: npt.NDArray[Any]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def transcribed(path: Path, model: str) -> Transcript:
    done = subprocess.run(
        [sys.executable, "-m", "reelremix", "transcribe", str(path), "--json", "--quiet",
         "--model", model, "--language", "en", "--speakers", "off"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    listed = path.with_suffix(".json")
    listed.write_text(done.stdout, encoding="utf-8")
    return read_transcript(listed)


def tightened(
    path: Path, spoken: Sequence[Word], level: Tighten, *, unheard: bool = True
) -> tuple[Presentation, Tight]:
    """The whole recording tightened, on frames of 25 a second."""
    presentation = choose_streams(probe(path, path.name))
    end = presentation.duration.exact // FRAME * FRAME
    span = TimeRange(Timestamp(0), Timestamp.from_seconds(end))
    sound = read_speech(path, presentation, span, CancelToken())
    heard = Transcript("en", None, (Segment(span, "", tuple(spoken)),))
    stretch = listened(span, tuple(spoken), sound, heard)
    if not unheard:
        stretch = replace(stretch, words=tuple(spoken), hesitations=())
    return presentation, tighten(stretch, level, on_frame)


def on_frame(moment: Timestamp) -> Timestamp:
    return Timestamp(round(moment.exact / FRAME), FRAME)


def against_truth(
    path: Path, made: tuple[Presentation, Tight], truth: Sequence[Said], model: str
) -> dict[str, Any]:
    """What went of each kind of word, and what the result sounds like."""
    presentation, tight = made
    gone = [s for s in truth if is_gone(s.word.range, tight.ranges)]
    result: dict[str, Any] = {}
    for kind in ("sound", "start", "phrase", "word"):
        of_kind = [s for s in truth if s.kind == kind]
        result[kind] = f"{sum(s in gone for s in of_kind)}/{len(of_kind)}"
    assert tight.tightened is not None
    result["cuts"] = len(tight.tightened.removed)
    result["saved_s"] = tight.tightened.removed_s
    reference = " ".join(s.word.text for s in truth if s not in gone)
    sound = joined(path, presentation, tight)
    result |= {"wer": word_errors(sound, reference, path, model), **clicks(sound, tight)}
    return result


def fillers_in(truth: Sequence[Said]) -> int:
    return sum(s.kind != "word" for s in truth)


def is_gone(span: TimeRange, ranges: Sequence[TimeRange]) -> bool:
    heard = sum(span.overlap_s(kept) for kept in ranges)
    return heard < (1 - GONE) * span.duration_s


def joined(path: Path, presentation: Presentation, tight: Tight) -> npt.NDArray[np.float32]:
    pieces = list(read_joined(path, presentation, tight.ranges))
    return np.concatenate(pieces, axis=1).mean(axis=0)


def word_errors(sound: npt.NDArray[np.float32], reference: str, path: Path, model: str) -> float:
    """Word error rate of what is heard in the tightened sound."""
    again = path.with_name("tight.wav")
    write_wav(again, sound)
    heard = " ".join(segment.text for segment in transcribed(again, model).segments)
    wanted = without_fillers(reference)
    return round(distance(wanted, without_fillers(heard)) / max(1, len(wanted)), 4)


def without_fillers(text: str) -> list[str]:
    return [word for word in words(text) if word not in ("um", "uh", "hmm", "er", "umm")]


def clicks(sound: npt.NDArray[np.float32], tight: Tight) -> dict[str, float]:
    """Whether joins click: how sharp the sharpest change at any of them is, against the rest.

    The sharpness of a moment is the largest second difference of the sound in 20 ms around it,
    which is what a click is made of. `sharpest_join` is the highest at any join, over the highest
    1 % of the speech elsewhere; `level_db` is how far under the loud parts the median join lies.
    """
    sharp = np.abs(np.diff(sound.astype(np.float64), 2))
    ends = np.cumsum([kept.duration_s for kept in tight.ranges])[:-1]
    step = RATE // 50
    peaks = sharp[: len(sharp) // step * step].reshape(-1, step).max(axis=1)
    at = np.unique([int(end * 50) + near for end in ends for near in (-2, -1, 0, 1, 2)])
    at = at[(at >= 0) & (at < len(peaks))]
    if not len(at):
        return {"sharpest_join": 0.0, "level_db": 0.0}
    usual = float(np.percentile(np.delete(peaks, at), 99))
    loud = float(np.percentile(levels(sound), 90))
    quiet = [
        levels(sound[round((e - 0.02) * RATE) : round((e + 0.02) * RATE)]).mean() for e in ends
    ]
    median = float(np.median(quiet))
    return {
        "sharpest_join": round(float(peaks[at].max()) / usual, 2),
        "level_db": round(median - loud, 1),
    }


def levels(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    step = RATE // 100
    power = np.square(sound[: len(sound) // step * step].astype(np.float64))
    return np.asarray(10 * np.log10(power.reshape(-1, step).mean(axis=1) + 1e-9))


def on_call(model: str) -> dict[str, Any]:
    """The conference call: fillers of its reference that are still heard, and words lost."""
    listed = json.loads((SHARED / "speech" / "references.json").read_text(encoding="utf-8"))
    reference = next(e["transcript"] for e in listed if e["file"].endswith(CALL.name))
    rows, results = [], {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "call.wav"
        copy.write_bytes(needs(CALL).read_bytes())
        heard = transcribed(copy, model)
        for level in (Tighten.LIGHT, Tighten.STRONG):
            presentation, tight = tightened(copy, heard.words, level)
            sound = joined(copy, presentation, tight)
            before = distance(without_fillers(reference), heard_words(heard))
            assert tight.tightened is not None
            result = {
                "fillers in the reference": sum(bare(w) in ("uh", "um") for w in reference.split()),
                "fillers heard by the recogniser": sum(
                    bare(w.text) in ("uh", "um") for w in heard.words
                ),
                "cut": sum(bool(cut.text) for cut in tight.tightened.removed),
                "saved_s": tight.tightened.removed_s,
                "wer before": round(before / len(without_fillers(reference)), 4),
                "wer after": word_errors(sound, reference, copy, model),
                **clicks(sound, tight),
            }
            results[level.value] = result
            rows.append((level.value, *result.values()))
    show("Conference call", ["level", *results["light"]], rows)
    return results


def on_read_speech(model: str, folder: Path) -> dict[str, Any]:
    """What is cut out of speech that was read, where there is hardly a filler to find."""
    listed = json.loads((SHARED / "speech" / "references.json").read_text(encoding="utf-8"))
    seconds, cuts = 0.0, []
    for entry in listed:
        if entry["lang"] != "en" or not entry.get("transcript") or CALL.name in entry["file"]:
            continue
        copy = folder / Path(entry["file"]).name
        copy.write_bytes(needs(SHARED / "speech" / entry["file"]).read_bytes())
        _, tight = tightened(copy, transcribed(copy, model).words, Tighten.STRONG)
        assert tight.tightened is not None
        cuts += [cut for cut in tight.tightened.removed if cut.reason != "silence"]
        seconds += entry["duration_s"]
    words_cut = [cut.text or "(a hesitation)" for cut in cuts]
    show("Read speech", ["seconds", "cuts that are no silence"], [(round(seconds), words_cut)])
    return {"seconds": round(seconds), "words_cut": words_cut}


def heard_words(heard: Transcript) -> list[str]:
    return without_fillers(" ".join(segment.text for segment in heard.segments))


if __name__ == "__main__":
    main()
