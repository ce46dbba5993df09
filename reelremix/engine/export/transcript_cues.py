"""Transcripts as SubRip and WebVTT cues, at most two readable lines at a time.

Sidecar files only; what is drawn into the picture belongs to the captions stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.transcript import Segment, Transcript, Word

LINE_CHARACTERS = 42
LINES = 2
_SHORTEST_MS = 1
_PAUSE_MS = 1500
"""A silence this long ends a cue: text would stand there unsaid."""
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]"
)


@dataclass(frozen=True, slots=True)
class SubtitleCue:
    """A piece of text with its time on the file's grid."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str | None = None


def format_srt(transcript: Transcript) -> str:
    """SubRip: numbered cues, no markup."""
    blocks = [
        f"{i}\n{_clock(c.start_ms, ',')} --> {_clock(c.end_ms, ',')}\n"
        + "\n".join(srt_line(line) for line in c.lines)
        + "\n"
        for i, c in enumerate(subtitle_cues(transcript), 1)
    ]
    return "\n".join(blocks)


def format_vtt(transcript: Transcript) -> str:
    """WebVTT: the speaker, where known, as a voice tag."""
    blocks = [
        f"{_clock(c.start_ms, '.')} --> {_clock(c.end_ms, '.')}\n"
        + _voice(c.speaker)
        + "\n".join(_vtt_escape(line) for line in c.lines)
        + "\n"
        for c in subtitle_cues(transcript)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def subtitle_cues(transcript: Transcript) -> list[SubtitleCue]:
    """Readable cues in order of time; none overlaps another or has no length."""
    cues = [cue for segment in transcript.segments for cue in _segment_cues(segment)]
    cues.sort(key=lambda c: (c.start_ms, c.end_ms))
    return list(_apart(cues))


def _apart(cues: Sequence[SubtitleCue]) -> Iterator[SubtitleCue]:
    """Cues that end where the next begins; those that begin together follow each other."""
    free_from = 0
    for i, cue in enumerate(cues):
        start = max(cue.start_ms, free_from)
        end = max(cue.end_ms, start + _SHORTEST_MS)
        if i + 1 < len(cues) and cues[i + 1].start_ms > start:
            end = min(end, cues[i + 1].start_ms)
        free_from = end
        yield replace(cue, start_ms=start, end_ms=end)


def _segment_cues(segment: Segment) -> Iterator[SubtitleCue]:
    if not segment.words:
        if segment.text.strip():
            start, end = _ms(segment.range.start_s), _ms(segment.range.end_s)
            yield SubtitleCue(start, end, _wrap(segment.text.split()), segment.speaker)
        return
    for group in _groups(segment.words):
        speaker = group[0].speaker or segment.speaker
        start, end = _ms(group[0].range.start_s), _ms(max(w.range.end_s for w in group))
        yield SubtitleCue(start, end, _wrap([w.text for w in group]), speaker)


def _groups(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words that fit two lines, follow without a long pause and come from one speaker."""
    group: list[Word] = []
    for word in words:
        if group and not _fits(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _fits(group: Sequence[Word], word: Word) -> bool:
    paused_ms = _ms(word.range.start_s) - _ms(group[-1].range.end_s)
    if paused_ms > _PAUSE_MS or word.speaker != group[-1].speaker:
        return False
    return len(_wrap([w.text for w in group] + [word.text])) <= LINES


def _wrap(words: Sequence[str]) -> tuple[str, ...]:
    """Lines of whole words; a word longer than a line gets its own."""
    lines: list[str] = []
    for word in words:
        grown = join_words((lines[-1], word)) if lines else word
        if lines and _width(grown) <= LINE_CHARACTERS:
            lines[-1] = grown
        else:
            lines.append(word)
    return tuple(lines)


def _width(line: str) -> int:
    """Columns: East Asian characters take two."""
    return len(line) + len(_WIDE.findall(line))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{ms:03d}"


def srt_line(line: str) -> str:
    """SubRip has no escapes: an arrow must not look like a time line."""
    return line.replace("-->", "→")


def _vtt_escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _voice(speaker: str | None) -> str:
    return f"<v {_vtt_escape(' '.join(speaker.split()))}>" if speaker else ""
