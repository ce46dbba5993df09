"""Sidecar subtitles of a clip, on the clock of the rendered file.

Cues and lines are those burned into the picture; letters keep their case, since players style text
themselves. Without captions the words are grouped here, by length and pauses alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import neighbouring, on_film
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

MAX_LINE_CHARS = 42
PAUSE_S = Fraction(6, 10)
LONGEST_S = Fraction(6)


@dataclass(frozen=True, slots=True)
class _Subtitle:
    """Text between two moments of the output, in milliseconds."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def subtitles_srt(clip: Clip) -> str:
    """The clip's cues as SubRip; empty when nothing is said."""
    blocks = [
        f"{number}\n{_clock(s.start_ms, ',')} --> {_clock(s.end_ms, ',')}\n" + "\n".join(s.lines)
        for number, s in enumerate(_subtitles(clip), start=1)
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def subtitles_vtt(clip: Clip) -> str:
    """The clip's cues as WebVTT."""
    blocks = [
        f"{_clock(s.start_ms, '.')} --> {_clock(s.end_ms, '.')}\n"
        + "\n".join(_escaped(line) for line in s.lines)
        for s in _subtitles(clip)
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def _subtitles(clip: Clip) -> Iterator[_Subtitle]:
    """What is shown, on the output clock; what falls outside the kept ranges is left out."""
    for time, lines in _timed_lines(clip):
        mapped = _on_output(time, clip.ranges)
        if mapped is None:
            continue
        start_ms, end_ms = round(mapped[0] * 1000), round(mapped[1] * 1000)
        yield _Subtitle(start_ms, max(end_ms, start_ms + 1), lines)


def _timed_lines(clip: Clip) -> Iterator[tuple[TimeRange, tuple[str, ...]]]:
    if clip.captions is None:
        yield from _grouped(clip)
        return
    for cue in clip.captions.cues:
        yield cue.range, tuple(join_words(clip.words[i].text for i in line) for line in cue.lines)


def _on_output(time: TimeRange, ranges: Sequence[TimeRange]) -> tuple[Fraction, Fraction] | None:
    """Start and end on the output clock, in the piece of it that holds most of `time`."""
    return max(on_film(time, ranges), key=lambda piece: piece[1] - piece[0], default=None)


def _grouped(clip: Clip) -> Iterator[tuple[TimeRange, tuple[str, ...]]]:
    for near in neighbouring(clip.ranges):
        run = [clip.ranges[n] for n in near]
        groups = _groups([w for kept in run for w in clip.words if _is_heard(w.range, kept)])
        for index, group in enumerate(groups):
            start = max(group[0].range.start, run[0].start)
            following = groups[index + 1][0].range.start if index + 1 < len(groups) else run[-1].end
            end = min(max(w.range.end for w in group), following)
            yield TimeRange(start, max(start, end)), _lines([w.text for w in group])


def _is_heard(word: TimeRange, kept: TimeRange) -> bool:
    """Whether the middle of a word is kept."""
    middle = (word.start.exact + word.end.exact) / 2
    return kept.start.exact <= middle < kept.end.exact


def _groups(words: Sequence[Word]) -> list[list[Word]]:
    groups: list[list[Word]] = []
    for word in words:
        if groups and _belongs(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _belongs(group: Sequence[Word], word: Word) -> bool:
    lines = _lines([*(w.text for w in group), word.text])
    pause = word.range.start.exact - group[-1].range.end.exact
    length = word.range.end.exact - group[0].range.start.exact
    ends = group[-1].text.rstrip("\"'”’»)")[-1:] in tuple(".!?…。！？؟।")
    is_short = length <= LONGEST_S and max(map(len, lines)) <= MAX_LINE_CHARS
    return not ends and pause <= PAUSE_S and is_short


def _lines(texts: Sequence[str]) -> tuple[str, ...]:
    """One line, or two of about the same length."""
    text = join_words(texts)
    if len(text) <= MAX_LINE_CHARS or len(texts) == 1:
        return (text,)
    splits = [(join_words(texts[:i]), join_words(texts[i:])) for i in range(1, len(texts))]
    return min(splits, key=lambda lines: max(map(len, lines)))


def _clock(milliseconds: int, point: str) -> str:
    seconds, ms = divmod(milliseconds, 1000)
    minutes, s = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{s:02d}{point}{ms:03d}"


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
