"""Cuts inside a clip: fillers, false starts and long silences go, what is said stays.

Decides alone: words and loudness in, kept ranges and the list of cuts out. Cuts lie on frame
boundaries of the source, as near to the quietest places as those allow; `media.joints` then moves
the sound's own join to where it is not heard.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from reelremix.engine.domain.choice import Tighten
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.tightening import FALSE_START, FILLER, SILENCE, Removal, Tightened
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import SoundEvent, Word
from reelremix.engine.stages.fillers import Group, removable, small_words
from reelremix.engine.stages.mend import mended
from reelremix.engine.stages.quiet import Loudness

SHORTEST_KEPT_S = 0.25
"""Between two cuts: more of them would rattle."""
MOST_REMOVED = 0.4
"""Share of a clip."""
SHORTEST_CUT_S = 0.08
SLACK_S = 0.08
"""Word times are this inexact: a cut may lie so far inside a neighbouring word."""
TAIL = 0.55
"""Share of what is left of a silence that stays before the cut: words die away slower than they
begin."""
BREATH_S = 0.04
"""Of silence that stays on either side where there is any."""
NOT_SILENCE = frozenset(("laughter", "applause", "cheering", "music"))


@dataclass(frozen=True, slots=True)
class _Rules:
    """What a level allows."""

    longest_s: float
    """Silences up to this long stay."""
    left_s: float
    """Longer ones are shortened to this."""
    under_speech_db: float
    """A word is cut out of running speech where the sound drops this far."""


_RULES = {Tighten.LIGHT: _Rules(0.9, 0.35, 14.0), Tighten.STRONG: _Rules(0.45, 0.2, 9.0)}


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is known of the stretch a clip is made of."""

    span: TimeRange
    """On frame boundaries of the source."""
    words: tuple[Word, ...]
    """Those heard in it."""
    loudness: Loudness
    events: tuple[SoundEvent, ...] = ()
    language: str | None = None
    hesitations: tuple[TimeRange, ...] = ()
    """Fillers that no word stands for."""


