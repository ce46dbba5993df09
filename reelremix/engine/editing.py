"""Operations on clips, carried out: what a person asks for becomes other clips.

Nothing is looked at or listened to here, so that every operation is done at once. Where a layout
would have to be found anew, what is there is held and the clip is marked to be framed by the next
render.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from reelremix.engine.captions.preset import read_preset
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.choice import LayoutChoice, Zoom
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.corrections import written
from reelremix.engine.domain.edit import (
    Change,
    Correct,
    Create,
    CutOut,
    Decide,
    Follow,
    Merge,
    PutBack,
    Recaption,
    Reframe,
    Retitle,
    Split,
    Trim,
)
from reelremix.engine.domain.kept import heard_words, hull_of, is_heard
from reelremix.engine.domain.layout import Framing, Layout, Pin
from reelremix.engine.domain.spacing import join_words, split_words
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.export.names import slug
from reelremix.engine.export.xmltext import plain_line
from reelremix.engine.framing import captions_of
from reelremix.engine.material import Material
from reelremix.engine.planning import clip_id
from reelremix.engine.revision import NO_CAPTIONS, own_style
from reelremix.engine.stages.branding import dress_of, found_again, remember_kit
from reelremix.engine.stages.caption import legible, refitted
from reelremix.engine.stages.censor import censored
from reelremix.engine.stages.cuts import Ranges, gaps_of, joined, trimmed, without
from reelremix.engine.stages.describe import describe_clips
from reelremix.engine.stages.joins import held_layout, kept_layout
from reelremix.engine.stages.mixing import fades_for
from reelremix.engine.stages.punch import hide_jumps
from reelremix.errors import ConfigError

LONGEST_TITLE = 200
SHORT_SILENCE_S = 1.5
"""Between two clips that become one, as between sentences: it stays in."""
UNCHANGED = "nothing would change: {}"


class Editor:
    """Carries out operations on the clips of one manifest."""

    def __init__(self, material: Material, ctx: RunContext) -> None:
        self.material = material
        self._ctx = ctx

    def changed(self, change: Change, clips: Mapping[str, Clip]) -> dict[str, Clip | None]:
        """The clips that an operation leaves otherwise, by id; None for one that is gone.

        Raises:
            ConfigError: it cannot be done, or would change nothing.
        """
        if isinstance(change, Create):
            clip = self._created(change, clips)
            return {clip.id: clip}
        before = _named(change.clip, clips)
        match change:
            case Correct():
                return self._corrected_wherever(before, change, clips)
            case Split():
                return {clip.id: clip for clip in self._split(before, change, clips)}
            case Merge():
                other = _named(change.other, clips)
                return {before.id: self._merged(before, other), other.id: None}
            case _:
                now = self._changed(before, change)
        if now == before:
            raise ConfigError(UNCHANGED.format(_nothing(change)))
        return {now.id: now}

    def _changed(self, clip: Clip, change: Change) -> Clip:
        match change:
            case Decide(status=status):
                return replace(clip, status=status)
            case Retitle():
                return _retitled(clip, change)
            case Trim(start_s=start_s, end_s=end_s):
                return self._trimmed(clip, start_s, end_s)
            case CutOut() | PutBack():
                return self._recut(clip, change)
            case Reframe(layout=layout):
                return replace(clip, framing=replace(clip.framing, wanted=layout))
            case Follow():
                return _following(clip, change)
            case Recaption(preset=preset):
                return self._recaptioned(clip, preset)
            case _:
                raise AssertionError(f"{change.op} is no change of one clip")

    def _trimmed(self, clip: Clip, start_s: float, end_s: float) -> Clip:
        """The clip between two moments; an end that is where it was stays exactly there."""
        hull = hull_of(clip.ranges)
        start = hull.start if start_s == hull.start_s else self._cut(start_s)
        end = hull.end if end_s == hull.end_s else self._cut(end_s)
        return self._of_ranges(clip, trimmed(clip.ranges, start, end))

    def _recut(self, clip: Clip, change: CutOut | PutBack) -> Clip:
        if isinstance(change, CutOut):
            return self._of_ranges(clip, without(clip.ranges, self._left_out(change)))
        span = TimeRange(self._cut(change.start_s), self._cut(change.end_s))
        hull = hull_of(clip.ranges)
        span = TimeRange(max(span.start, hull.start), min(span.end, hull.end))
        if span.start >= span.end:
            raise ConfigError("what is to be put back lies outside the clip")
        return self._of_ranges(clip, joined([*clip.ranges, self._wordless_around(clip, span)]))

    def _wordless_around(self, clip: Clip, span: TimeRange) -> TimeRange:
        """A stretch with the silence that parts it from what is kept before and after it."""
        start = max((r.end for r in clip.ranges if r.end <= span.start), default=span.start)
        end = min((r.start for r in clip.ranges if r.start >= span.end), default=span.end)
        within = self.material.spoken.within
        return TimeRange(
            span.start if within(TimeRange(start, span.start)) else start,
            span.end if within(TimeRange(span.end, end)) else end,
        )

    def _left_out(self, change: CutOut) -> TimeRange:
        """From the silence after the word before to the silence before the word after."""
        spoken = self.material.spoken
        gone = spoken.within(TimeRange.from_seconds(change.start_s, change.end_s))
        if not gone:
            return TimeRange(self._cut(change.start_s), self._cut(change.end_s))
        first, last = gone[0], gone[-1]
        start = spoken.after(first - 1) if first else Timestamp(0)
        end = spoken.before(last + 1) if last + 1 < len(spoken.words) else spoken.end
        return TimeRange(min(start, end), end)

    def _cut(self, seconds: float) -> Timestamp:
        return self.material.spoken.free(Timestamp.from_seconds(seconds))

    def _of_ranges(self, clip: Clip, ranges: Ranges) -> Clip:
        """The clip with other ranges, and everything that follows from them."""
        if not ranges:
            raise ConfigError(f"nothing would be left of clip {clip.id}", hint="drop it instead")
        if ranges == clip.ranges:
            return clip
        is_within = all(_covers(clip.ranges, kept) for kept in ranges)
        return self._recut_to(clip, ranges, is_within=is_within)

    def _recut_to(self, clip: Clip, ranges: Ranges, *, is_within: bool) -> Clip:
        layout, framing = self._layout_of(clip, ranges, is_within=is_within)
        now = replace(clip, ranges=ranges, layout=layout, framing=framing)
        now = self._with_words(now, clip.words, clip.ranges)
        return self._settled(now)

    def _layout_of(self, clip: Clip, ranges: Ranges, *, is_within: bool) -> tuple[Layout, Framing]:
        """What of the layout is shown, jumps hidden; held, and due, where there is more to show."""
        if not is_within:
            return held_layout(clip.layout, ranges), replace(clip.framing, made=None)
        layout = kept_layout(clip.layout, ranges)
        if clip.framing.zoom is not Zoom.OFF and len(ranges) > len(clip.ranges):
            layout = hide_jumps(layout, self.material.picture)
        return layout, clip.framing

    def _with_words(self, clip: Clip, before: Sequence[Word], ranges: Sequence[TimeRange]) -> Clip:
        """The clip with the words that are heard in it: as they were, and those that are new.

        `before` are all words that are read in `ranges`, where nothing is added.
        """
        heard = legible(self.material.spoken.heard_in(clip.ranges))
        known = {word.range for word in heard_words(heard, ranges)}
        fresh = [word for word in _uncovered(heard, before) if word.range not in known]
        masked = censored(
            replace(clip, words=tuple(fresh)), self.material.censor, self.material.censor_words
        )
        words = sorted(
            [*heard_words(before, clip.ranges), *masked.words], key=lambda w: w.range.start
        )
        hull = hull_of(clip.ranges)
        covered = sorted(
            {c for c in (*clip.censored, *masked.censored) if c.range.overlap_s(hull) > 0},
            key=lambda c: c.range.start,
        )
        text = join_words(w.text for w in words)
        return replace(clip, words=tuple(words), text=text, censored=tuple(covered))

    def _settled(self, clip: Clip) -> Clip:
        """The clip with captions, fades, still and notes on cuts that go with its ranges."""
        clip = replace(clip, mix=replace(clip.mix, fades=fades_for(clip)))
        if clip.still is not None and not any(r.contains(clip.still) for r in clip.ranges):
            clip = replace(clip, still=None)
        if clip.tightened is not None:
            left_out = tuple(
                cut
                for cut in clip.tightened.removed
                if cut.range.overlap_s(hull_of(clip.ranges)) > 0
                and not any(cut.range.overlap_s(kept) > 0 for kept in clip.ranges)
            )
            clip = replace(clip, tightened=replace(clip.tightened, removed=left_out))
        if clip.captions is None:
            return clip
        return replace(clip, captions=self._captions(clip))

    def _captions(self, clip: Clip) -> Captions:
        assert clip.captions is not None
        drawn = replace(clip, brand=found_again(clip.brand, self.material.manifest, self._ctx))
        preset, style = clip.captions.preset, own_style(drawn)
        return captions_of(drawn, self.material.tracks, preset, style)

    def _recaptioned(self, clip: Clip, preset: str) -> Clip:
        if preset == NO_CAPTIONS:
            return replace(clip, captions=None)
        worn = read_preset(preset, self._ctx.presets_dir)
        kit = dress_of(preset, None, self._ctx.presets_dir).brand
        remember_kit(kit, self._ctx)
        clip = replace(clip, brand=kit or clip.brand)
        captions = captions_of(clip, self.material.tracks, worn.name, worn.style)
        return replace(clip, captions=captions)

    def _corrected_wherever(
        self, clip: Clip, change: Correct, clips: Mapping[str, Clip]
    ) -> dict[str, Clip | None]:
        """The clip with other words in a stretch, and all others in which some of it is heard."""
        span = TimeRange.from_seconds(change.start_s, change.end_s)
        meant = _heard_during(span, clip)
        if not meant:
            raise ConfigError(f"no word of clip {clip.id} is said there")
        if not any(
            is_heard(meant[0].range, r) and is_heard(meant[-1].range, r) for r in clip.ranges
        ):
            raise ConfigError(
                "something between these words is cut out", hint="correct them one by one"
            )
        fresh = written(meant, split_words(change.text))
        found = {
            other.id: now
            for other in clips.values()
            if (now := self._corrected(other, span, fresh)) != other
        }
        if clip.id not in found:
            raise ConfigError(UNCHANGED.format(_nothing(change)))
        return dict(found)

    def _corrected(self, clip: Clip, span: TimeRange, fresh: Sequence[Word]) -> Clip:
        """The clip with these words in place of those that it has in a stretch."""
        wrong = _heard_during(span, clip)
        if not wrong:
            return clip
        right = heard_words(fresh, clip.ranges)
        first = clip.words.index(wrong[0])
        words = (*clip.words[:first], *right, *clip.words[first + len(wrong) :])
        now = replace(clip, words=words, text=join_words(w.text for w in words))
        now = _reworded(now, wrong, right)
        if clip.captions is None:
            return now
        if len(right) != len(wrong):
            return replace(now, captions=self._captions(now))
        drawn = replace(now, brand=found_again(now.brand, self.material.manifest, self._ctx))
        assert now.captions is not None
        fitted = refitted(now.captions, words, now.ranges, now.output, own_style(drawn))
        return replace(now, captions=fitted)

    def _split(self, clip: Clip, change: Split, clips: Mapping[str, Clip]) -> tuple[Clip, Clip]:
        spoken, at = self.material.spoken, Timestamp.from_seconds(change.at_s)
        inside = spoken.at(at)
        index = spoken.first_from(at) if inside is None else inside
        hull = hull_of(clip.ranges)
        ends = spoken.after(index - 1) if index else spoken.free(at)
        begins = spoken.before(index) if index < len(spoken.words) else spoken.free(at)
        halves = (
            trimmed(clip.ranges, hull.start, min(ends, hull.end)),
            trimmed(clip.ranges, max(begins, hull.start), hull.end),
        )
        if not all(halves) or clip.ranges in halves:
            raise ConfigError("it would be split where it begins or ends, into one clip and none")
        first, second = (self._of_ranges(clip, half) for half in halves)
        return first, self._renamed(second, clips)

    def _merged(self, clip: Clip, other: Clip) -> Clip:
        if clip.id == other.id:
            raise ConfigError(f"clip {clip.id} cannot be merged with itself")
        both = replace(
            clip,
            layout=_both(clip.layout, other.layout),
            words=(*clip.words, *_uncovered(other.words, clip.words)),
            ranges=(*clip.ranges, *other.ranges),
        )
        return self._recut_to(both, self._bridged(joined(both.ranges)), is_within=False)

    def _bridged(self, ranges: Ranges) -> Ranges:
        """Ranges with the short silences between them, in which nothing is said."""
        silences = [
            gap
            for gap in gaps_of(ranges)
            if gap.duration_s <= SHORT_SILENCE_S and not self.material.spoken.within(gap)
        ]
        return joined([*ranges, *silences])

    def _created(self, change: Create, clips: Mapping[str, Clip]) -> Clip:
        """A clip of a stretch that looks like the first of the others."""
        if not clips:
            raise ConfigError(
                "there is no clip to take the look of", hint="`reelremix clip --range` makes one"
            )
        like = min(clips.values(), key=lambda clip: clip.rank)
        start, end = self._cut(change.start_s), self._cut(change.end_s)
        ranges = joined([TimeRange(start, end)] if start < end else [])
        if not ranges:
            raise ConfigError(f"from {change.start_s:g} to {change.end_s:g} s is too short a clip")
        bare = replace(
            like, words=(), text="", score=None, judge=None, match=None, tightened=None,
            censored=(), still=None, status=None,
            framing=replace(like.framing, wanted=LayoutChoice.AUTO, made=None, pins=()),
        )  # fmt: skip
        made = self._of_ranges(replace(bare, ranges=()), ranges)
        return self._renamed(self._described(made), clips)

    def _described(self, clip: Clip) -> Clip:
        """The clip with title, description and hashtags out of what is said in it."""
        sentences = self.material.sentences
        own = [s.text for s in sentences if any(is_heard(s.range, kept) for kept in clip.ranges)]
        language = self.material.transcript.language
        [said] = describe_clips([own or [clip.text]], sentences, language)
        title = said.title or f"Clip at {hull_of(clip.ranges).start_s:.0f} s"
        return replace(clip, title=title, description=said.text, hashtags=said.hashtags)

    def _renamed(self, clip: Clip, clips: Mapping[str, Clip]) -> Clip:
        """The clip with an id and a rank of its own."""
        id = clip_id(self.material.source_id, clip.ranges)
        if id in clips:
            raise ConfigError(f"that is clip {id}, which is there already")
        rank = 1 + max(other.rank for other in clips.values())
        return replace(clip, id=id, rank=rank, slug=slug(clip.title))


def _heard_during(span: TimeRange, clip: Clip) -> tuple[Word, ...]:
    """The words of a clip that are said in a stretch, from the first to the last."""
    found = [n for n, word in enumerate(clip.words) if is_heard(word.range, span)]
    return clip.words[found[0] : found[-1] + 1] if found else ()


def _named(id: str, clips: Mapping[str, Clip]) -> Clip:
    if id not in clips:
        raise ConfigError(f"there is no clip {id} any more", hint="somebody merged or removed it")
    return clips[id]


def _nothing(change: Change) -> str:
    match change:
        case Decide(status=status):
            return f"the clip is {status or 'undecided'} already"
        case Trim():
            return "the clip begins and ends there already"
        case CutOut():
            return "nothing of the clip lies there"
        case PutBack():
            return "nothing is left out there"
        case Reframe(layout=layout):
            return f"the layout is {layout} already"
        case Recaption():
            return "the captions are those already"
        case _:
            return "it is so already"


def _retitled(clip: Clip, change: Retitle) -> Clip:
    title = clip.title if change.title is None else plain_line(change.title)
    if not title:
        raise ConfigError("a title cannot be empty")
    if len(title) > LONGEST_TITLE:
        raise ConfigError(f"a title has at most {LONGEST_TITLE} letters (got {len(title)})")
    description = clip.description if change.description is None else change.description.strip()
    hashtags = clip.hashtags if change.hashtags is None else change.hashtags
    for tag in hashtags:
        if not re.fullmatch(r"#\S+", tag):
            raise ConfigError(f"a hashtag is # and letters without spaces (got {tag!r})")
    return _named_by_title(
        replace(clip, title=title, description=description, hashtags=hashtags), clip
    )


def _named_by_title(clip: Clip, before: Clip) -> Clip:
    """The clip with a name for its next film where it has another title."""
    return clip if clip.title == before.title else replace(clip, slug=slug(clip.title))


def _following(clip: Clip, change: Follow) -> Clip:
    """The clip with somebody pinned, in place of whoever was pinned in any part of the stretch."""
    span = TimeRange.from_seconds(change.start_s, change.end_s)
    if not any(kept.overlap_s(span) > 0 for kept in clip.ranges):
        raise ConfigError("nothing of the clip lies there")
    pin = Pin(span, Timestamp.from_seconds(change.at_s), change.x, change.y)
    others = [p for p in clip.framing.pins if p.range.overlap_s(span) == 0]
    pins = tuple(sorted([*others, pin], key=lambda p: p.range.start))
    return replace(clip, framing=replace(clip.framing, pins=pins, made=None))


def _reworded(clip: Clip, heard: Sequence[Word], written: Sequence[Word]) -> Clip:
    """The clip with words put right in what is said about it, where these were misheard."""
    old, new = (_bare(join_words(word.text for word in words)) for words in (heard, written))
    if not old or not new or old == new:
        return clip
    meant = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)", re.IGNORECASE)

    def right(text: str) -> str:
        return meant.sub(lambda _: new, text)

    score = clip.score
    if score is not None:
        reasons = tuple(replace(reason, quote=right(reason.quote)) for reason in score.reasons)
        score = replace(score, reasons=reasons)
    hashtags = tuple(f"#{right(tag.lstrip('#'))}".replace(" ", "") for tag in clip.hashtags)
    title, description = right(clip.title), right(clip.description)
    now = replace(clip, title=title, description=description, hashtags=hashtags, score=score)
    return _named_by_title(now, clip)


def _bare(text: str) -> str:
    """A text without the punctuation around it."""
    return re.sub(r"^\W+|\W+$", "", text)


def _covers(ranges: Sequence[TimeRange], span: TimeRange) -> bool:
    return any(kept.start <= span.start and span.end <= kept.end for kept in ranges)


def _uncovered(words: Sequence[Word], others: Sequence[Word]) -> list[Word]:
    """Words in whose place there are no others: neither they themselves nor ones in their stead.

    One stands for another where the middle of either lies in the other.
    """
    ordered = sorted(others, key=lambda word: word.range.start)
    starts = [word.range.start.exact for word in ordered]
    ends = list(accumulate((word.range.end.exact for word in ordered), max))
    middles = sorted(_middle(word) for word in others)
    found = []
    for word in words:
        middle, start, end = _middle(word), word.range.start.exact, word.range.end.exact
        begun = bisect_right(starts, middle)
        is_inside = begun > 0 and ends[begun - 1] > middle
        if not is_inside and bisect_left(middles, start) == bisect_left(middles, end):
            found.append(word)
    return found


def _middle(word: Word) -> Fraction:
    return (word.range.start.exact + word.range.end.exact) / 2


def _both(a: Layout, b: Layout) -> Layout:
    pieces = sorted((*a.pieces, *b.pieces), key=lambda piece: piece.range.start)
    speaking = sorted((*a.speaking, *b.speaking), key=lambda entry: entry.range.start)
    return Layout(tuple(pieces), tuple(speaking), (*a.occupied, *b.occupied))
