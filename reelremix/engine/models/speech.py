"""Where somebody speaks, and how that is parted for a recogniser that takes thirty seconds at once.

Silero VAD (https://github.com/snakers4/silero-vad) as it comes with faster-whisper, with the
settings and the grouping of its batched pipeline. Doing it here instead of there lets a long
recording be heard window by window without a half-empty part at the end of each: what would not
fill a part, or a batch of parts, is left for the next window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

RATE_HZ = 16_000
PART_S = 30
"""What Whisper takes at once."""
MIN_SILENCE_MS = 160
TOUCHING = RATE_HZ // 2
"""Speech that ends within so many samples of a window's end probably goes on behind it."""

Speech = npt.NDArray[np.float32]
"""Mono at 16 kHz, -1 to 1."""
Span = dict[str, int]
"""`start` and `end` in samples, as faster-whisper writes them."""


@dataclass(frozen=True, slots=True)
class SpokenParts:
    """Speech of one window, silence left out, parted for the recogniser."""

    speech: Speech
    """The spans, one after another."""
    spans: list[Span]
    """Where they lie in the window."""
    clips: list[dict[str, float]]
    """Parts of `speech` in seconds, each at most `PART_S` long."""
    used: int
    """Samples of the window that are dealt with; the next window begins there, in silence."""


def find_speech(speech: Speech, batch_size: int, *, goes_on: bool) -> SpokenParts:
    """Part the speech of a window.

    Args:
        speech: the window.
        batch_size: parts the recogniser takes at once.
        goes_on: whether the recording goes on behind the window.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(max_speech_duration_s=PART_S, min_silence_duration_ms=MIN_SILENCE_MS)
    found: list[Span] = get_speech_timestamps(speech, options)
    groups = grouped(found)
    spans = found
    if goes_on:
        spans = [span for group in groups[: whole(len(groups), batch_size)] for span in group]
        if not spans and found[-1:] and len(speech) - found[-1]["end"] < TOUCHING:
            spans = found[:-1]
        elif not spans:
            spans = found
    used = _used(found, spans, len(speech))
    if used == 0:  # one span from end to end: nothing to leave for the next window
        spans, used = found, len(speech)
    return SpokenParts(_joined(speech, spans), spans, _clips(grouped(spans)), used)


def grouped(spans: list[Span]) -> list[list[Span]]:
    """Spans that go into one part together: as many as fit, in order."""
    groups: list[list[Span]] = []
    length = 0
    for span in spans:
        own = span["end"] - span["start"]
        if not groups or length + own > PART_S * RATE_HZ:
            groups.append([])
            length = 0
        groups[-1].append(span)
        length += own
    return groups


def whole(groups: int, batch_size: int) -> int:
    """How many of a window's groups to take: full ones, and full batches where there are any."""
    full = max(0, groups - 1)
    return full - full % batch_size if full >= batch_size > 0 else full


def _used(found: list[Span], kept: list[Span], total: int) -> int:
    if len(kept) == len(found):
        return total
    following = found[len(kept)]["start"]
    return (kept[-1]["end"] + following) // 2 if kept else following


def _joined(speech: Speech, spans: list[Span]) -> Speech:
    pieces = [speech[span["start"] : span["end"]] for span in spans]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _clips(groups: list[list[Span]]) -> list[dict[str, float]]:
    clips = []
    begin = 0
    for group in groups:
        end = begin + sum(span["end"] - span["start"] for span in group)
        # Half a sample more, because it is multiplied again and cut off to a whole number.
        clips.append({"start": (begin + 0.5) / RATE_HZ, "end": (end + 0.5) / RATE_HZ})
        begin = end
    return clips


def placed(segments: Any, parts: SpokenParts) -> Any:
    """Segments of `parts.speech` with their times in the window."""
    from faster_whisper.transcribe import restore_speech_timestamps

    return restore_speech_timestamps(segments, parts.spans, RATE_HZ)
