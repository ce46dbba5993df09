"""What a clip's subtitles say and when, on the clock of the rendered file.

Cues and lines are those burned into the picture. Without captions the words are grouped here, by
length and pauses alone. How it is written down is `subtitles`' and `ass`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from reelremix.engine.domain.caption import Cue
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.kept import film_moment, is_heard, neighbouring, on_film
from reelremix.engine.domain.spacing import join_words, visible
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word

MAX_LINE_CHARS = 42
PAUSE_S = Fraction(6, 10)
LONGEST_S = Fraction(6)


@dataclass(frozen=True, slots=True)
class Said:
    """A word of a subtitle and when it is heard, in milliseconds of the output."""

    text: str
    start_ms: int
    end_ms: int
    is_stressed: bool = False


@dataclass(frozen=True, slots=True)
class Subtitle:
    """Lines of words between two moments of the output, in milliseconds."""

    start_ms: int
    end_ms: int
    lines: tuple[tuple[Said, ...], ...]
    speaker: str | None = None
    """Who says it; None where that is not known or one person speaks throughout."""
    cue: Cue | None = None
    """What is drawn; None without captions."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Its lines as running text."""
        return tuple(join_words(word.text for word in line) for line in self.lines)


def subtitles_of(clip: Clip) -> Iterator[Subtitle]:
    """What is shown, on the output clock; what falls outside the kept ranges is left out."""
    voices = {word.speaker for word in clip.words}
    intro = clip.film.clip_begins
    for time, lines, cue in _timed_lines(clip):
        mapped = _on_output(time, clip.ranges)
        if mapped is None:
            continue
        start, end = (intro + moment for moment in mapped)
        start_ms, end_ms = round(start * 1000), max(round(end * 1000), round(start * 1000) + 1)
        stressed = {clip.words[i] for i in cue.keywords} if cue is not None else set()
        said = tuple(
            tuple(
                replace(_said(word, clip, start_ms, end_ms), is_stressed=word in stressed)
                for word in line
                if visible(word.text)
            )
            for line in lines
        )
        speaker = lines[0][0].speaker if len(voices) > 1 else None
        yield Subtitle(start_ms, end_ms, said, speaker, cue)


def _said(word: Word, clip: Clip, start_ms: int, end_ms: int) -> Said:
    """The word with its time inside that of its subtitle."""
    intro, ranges = clip.film.clip_begins, clip.ranges
    pieces = on_film(word.range, ranges) or [(film_moment(word.range.start, ranges),) * 2]
    begins, ends = (
        min(max(round((intro + moment) * 1000), start_ms), end_ms)
        for moment in (pieces[0][0], pieces[-1][1])
    )
    return Said(visible(word.text), begins, max(begins, ends))


def _timed_lines(
    clip: Clip,
) -> Iterator[tuple[TimeRange, tuple[tuple[Word, ...], ...], Cue | None]]:
    if clip.captions is None:
        for time, grouped in _grouped(clip):
            yield time, grouped, None
        return
    for cue in clip.captions.cues:
        yield cue.range, tuple(tuple(clip.words[i] for i in line) for line in cue.lines), cue


def _on_output(time: TimeRange, ranges: Sequence[TimeRange]) -> tuple[Fraction, Fraction] | None:
    """Start and end on the output clock, in the piece of it that holds most of `time`."""
    return max(on_film(time, ranges), key=lambda piece: piece[1] - piece[0], default=None)


def _grouped(clip: Clip) -> Iterator[tuple[TimeRange, tuple[tuple[Word, ...], ...]]]:
    said = [word for word in clip.words if visible(word.text)]
    for near in neighbouring(clip.ranges):
        run = [clip.ranges[n] for n in near]
        groups = _groups([w for kept in run for w in said if is_heard(w.range, kept)])
        for index, group in enumerate(groups):
            start = max(group[0].range.start, run[0].start)
            following = groups[index + 1][0].range.start if index + 1 < len(groups) else run[-1].end
            end = min(max(w.range.end for w in group), following)
            yield TimeRange(start, max(start, end)), _lines(group)


def _groups(words: Sequence[Word]) -> list[list[Word]]:
    groups: list[list[Word]] = []
    for word in words:
        if groups and _belongs(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _belongs(group: Sequence[Word], word: Word) -> bool:
    pause = word.range.start.exact - group[-1].range.end.exact
    length = word.range.end.exact - group[0].range.start.exact
    ends = group[-1].text.rstrip("\"'”’»)")[-1:] in tuple(".!?…。！？؟।")
    changes = None not in (group[-1].speaker, word.speaker) and group[-1].speaker != word.speaker
    if ends or changes or pause > PAUSE_S or length > LONGEST_S:
        return False
    return max(_length(line) for line in _lines([*group, word])) <= MAX_LINE_CHARS


def _lines(words: Sequence[Word]) -> tuple[tuple[Word, ...], ...]:
    """One line, or two of about the same length."""
    if _length(words) <= MAX_LINE_CHARS or len(words) == 1:
        return (tuple(words),)
    splits = [(tuple(words[:i]), tuple(words[i:])) for i in range(1, len(words))]
    return min(splits, key=lambda lines: max(map(_length, lines)))


def _length(words: Sequence[Word]) -> int:
    return len(join_words(visible(word.text) for word in words))
