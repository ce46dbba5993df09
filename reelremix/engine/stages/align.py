"""Words that were given get their times from the words that were heard.

A recogniser's words have times, a subtitle file's have none. Both are the same speech, so that the
two texts are laid side by side (fewest changes, Levenshtein), and what matches takes the time at
which it was heard. Cue times are not needed for that and may be wrong by any amount. They say
where words belong that nobody heard, moved by as much as the words around them were.
"""

from __future__ import annotations

import itertools
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.spacing import split_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Segment, Transcript, Word
from reelremix.engine.stages.artifact import key_for

STAGE = "align"
VERSION = 1
SURE_RUN = 4
"""So many pieces in a row that match are no chance; ..."""
NEAR = 8
"""... fewer count within so many pieces of some that are sure, ..."""
SKEW = 3
"""... where one text has at most so many pieces more between them than the other."""
ALIKE = 3.0
"""Text that differs is laid over what was heard instead if neither is so many times as long."""
AROUND = 10
"""The cues are wrong by as much as the middle of so many words around are."""
LONG_RUN = 10
"""So many pieces in a row are what they say they are, ..."""
ASTRAY_S = 8.0
"""... fewer only if they are moved by about as much as those before them, or those behind."""
ROUGHLY_S = 2.0
"""Lines come and go within so much of what is said."""
MOSTLY = 0.9
"""Lines of which so many begin later than the one before have times that mean something."""
PACE_S = 0.075
"""Of a letter, where nothing else says how long a word takes."""
SHORTEST_S = 0.02
CROWD = 4.0
"""Lines that nobody heard are left out where they would have to be said so many times faster."""

