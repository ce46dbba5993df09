"""Who says which word: the turns of a recording laid over its transcript."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.speech_turn import Diarization, SpeechTurn
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word

NEAR_S = 1.0
"""A word outside all turns belongs to one that is no further away; times of words are not exact."""
STRAY = 1
"""So many words amid another speaker's are put down to inexact times."""
PAUSE_S = 0.5
"""A word with longer silence before and after it is an answer, not a stray."""
SHIFT = 2
"""A change of speaker so many words from the end of a sentence is moved there."""
SENTENCE_END = (".", "?", "!", "…", "。", "？", "！", "।", "؟")
CLOSING = "\"'”’»)]」』"


def assign_speakers(transcript: Transcript, diarization: Diarization) -> Transcript:
    """The transcript with a speaker on every word and segment that lies in or near a turn.

    A segment in which the speaker changes is parted there, each part keeping its `extra`. Where
    several speak at once, a word belongs to whoever speaks for most of it. A segment without word
    times gets whoever speaks for most of it. A transcript that names speakers itself, be it once,
    comes back as it is.
    """
    if names_speakers(transcript) or not diarization.turns:
        return transcript
    floor = _Floor(diarization.turns)
    words = [word for segment in transcript.segments for word in segment.words]
    heard = itertools.chain.from_iterable(
        _filled([floor.holder(word.range) for word in segment.words])
        for segment in transcript.segments
    )
    speakers = iter(_at_sentence_ends(_without_strays(list(heard), words), words))
    segments = itertools.chain.from_iterable(
        _parted(segment, list(itertools.islice(speakers, len(segment.words))))
        if segment.words
        else [replace(segment, speaker=floor.holder(segment.range))]
        for segment in transcript.segments
    )
    return replace(transcript, segments=tuple(segments))


def names_speakers(transcript: Transcript) -> bool:
    """Whether a transcript says of anything who says it."""
    names = itertools.chain.from_iterable(
        (segment.speaker, *(word.speaker for word in segment.words))
        for segment in transcript.segments
    )
    return any(name is not None for name in names)


def _parted(segment: Segment, speakers: Sequence[str | None]) -> Iterator[Segment]:
    """A segment for every run of words of one speaker."""
    words = [replace(w, speaker=s) for w, s in zip(segment.words, speakers, strict=True)]
    runs = [tuple(run) for _, run in itertools.groupby(words, key=lambda word: word.speaker)]
    if len(runs) == 1:
        yield replace(segment, words=runs[0], speaker=words[0].speaker)
        return
    for run in runs:
        start = segment.range.start if run is runs[0] else run[0].range.start
        end = segment.range.end if run is runs[-1] else run[-1].range.end
        yield replace(
            segment,
            range=TimeRange(start, max(start, end)),
            text=join_words(word.text for word in run),
            words=run,
            speaker=run[0].speaker,
        )


def _filled(speakers: Sequence[str | None]) -> list[str | None]:
    """Words far from any turn given to whoever spoke before them in the segment, or else after."""
    filled: list[str | None] = []
    last = next((name for name in speakers if name is not None), None)
    for name in speakers:
        last = name if name is not None else last
        filled.append(last)
    return filled


def _without_strays(speakers: Sequence[str | None], words: Sequence[Word]) -> list[str | None]:
    """Runs of at most `STRAY` words amid those of one other speaker given to that one.

    What stands by itself, with a pause on both sides, is no stray.
    """
    smooth: list[str | None] = []
    before: str | None = None
    for name, run in itertools.groupby(range(len(words)), key=speakers.__getitem__):
        first, *more = run
        end = first + 1 + len(more)
        is_amid = first > 0 and end < len(words) and before == speakers[end]
        if is_amid and end - first <= STRAY and not _stands_alone(words, first, end):
            name = before
        smooth += [name] * (end - first)
        before = name
    return smooth


def _stands_alone(words: Sequence[Word], first: int, end: int) -> bool:
    gap_before = words[first].range.start_s - words[first - 1].range.end_s
    gap_after = words[end].range.start_s - words[end - 1].range.end_s
    return min(gap_before, gap_after) >= PAUSE_S


def _at_sentence_ends(speakers: list[str | None], words: Sequence[Word]) -> list[str | None]:
    """Changes of speaker moved to where a sentence ends, if that is near."""
    moved = list(speakers)
    changes = [i for i in range(1, len(words)) if speakers[i] != speakers[i - 1]]
    for number, change in enumerate(changes):
        before, after = speakers[change - 1], speakers[change]
        low = changes[number - 1] if number else 0
        high = changes[number + 1] if number + 1 < len(changes) else len(words)
        near = range(max(low + 1, change - SHIFT), min(high - 1, change + SHIFT) + 1)
        ends = [i for i in near if _ends_sentence(words[i - 1])]
        if not ends:
            continue
        place = min(ends, key=lambda i: abs(i - change))
        moved[place:change] = [after] * (change - place)
        moved[change:place] = [before] * (place - change)
    return moved


def _ends_sentence(word: Word) -> bool:
    return word.text.rstrip(CLOSING).endswith(SENTENCE_END)


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: float
    end: float
    speaker: str


class _Floor:
    """Turns, quickly found by time."""

    def __init__(self, turns: Sequence[SpeechTurn]) -> None:
        self._turns = sorted(
            (_Stretch(t.range.start_s, t.range.end_s, t.speaker) for t in turns),
            key=lambda stretch: stretch.start,
        )
        self._starts = [stretch.start for stretch in self._turns]
        self._latest_ends = list(itertools.accumulate((s.end for s in self._turns), max))

    def holder(self, span: TimeRange) -> str | None:
        """Who speaks for most of a range, whose ends may be the wrong way round, or nearest it."""
        start, end = sorted((span.start_s, span.end_s))
        first = bisect.bisect_left(self._latest_ends, start - NEAR_S)
        last = bisect.bisect_right(self._starts, end + NEAR_S)
        shares: dict[str, float] = {}
        nearest: tuple[float, str] | None = None
        for turn in self._turns[first:last]:
            shared = min(end, turn.end) - max(start, turn.start)
            if shared > 0:
                shares[turn.speaker] = shares.get(turn.speaker, 0.0) + shared
            elif -shared <= NEAR_S and (nearest is None or -shared < nearest[0]):
                nearest = (-shared, turn.speaker)
        if shares:
            return max(shares, key=lambda name: shares[name])
        return nearest[1] if nearest else None
