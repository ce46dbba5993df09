"""Sidecar subtitles of a clip as SubRip and WebVTT; `ass` writes the third kind.

Letters keep their case, since players style text themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.spacing import needs_space
from reelremix.engine.export.ass import subtitles_ass
from reelremix.engine.export.said import Said, Subtitle, subtitles_of
from reelremix.engine.export.transcript_cues import srt_line


def subtitles_srt(clip: Clip) -> str:
    """The clip's cues as SubRip; empty when nothing is said."""
    blocks = [
        f"{number}\n{_clock(s.start_ms, ',')} --> {_clock(s.end_ms, ',')}\n"
        + "\n".join(srt_line(text) for text in s.texts)
        for number, s in enumerate(subtitles_of(clip), start=1)
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def subtitles_vtt(clip: Clip) -> str:
    """The clip's cues as WebVTT, with a tag for each voice and a time for each word."""
    blocks = [
        f"{_clock(s.start_ms, '.')} --> {_clock(s.end_ms, '.')}\n{_voice(s)}{_spoken(s)}"
        for s in subtitles_of(clip)
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


WRITERS: dict[str, Callable[[Clip], str]] = {
    "srt": subtitles_srt,
    "vtt": subtitles_vtt,
    "ass": subtitles_ass,
}
"""Kind of file, which is its suffix, to who writes it."""


def _voice(subtitle: Subtitle) -> str:
    return f"<v {_escaped(subtitle.speaker)}>" if subtitle.speaker is not None else ""


def _spoken(subtitle: Subtitle) -> str:
    """Its words, each but the first with the time from which it is said, where that is later."""
    reached = subtitle.start_ms
    lines = []
    for line in subtitle.lines:
        text = ""
        for before, word in zip((None, *line), line, strict=False):
            text += " " if before is not None and needs_space(before.text, word.text) else ""
            text += _stamp(word, reached, subtitle.end_ms) + _escaped(word.text)
            reached = max(reached, word.start_ms)
        lines.append(text)
    return "\n".join(lines)


def _stamp(word: Said, reached: int, end_ms: int) -> str:
    """The times in a cue must rise and lie inside it."""
    return f"<{_clock(word.start_ms, '.')}>" if reached < word.start_ms < end_ms else ""


def _clock(milliseconds: int, point: str) -> str:
    seconds, ms = divmod(milliseconds, 1000)
    minutes, s = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{s:02d}{point}{ms:03d}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