Times = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Given words with the times at which they are heard."""

    transcript: Transcript
    heard: float
    """Share of the words that were heard as they are written."""
    left_out: int = 0
    """Lines of which nothing was heard and that have no place: behind the end, or between words
    that follow each other."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What of a word can be compared, and where in the word it lies, from 0 to 1."""

    text: str
    word: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Pieces of both texts that match one by one."""

    given: int
    heard: int
    size: int


def is_timed(transcript: Transcript) -> bool:
    """Whether every segment came with times of its words."""
    return all(segment.words for segment in transcript.segments)


def align_key(ctx: RunContext, given: Transcript, heard: ArtifactKey) -> ArtifactKey:
    """Key of given words with the times of those that are stored as `heard`."""
    return key_for(ctx, STAGE, VERSION, given=given, heard=heard.digest)


def align(given: Transcript, heard: Transcript, end_s: float) -> Alignment:
    """The given transcript with a time for every word, none of them overlapping.

    Words that have times keep them. Words that were not heard have no probability.

    Args:
        given: what is said, in order.
        heard: what a recogniser understood, with the times of words.
        end_s: length of the recording.
    """
    work = _Work(given, heard, end_s)
    work.match()
    work.place_unheard()
    segments = _with_words(given, work.sizes, work.words())
    language, chance = given.language, given.language_probability
    if language is None:
        language, chance = heard.language, heard.language_probability
    placed = replace(
        given, language=language, language_probability=chance, segments=tuple(segments)
    )
    return Alignment(placed, work.share, len(given.segments) - len(segments))


class _Work:
    """The times of given words while they are found out; NaN is not known yet."""

    def __init__(self, given: Transcript, heard: Transcript, end_s: float) -> None:
        lines = [segment.timed_words for segment in given.segments]
        self.sizes = [len(words) for words in lines]
        self._given = [word for words in lines for word in words]
        self._heard = heard.timed_words
        self._end_s = end_s
        self._is_own = np.repeat([bool(s.words) for s in given.segments], self.sizes)
        self._given_s = np.array([word.range.start_s for word in self._given])
        rises = np.diff(np.array([segment.range.start_s for segment in given.segments])) > 0
        self._in_order = bool(len(rises)) and float(rises.mean()) > MOSTLY
        self._segment = np.repeat(np.arange(len(lines)), self.sizes)
        size = len(self._given)
        self._start, self._end = np.full(size, np.nan), np.full(size, np.nan)
        self._chance: list[float | None] = [None] * size
        self._was_heard, self._is_out = np.zeros(size, bool), np.zeros(size, bool)
        self._pieces = _pieces(self._given)
        self._letters = np.array([1 + sum(map(str.isalnum, w.text)) for w in self._given], float)

    @property
    def share(self) -> float:
        """Share of the words with letters that were heard."""
        spoken = {piece.word for piece in self._pieces}
        return sum(bool(self._was_heard[n]) for n in spoken) / max(1, len(spoken))

    def match(self) -> None:
        """Give words that were heard their times, and those that were heard otherwise."""
        pieces = _pieces(self._heard)
        runs = _credible(_runs(self._pieces, pieces), len(self._pieces))
        if self._in_order:
            runs = self._agreeing(runs, pieces)
        for run in runs:
            for n in range(run.size):
                self._take(self._pieces[run.given + n], pieces[run.heard + n])
        for a, b in itertools.pairwise(runs):
            between = self._pieces[a.given + a.size : b.given]
            instead = pieces[a.heard + a.size : b.heard]
            if between and instead and self._meet(between, instead, (a, b), pieces):
                self._lay_over(between, instead)
        none = (self._end - self._start < SHORTEST_S) & ~self._was_heard
        self._start[none] = self._end[none] = np.nan
        for n in np.flatnonzero(self._is_own).tolist():
            span = self._given[n].range
            self._start[n], self._end[n] = span.start_s, span.end_s

    def _moved(self, run: _Run, pieces: Sequence[_Piece]) -> Times:
        """For each piece of a run by how much it is heard later than its line says."""
        size = range(run.size)
        heard = [self._heard[pieces[run.heard + n].word].range.start_s for n in size]
        said = [self._given_s[self._pieces[run.given + n].word] for n in size]
        moved: Times = np.array(heard) - np.array(said)
        return moved

    def _agreeing(self, runs: Sequence[_Run], pieces: Sequence[_Piece]) -> list[_Run]:
        """Without short runs that are said at another time than those before and behind: words that
        are said more than once are easily taken for each other."""
        moved = [self._moved(run, pieces) for run in runs]
        kept = []
        for n, run in enumerate(runs):
            near = [
                _joined(moved[max(0, n - AROUND) : n])[-AROUND:],
                _joined(moved[n + 1 : n + 1 + AROUND])[:AROUND],
            ]
            own = float(np.median(moved[n]))
            away = [abs(own - float(np.median(side))) for side in near if len(side)]
            if run.size >= LONG_RUN or not away or min(away) <= ASTRAY_S:
                kept.append(run)
        return kept

    def _meet(
        self,
        given: Sequence[_Piece],
        heard: Sequence[_Piece],
        around: tuple[_Run, _Run],
        pieces: Sequence[_Piece],
    ) -> bool:
        """Whether words were heard about when the lines, moved as those around, say others are."""
        if not self._in_order:
            return True
        before, after = (self._moved(run, pieces) for run in around)
        moved = float(np.median(np.concatenate([before[-AROUND:], after[:AROUND]])))
        first, last = self._given[given[0].word].range, self._given[given[-1].word].range
        start_s, end_s = first.start_s + moved - ROUGHLY_S, last.end_s + moved + ROUGHLY_S
        begun, ended = self._heard[heard[0].word].range, self._heard[heard[-1].word].range
        return start_s <= begun.start_s and ended.end_s <= end_s

    def _take(self, piece: _Piece, found: _Piece) -> None:
        """What a piece was heard as says when its word begins, or ends."""
        word = self._heard[found.word]
        begin_s, length_s = word.range.start_s, word.range.duration_s
        n = piece.word
        self._was_heard[n] = True
        self._chance[n] = _least(self._chance[n], word.probability)
        if piece.start == 0:
            self._start[n] = begin_s + found.start * length_s
        if piece.end == 1:
            self._end[n] = begin_s + found.end * length_s

    def _lay_over(self, given: Sequence[_Piece], heard: Sequence[_Piece]) -> None:
        """Lay words over others that were heard in their place, letter by letter."""
        ours, theirs = "".join(p.text for p in given), "".join(p.text for p in heard)
        if not 1 / ALIKE <= len(ours) / len(theirs) <= ALIKE:
            return
        edges, moments = self._moments(ours, theirs, heard)
        at = 0
        for piece in given:
            first, at = at, at + len(piece.text)
            start_s, end_s = np.interp([first, at], edges, moments)
            n = piece.word
            if piece.start == 0 and np.isnan(self._start[n]):
                self._start[n] = start_s
            if piece.end == 1 and np.isnan(self._end[n]):
                self._end[n] = end_s

    def _moments(self, ours: str, theirs: str, heard: Sequence[_Piece]) -> tuple[Times, Times]:
        """Places between our letters, and when they are heard."""
        from rapidfuzz.distance import Levenshtein

        known = list(itertools.chain.from_iterable(self._letter_starts(p) for p in heard))
        last = self._heard[heard[-1].word].range
        known.append(last.start_s + heard[-1].end * last.duration_s)
        places = [(0, 0), (len(ours), len(theirs))]
        for change in Levenshtein.opcodes(ours, theirs):
            places += [(change.src_start, change.dest_start), (change.src_end, change.dest_end)]
        places.sort()
        edges = np.array([ours_at for ours_at, _ in places], float)
        moments = np.array([known[theirs_at] for _, theirs_at in places])
        return edges, np.maximum.accumulate(moments)

    def _letter_starts(self, piece: _Piece) -> Iterator[float]:
        span = self._heard[piece.word].range
        for n in range(len(piece.text)):
            share = piece.start + (piece.end - piece.start) * n / len(piece.text)
            yield span.start_s + share * span.duration_s

    def place_unheard(self) -> None:
        """Give the other words a place between those that have one."""
        self._complete()
        known = ~np.isnan(self._start)
        moved = _middle_of(self._start[known] - self._given_s[known])
        anchors = np.flatnonzero(known)
        for first, stop in _stretches(~known):
            self._place(first, stop, _expected(self._given_s, anchors, moved, first, stop))

    def _complete(self) -> None:
        """A word of which one end is known has the other by its letters."""
        length = self._letters * PACE_S
        for n in range(len(self._start)):
            if np.isnan(self._start[n]) and not np.isnan(self._end[n]):
                self._start[n] = max(0.0, self._end[n] - length[n])
            elif np.isnan(self._end[n]) and not np.isnan(self._start[n]):
                self._end[n] = self._start[n] + length[n]

    def _place(self, first: int, stop: int, expected: Times) -> None:
        """Line by line where the cues say, as far as there is room; else in what room there is."""
        lines = self._segment[first:stop]
        for line in np.unique(lines):
            words = first + np.flatnonzero(lines == line)
            own = expected[words - first] if len(expected) else expected
            if len(own):
                words = self._drop(words, (own < 0) | (own >= self._end_s))
            if len(words):
                self._place_line(words, own if len(own) == len(words) else own[:0], stop)

    def _place_line(self, words: npt.NDArray[np.intp], expected: Times, stop: int) -> None:
        low, high = self._room(int(words[0]), stop)
        if len(expected) and (np.diff(expected) > 0).all():
            ends = np.append(expected[1:], expected[-1] + self._letters[words[-1]] * PACE_S)
            begin, end = max(low, float(expected[0])), min(high, float(ends[-1]))
            if end - begin >= (ends[-1] - expected[0]) / ALIKE:
                share = (end - begin) / (ends[-1] - expected[0])
                self._start[words] = begin + (expected - expected[0]) * share
                self._end[words] = begin + (ends - expected[0]) * share
                return
        if self._letters[words].sum() * PACE_S > CROWD * (high - low):
            words = self._drop(words, np.ones(len(words), bool))
        if len(words):
            self._spread(words, low, high)

    def _drop(
        self, words: npt.NDArray[np.intp], wanted: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.intp]:
        """Leave lines out of which nothing is known and every word is wanted away."""
        lines = self._segment[words]
        kept = set(lines[~wanted].tolist()) | set(self._segment[~np.isnan(self._start)].tolist())
        out = ~np.isin(lines, list(kept))
        self._is_out[words[out]] = True
        return words[~out]

    def _room(self, first: int, stop: int) -> tuple[float, float]:
        """From the end of the word before to the start of the next one that was heard."""
        low = float(np.nanmax(self._end[:first], initial=0.0))
        high = float(self._start[stop]) if stop < len(self._start) else self._end_s
        least = SHORTEST_S * (stop - first)
        if high - low < least and first and not self._is_own[first - 1]:
            half = float(self._start[first - 1] + self._end[first - 1]) / 2
            low = min(low, max(half, high - least))
            self._end[first - 1] = low
        return low, max(low, high)

    def _spread(self, words: npt.NDArray[np.intp], low: float, high: float) -> None:
        """Side by side by their letters, beside the words of the line they belong to."""
        first, letters = int(words[0]), self._letters[words]
        length = min(high - low, float(letters.sum()) * PACE_S)
        last = int(words[-1]) + 1
        precedes = last < len(self._start) and self._segment[last] == self._segment[first]
        begin = high - length if precedes else low
        edges = begin + np.concatenate([[0.0], np.cumsum(letters)]) / letters.sum() * length
        self._start[words], self._end[words] = edges[:-1], edges[1:]

    def words(self) -> Iterator[Word | None]:
        """The words in order, none before the one before it ends; None for those left out."""
        known = ~self._is_out
        own = np.where(self._is_own[known], self._start[known], np.inf)
        latest = np.minimum.accumulate(own[::-1])[::-1]
        starts = np.clip(np.minimum(self._start[known], latest), 0.0, self._end_s)
        starts = np.maximum.accumulate(starts)
        ends = np.maximum(np.clip(self._end[known], 0.0, self._end_s), starts)
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
        spans = iter(zip(starts.tolist(), ends.tolist(), strict=True))
        for n, word in enumerate(self._given):
            if self._is_out[n]:
                yield None
                continue
            times = TimeRange.from_seconds(*next(spans))
            is_own = self._is_own[n]
            yield word if is_own else replace(word, range=times, probability=self._chance[n])


def _pieces(words: Sequence[Word]) -> list[_Piece]:
    return [piece for n, word in enumerate(words) for piece in _pieces_of(word.text, n)]


def _pieces_of(text: str, number: int) -> Iterator[_Piece]:
    """The parts of a word between hyphens, in bare small letters."""
    parts = [part for token in split_words(text) for part in _bare(token)]
    letters, done = sum(map(len, parts)), 0
    for part in parts:
        first, done = done, done + len(part)
        yield _Piece(part, number, first / letters, done / letters)


def _bare(token: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", token).casefold().replace("'", "").replace("’", "")
    kinds = (unicodedata.category(c)[0] for c in plain)
    kept = "".join(
        c if kind in "LN" else "" if kind == "M" else " "
        for c, kind in zip(plain, kinds, strict=True)
    )
    return kept.split()


def _runs(given: Sequence[_Piece], heard: Sequence[_Piece]) -> list[_Run]:
    from rapidfuzz.distance import Levenshtein

    changes = Levenshtein.opcodes([p.text for p in given], [p.text for p in heard])
    return [
        _Run(change.src_start, change.dest_start, change.src_end - change.src_start)
        for change in changes
        if change.tag == "equal"
    ]


def _credible(runs: Sequence[_Run], pieces: int) -> list[_Run]:
    """Long runs, and short ones near them: a stray `of the` matches in any two texts."""
    sure = [run.size >= min(SURE_RUN, pieces) for run in runs]
    forward = range(1, len(runs))
    for at, before in itertools.chain(
        ((n, n - 1) for n in forward), ((n - 1, n) for n in reversed(forward))
    ):
        first, second = sorted((at, before))
        sure[at] = sure[at] or (sure[before] and _is_near(runs[first], runs[second]))
    return [run for run, is_sure in zip(runs, sure, strict=True) if is_sure]


def _is_near(a: _Run, b: _Run) -> bool:
    given, heard = b.given - a.given - a.size, b.heard - a.heard - a.size
    return max(given, heard) <= NEAR and abs(given - heard) <= SKEW


def _joined(parts: Sequence[Times]) -> Times:
    joined: Times = np.concatenate([*parts, np.zeros(0)])
    return joined


def _middle_of(moved: Times) -> Times:
    """For every value the median of those around it."""
    half = AROUND // 2
    return np.array([np.median(moved[max(0, n - half) : n + half + 1]) for n in range(len(moved))])


def _expected(
    given_s: Times, anchors: npt.NDArray[np.intp], moved: Times, first: int, stop: int
) -> Times:
    """When words would be said by their cues, which are moved as those of known words were."""
    if not len(anchors):
        return np.zeros(0)
    at = bisect_left(anchors.tolist(), first)
    near = [n for n in (at - 1, at) if 0 <= n < len(anchors)]
    return np.asarray(
        given_s[first:stop]
        + np.interp(given_s[first:stop], np.sort(given_s[anchors[near]]), moved[near])
    )


def _stretches(wanted: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(int)))
    yield from ((int(first), int(stop)) for first, stop in edges.reshape(-1, 2))


def _least(a: float | None, b: float | None) -> float | None:
    known = [value for value in (a, b) if value is not None]
    return min(known, default=None)


def _with_words(
    given: Transcript, sizes: Sequence[int], words: Iterator[Word | None]
) -> list[Segment]:
    """The segments with their words, those that have no place left out."""
    kept = []
    for segment, size in zip(given.segments, sizes, strict=True):
        own = [w for w in itertools.islice(words, size) if w is not None]
        if segment.words:
            kept.append(segment)
        elif own:
            span = TimeRange(own[0].range.start, own[-1].range.end)
            kept.append(replace(segment, range=span, words=tuple(own)))
    return kept