@dataclass(frozen=True, slots=True)
class Tight:
    """A clip's kept ranges and words, and what became of the rest."""

    ranges: tuple[TimeRange, ...]
    words: tuple[Word, ...]
    tightened: Tightened | None
    """None where nothing was to be cut out."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """A stretch that could go, in seconds of the source."""

    start_s: float
    end_s: float
    groups: tuple[Group, ...] = ()
    """Of the words that go with it; none for a silence."""
    hesitates: bool = False
    """Whether a filler goes with it that no word stands for."""

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    @property
    def worth(self) -> tuple[bool, float]:
        """What is kept when not everything fits: words before silences, long before short."""
        return self.says, self.length_s

    @property
    def says(self) -> bool:
        """Whether more than silence goes."""
        return bool(self.groups) or self.hesitates


def tighten(stretch: Stretch, level: Tighten, snap: Callable[[Timestamp], Timestamp]) -> Tight:
    """Shorten a stretch; `snap` gives the frame boundary nearest to a moment."""
    rules = _RULES[level]
    groups = removable(stretch.words, stretch.language, level)
    found = [
        *_words_cut(stretch, groups, rules),
        *_hesitations_cut(stretch, rules),
        *_silences_cut(stretch, rules),
    ]
    cuts = _affordable(_apart(found, stretch), stretch.span.duration_s)
    spans = _on_frames(cuts, stretch.span, snap)
    kept = _between([span for span, _ in spans], stretch.span)
    gone = {i for _, cut in spans for g in cut.groups for i in range(g.first, g.last + 1)}
    removed = tuple(_removal(span, cut, stretch.words) for span, cut in spans)
    words = mended(stretch.words, gone, small_words(stretch.language))
    return Tight(kept, words, Tightened(level, removed))


def _words_cut(stretch: Stretch, groups: Sequence[Group], rules: _Rules) -> Iterator[_Cut]:
    """Where words are cut out; those that run into their neighbours stay."""
    limit_db = stretch.loudness.speech_db() - rules.under_speech_db
    silences = stretch.loudness.silences()
    for group in groups:
        if _overlaps_event(*_times(group, stretch.words), stretch.events):
            continue
        start, end = _edges(group, stretch, silences, rules.left_s)
        loudest = max(stretch.loudness.at(start), stretch.loudness.at(end))
        if end - start >= SHORTEST_CUT_S and loudest <= limit_db:
            yield _Cut(start, end, (group,))


def _hesitations_cut(stretch: Stretch, rules: _Rules) -> Iterator[_Cut]:
    """Fillers that no word stands for, with the silences around them down to a short pause."""
    silences = stretch.loudness.silences()
    for span in stretch.hesitations:
        start, end = span.start_s, span.end_s
        around = _around(silences, start - SLACK_S, end + SLACK_S)
        before = next((start - a for a, b in around if abs(b - start) < SLACK_S), 0.0)
        behind = next((b - end for a, b in around if abs(a - end) < SLACK_S), 0.0)
        pause = min(rules.left_s, before + behind)
        left = start - before + min(before, max(BREATH_S, TAIL * pause))
        right = end + behind - min(behind, max(BREATH_S, (1 - TAIL) * pause))
        if not _overlaps_event(start, end, stretch.events):
            yield _Cut(left, right, hesitates=True)


def _times(group: Group, words: Sequence[Word]) -> tuple[float, float]:
    inside = words[group.first : group.last + 1]
    return inside[0].range.start_s, max(word.range.end_s for word in inside)


def _edges(
    group: Group, stretch: Stretch, silences: Sequence[tuple[float, float]], left_s: float
) -> tuple[float, float]:
    """Where the cut begins and ends: in the silences around the words, as far as there are any."""
    begin, end = _times(group, stretch.words)
    lowest, highest = _room(group, stretch)
    low = lowest, min(begin + SLACK_S, (begin + end) / 2)
    high = max(end - SLACK_S, (begin + end) / 2), highest
    around = _around(silences, lowest, highest)
    before = _longest_within([(max(a, low[0]), min(b, low[1])) for a, b in around])
    behind = _longest_within([(max(a, high[0]), min(b, high[1])) for a, b in around])
    pause = min(left_s, sum(b - a for a, b in (before, behind)))
    start = _quietest(stretch.loudness, low, begin)
    if before[1] > before[0]:
        start = before[0] + min(before[1] - before[0], max(BREATH_S, TAIL * pause))
    stop = _quietest(stretch.loudness, high, end)
    if behind[1] > behind[0]:
        stop = behind[1] - min(behind[1] - behind[0], max(BREATH_S, (1 - TAIL) * pause))
    if group.first == 0 and begin - stretch.span.start_s < SHORTEST_KEPT_S:
        start = stretch.span.start_s
    if group.last + 1 == len(stretch.words) and stretch.span.end_s - end < SHORTEST_KEPT_S:
        stop = stretch.span.end_s
    return start, stop


def _room(group: Group, stretch: Stretch) -> tuple[float, float]:
    """How far a cut may reach: a little into the neighbouring words, never to their middle."""
    lowest, highest = stretch.span.start_s, stretch.span.end_s
    if group.first > 0:
        before = stretch.words[group.first - 1].range
        lowest = max(lowest, before.end_s - SLACK_S, (before.start_s + before.end_s) / 2)
    if group.last + 1 < len(stretch.words):
        after = stretch.words[group.last + 1].range
        highest = min(highest, after.start_s + SLACK_S, (after.start_s + after.end_s) / 2)
    return lowest, highest


def _quietest(loudness: Loudness, room: tuple[float, float], expected_s: float) -> float:
    low, high = max(room[0], expected_s - SLACK_S), min(room[1], expected_s + SLACK_S)
    return loudness.quietest_s(low, high) if low < high else expected_s


def _around(
    silences: Sequence[tuple[float, float]], low_s: float, high_s: float
) -> Sequence[tuple[float, float]]:
    """The silences in a stretch and the nearest on either side of it."""
    first = bisect_left(silences, low_s, key=itemgetter(1))
    last = bisect_right(silences, high_s, key=itemgetter(0))
    return silences[max(0, first - 1) : last + 1]


def _longest_within(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return max(spans, key=lambda span: span[1] - span[0], default=(0.0, 0.0))


def _silences_cut(stretch: Stretch, rules: _Rules) -> Iterator[_Cut]:
    """The middles of long silences."""
    words = sorted(stretch.words, key=_middle)
    for start, end in stretch.loudness.silences():
        first, last = (bisect_left(words, moment, key=_middle) for moment in (start, end))
        for low, high in _without_words(start, end, words[first:last]):
            if high - low <= rules.longest_s or _overlaps_event(low, high, stretch.events):
                continue
            before, behind = TAIL * rules.left_s, (1 - TAIL) * rules.left_s
            if low <= stretch.span.start_s:
                before = 0.0
            if high >= stretch.span.end_s - SHORTEST_KEPT_S / 10:
                behind = 0.0
            yield _Cut(low + before, high - behind)


def _without_words(
    start: float, end: float, words: Sequence[Word]
) -> Iterator[tuple[float, float]]:
    """A silence without the words that lie in it, however quietly they are said."""
    for word in words:
        if start < _middle(word) < end:
            yield start, max(start, word.range.start_s - SLACK_S)
            start = min(end, word.range.end_s + SLACK_S)
    yield start, end


def _overlaps_event(start: float, end: float, events: Sequence[SoundEvent]) -> bool:
    return any(
        event.kind in NOT_SILENCE and event.range.start_s < end and start < event.range.end_s
        for event in events
    )


def _apart(cuts: Sequence[_Cut], stretch: Stretch) -> list[_Cut]:
    """The cuts in order, joined where they overlap or nothing is said between them, and the lesser
    of two left out where what is between them would be too short."""
    middles = _middles(cuts, stretch.words)
    ordered: list[_Cut] = []
    for cut in sorted(cuts, key=lambda c: c.start_s):
        while ordered and cut.start_s - ordered[-1].end_s < SHORTEST_KEPT_S:
            before = ordered[-1]
            following = bisect_right(middles, before.end_s)
            if following < len(middles) and middles[following] < cut.start_s:
                if cut.worth <= before.worth:
                    break
                ordered.pop()
                continue
            cut = _merged(ordered.pop(), cut)
        else:
            ordered.append(cut)
    return _off_the_ends(ordered, middles, stretch.span)


def _middles(cuts: Sequence[_Cut], words: Sequence[Word]) -> list[float]:
    """The middles of all words that no cut takes, in order."""
    taken = {i for c in cuts for g in c.groups for i in range(g.first, g.last + 1)}
    return sorted(_middle(word) for index, word in enumerate(words) if index not in taken)


def _middle(word: Word) -> float:
    return (word.range.start_s + word.range.end_s) / 2


def _merged(a: _Cut, b: _Cut) -> _Cut:
    groups = (*a.groups, *b.groups)
    hesitates = a.hesitates or b.hesitates
    return _Cut(min(a.start_s, b.start_s), max(a.end_s, b.end_s), groups, hesitates)


def _off_the_ends(cuts: list[_Cut], middles: Sequence[float], span: TimeRange) -> list[_Cut]:
    """No scrap left at either end of the clip."""
    if cuts and cuts[0].start_s - span.start_s < SHORTEST_KEPT_S:
        said = any(span.start_s <= m < cuts[0].start_s for m in middles)
        cuts[:1] = [] if said else [replace(cuts[0], start_s=span.start_s)]
    if cuts and span.end_s - cuts[-1].end_s < SHORTEST_KEPT_S:
        said = any(cuts[-1].end_s <= m < span.end_s for m in middles)
        cuts[-1:] = [] if said else [replace(cuts[-1], end_s=span.end_s)]
    return cuts


def _affordable(cuts: Sequence[_Cut], length_s: float) -> list[_Cut]:
    """The most worthy cuts that together take no more than may go; a silence may go in part."""
    left_s = MOST_REMOVED * length_s
    taken = []
    for cut in sorted(cuts, key=lambda c: c.worth, reverse=True):
        if not cut.says and cut.length_s > left_s >= SHORTEST_CUT_S:
            cut = replace(cut, end_s=cut.start_s + left_s)
        if cut.length_s <= left_s:
            left_s -= cut.length_s
            taken.append(cut)
    return sorted(taken, key=lambda c: c.start_s)


def _on_frames(
    cuts: Sequence[_Cut], span: TimeRange, snap: Callable[[Timestamp], Timestamp]
) -> list[tuple[TimeRange, _Cut]]:
    """The cuts on frame boundaries. Both ends move by about as much, so that the sound can be
    joined where the cut was wanted."""
    found: list[tuple[TimeRange, _Cut]] = []
    for cut in cuts:
        start = span.start if cut.start_s <= span.start_s else snap(_moment(cut.start_s))
        moved = start.seconds - cut.start_s
        end = span.end if cut.end_s >= span.end_s else snap(_moment(cut.end_s + moved))
        start, end = max(start, span.start), min(end, span.end)
        is_free = not found or found[-1][0].end < start
        if start < end and is_free:
            found.append((TimeRange(start, end), cut))
    return found


def _moment(seconds: float) -> Timestamp:
    return Timestamp.from_seconds(seconds)


def _between(gone: Sequence[TimeRange], span: TimeRange) -> tuple[TimeRange, ...]:
    """What is left of the span."""
    starts = [span.start, *(cut.end for cut in gone)]
    ends = [*(cut.start for cut in gone), span.end]
    return tuple(TimeRange(a, b) for a, b in zip(starts, ends, strict=True) if a < b)


def _removal(span: TimeRange, cut: _Cut, words: Sequence[Word]) -> Removal:
    reasons = {group.reason for group in cut.groups}
    reason = FALSE_START if FALSE_START in reasons else FILLER if cut.says else SILENCE
    said = [words[i].text for g in cut.groups for i in range(g.first, g.last + 1)]
    return Removal(span, reason, join_words(said))
