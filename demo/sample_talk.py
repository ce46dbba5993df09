"""The conversation in time: who says which word when, what the camera shows, and how it sounds.

Reads the script, has the voices speak it and lays the sentences one after the other. Cuts lie on
frame boundaries in the pauses between lines.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from sample_sets import Slide
from sample_voices import Hibari, Joe, Sound, Spoken, SpokenWord, Voice

RATE_HZ = 48_000
FRAMES_PER_S = 25
LEAD_IN_S, LEAD_OUT_S = 0.8, 1.2
SENTENCE_PAUSE_S, LINE_PAUSE_S = 0.28, 0.42
MARGIN_S = 0.06
"""Sound kept on either side of a sentence's words."""
VOICE_LEVEL = 0.09
"""Root mean square of speech."""
ROOM_LEVEL = 0.0006


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says in one go, and what is seen meanwhile."""

    speaker: str
    shot: str
    text: str
    pause_s: float
    gain_db: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the conversation, judged by its author."""

    id: str
    kind: str
    strength: str
    """`strong` or `weak`."""
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """What is said and shown."""

    seed: int
    slides: Mapping[str, Slide]
    moments: tuple[Moment, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in the finished recording."""

    moment: str
    line: int
    speaker: str
    words: tuple[SpokenWord, ...]

    @property
    def start_s(self) -> float:
        """Where the first word begins."""
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        """Where the last word ends."""
        return self.words[-1].end_s


@dataclass(frozen=True, slots=True)
class Shot:
    """What the camera shows from one frame to another."""

    shot: str
    speaker: str
    """Who the shot was chosen for."""
    first: int
    end: int
    """The first frame that is no longer in it."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The whole recording but its pictures."""

    sentences: tuple[Sentence, ...]
    shots: tuple[Shot, ...]
    sound: Mapping[str, Sound]
    """What each person says, at `RATE_HZ`, silence elsewhere."""
    frames: int


def read_script(path: Path) -> Script:
    """The conversation from its file."""
    content = path.read_bytes()
    plain = tomllib.loads(content.decode())
    slides = {
        name: Slide(slide["title"], tuple(slide["points"]))
        for name, slide in plain["slides"].items()
    }
    moments = tuple(
        Moment(each["id"], each["kind"], each["strength"], tuple(map(_line, each["lines"])))
        for each in plain["moments"]
    )
    return Script(plain["seed"], slides, moments, hashlib.sha256(content).hexdigest())


def speak(script: Script, seed: int) -> Talk:
    """Have the script read aloud."""
    voices: dict[str, Voice] = {"nora": Hibari(seed), "ben": Joe(seed)}
    sentences: list[Sentence] = []
    pieces: list[tuple[str, float, Sound]] = []
    starts: list[tuple[Line, float]] = []
    clock = LEAD_IN_S
    for moment in script.moments:
        for line in moment.lines:
            clock += line.pause_s
            starts.append((line, clock - min(line.pause_s, 0.5) * 0.5))
            for text in re.split(r"(?<=[.?!])\s+", line.text):
                words, sound = _trimmed(voices[line.speaker].say(text), line.gain_db)
                moved = tuple(_moved(word, clock) for word in words)
                sentences.append(Sentence(moment.id, len(starts) - 1, line.speaker, moved))
                pieces.append((line.speaker, clock, sound))
                clock += len(sound) / RATE_HZ + SENTENCE_PAUSE_S
            clock -= SENTENCE_PAUSE_S
    frames = round((clock + LEAD_OUT_S) * FRAMES_PER_S)
    return Talk(tuple(sentences), _shots(starts, frames), _laid_out(pieces, frames), frames)


def mixed(talk: Talk, seed: int) -> Sound:
    """Both voices and the faint hiss of a room."""
    voices = np.sum(list(talk.sound.values()), axis=0)
    hiss = np.random.default_rng(seed).normal(0.0, ROOM_LEVEL, voices.shape)
    sound: Sound = np.clip(voices + hiss, -0.98, 0.98).astype(np.float32)
    return sound


def _line(plain: Mapping[str, Any]) -> Line:
    return Line(
        plain["speaker"],
        plain["shot"],
        plain["text"],
        float(plain.get("pause_s", LINE_PAUSE_S)),
        float(plain.get("gain_db", 0.0)),
    )


def _trimmed(spoken: Spoken, gain_db: float) -> tuple[tuple[SpokenWord, ...], Sound]:
    """The sentence from just before its first word to just after its last, at its loudness."""
    begin_s = max(0.0, spoken.words[0].start_s - MARGIN_S)
    first = int(begin_s * spoken.rate_hz)
    last = int((spoken.words[-1].end_s + MARGIN_S) * spoken.rate_hz)
    sound = resampled(spoken.sound[first:last], spoken.rate_hz)
    edge = np.minimum(1.0, np.arange(len(sound)) / (0.01 * RATE_HZ))
    sound = sound * edge * edge[::-1]
    level = float(np.sqrt(np.mean(sound**2)))
    sound = sound * (VOICE_LEVEL / level * 10 ** (gain_db / 20))
    words = tuple(_moved(word, -first / spoken.rate_hz) for word in spoken.words)
    return words, sound.astype(np.float32)


def resampled(sound: Sound, rate_hz: int) -> Sound:
    """At `RATE_HZ`."""
    frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler("fltp", "mono", RATE_HZ)
    out = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in out])


def _moved(word: SpokenWord, by_s: float) -> SpokenWord:
    return SpokenWord(word.text, word.start_s + by_s, word.end_s + by_s)


def _shots(starts: Sequence[tuple[Line, float]], frames: int) -> tuple[Shot, ...]:
    """Lines in a row with one picture are one shot; a slide stays with its speaker."""
    shots: list[Shot] = []
    for line, start_s in starts:
        first = round(start_s * FRAMES_PER_S) if shots else 0
        if shots:
            shots[-1] = Shot(shots[-1].shot, shots[-1].speaker, shots[-1].first, first)
            if shots[-1].shot == line.shot:
                first = shots.pop().first
        shots.append(Shot(line.shot, line.speaker, first, frames))
    return tuple(shots)


def _laid_out(pieces: Sequence[tuple[str, float, Sound]], frames: int) -> dict[str, Sound]:
    length = frames * RATE_HZ // FRAMES_PER_S
    tracks = {person: np.zeros(length, np.float32) for person, _, _ in pieces}
    for person, start_s, sound in pieces:
        first = round(start_s * RATE_HZ)
        tracks[person][first : first + len(sound)] += sound
    return tracks
