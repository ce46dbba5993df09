"""A list of wishes about clips, carried out one after the other, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.edit import (
    Change,
    Create,
    CutOut,
    Decide,
    Merge,
    PutBack,
    Recaption,
    Reframe,
    Retitle,
    Split,
    Status,
    Trim,
)
from reelremix.engine.domain.kept import hull_of
from reelremix.engine.domain.request import EditRequest
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track
from reelremix.engine.finding import clips_named
from reelremix.engine.pointing import (
    Edge,
    Unit,
    correct_words,
    cut_words,
    faces_during,
    moved,
    phrase_in,
    show,
)
from reelremix.engine.reviewing import Happened, Review
from reelremix.errors import ConfigError

UNITS = {"w": Unit.WORD, "s": Unit.SENTENCE}
NUMBER = re.compile(r"\d+(\.\d+)?")
OPEN = "open"


def perform(request: EditRequest, review: Review) -> list[Happened]:
    """Do all that is asked, in order, or nothing of it.

    Raises:
        ConfigError: something cannot be done.
        EditConflict: somebody else changed the same clip meanwhile.
    """
    return review.together(lambda: _done(request, review))


def _done(request: EditRequest, review: Review) -> list[Happened]:
    can = len(review.standing.done) - 1
    if 0 < can < request.undo:
        raise ConfigError(f"only {can} {'operation' if can == 1 else 'operations'} can be undone")
    happened = [review.undo() for _ in range(request.undo)]
    happened += [review.redo() for _ in range(request.redo)]
    happened += [review.do(change) for change in _changes(request, review)]
    if not happened:
        raise ConfigError(
            "nothing is asked for", hint="`reelremix clip edit --help` lists what can be changed"
        )
    return happened


def clip_named(name: str, review: Review) -> Clip:
    """The clip with that id or rank. Raises ConfigError."""
    clips = {clip.id: clip for clip in review.clips}
    [id] = clips_named([name], {clip.id: clip.rank for clip in clips.values()}, review.path)
    return clips[id]


def _changes(request: EditRequest, review: Review) -> Iterator[Change]:
    """Each wish as an operation on the clips as they are once the ones before it are done."""
    for span in request.new:
        _require_recorded(span.end_s, review)
        yield Create(span.start_s, span.end_s)
    if not request.changes_a_clip:
        return
    if request.clip is None:
        raise ConfigError("which clip is meant?", hint="give its rank or id after the manifest")
    id = clip_named(request.clip, review).id
    for old, new in request.correct:
        yield _corrected(review.clip(id), old, new)
    for span in request.put_back:
        yield PutBack(id, span.start_s, span.end_s)
    if request.start is not None or request.end is not None:
        yield _trimmed(request, id, review)
    for what in request.cut:
        yield _cut(review.clip(id), what)
    yield from _about(request, id, review)


def _about(request: EditRequest, id: str, review: Review) -> Iterator[Change]:
    """Wishes that need nothing of each other."""
    if request.split is not None:
        yield Split(id, _moment(review.clip(id), request.split))
    if request.merge is not None:
        yield Merge(id, clip_named(request.merge, review).id)
    words = (request.title, request.description, request.hashtags)
    if any(word is not None for word in words):
        yield Retitle(id, *words)
    if request.layout is not None:
        yield Reframe(id, request.layout)
    for span, whom in request.show:
        yield show(review.clip(id), _face(review, span, whom), span)
    if request.captions is not None:
        yield Recaption(id, request.captions)
    if request.status is not None:
        status = None if request.status == OPEN else Status(request.status)
        yield Decide(id, status)


def _corrected(clip: Clip, old: str, new: str) -> Change:
    return correct_words(clip, *phrase_in(clip.words, old), new)


def _cut(clip: Clip, what: str | TimeRange) -> Change:
    if isinstance(what, TimeRange):
        return CutOut(clip.id, what.start_s, what.end_s)
    return cut_words(clip, *phrase_in(clip.words, what, ", or the time: START-END"))


def _trimmed(request: EditRequest, id: str, review: Review) -> Trim:
    hull = hull_of(review.clip(id).ranges)
    start_s, end_s = hull.start_s, hull.end_s
    if request.start is not None:
        start_s = _end_of(review, id, Edge.START, request.start)
    if request.end is not None:
        end_s = _end_of(review, id, Edge.END, request.end)
    _require_recorded(max(start_s, end_s), review)
    if start_s >= end_s:
        raise ConfigError(f"the clip would begin at {start_s:.2f} s and end at {end_s:.2f} s")
    return Trim(id, start_s, end_s)


def _require_recorded(at_s: float, review: Review) -> None:
    """Raise ConfigError for a moment behind the end of the recording."""
    length_s = review.spoken().end.seconds
    if at_s > length_s:
        raise ConfigError(f"the recording ends at {length_s:.2f} s")


def _end_of(review: Review, id: str, edge: Edge, asked: str) -> float:
    """Where an end is asked for, in seconds."""
    if found := re.fullmatch(r"([+-]\d+)([ws])", asked):
        trim = moved(review.clip(id), edge, UNITS[found[2]], int(found[1]), review.spoken())
        return trim.start_s if edge is Edge.START else trim.end_s
    if not NUMBER.fullmatch(asked):
        raise ConfigError(
            f"--{edge} must look like +2w, -1s or 63.1 (got {asked!r})",
            hint="w moves it by words, s by sentences; a number is a moment in seconds",
        )
    return float(asked)


def _moment(clip: Clip, at: str) -> float:
    if NUMBER.fullmatch(at):
        return float(at)
    first, _ = phrase_in(clip.words, at, ", or the second")
    return clip.words[first].range.start_s


def _face(review: Review, span: TimeRange, whom: str) -> Track:
    seen = faces_during(span, review.tracks)
    found = [t for t in seen if whom in (str(t.id), t.speaker)]
    if not found:
        listed = ", ".join(f"{t.id} ({t.speaker or 'unknown'})" for t in seen) or "nobody"
        raise ConfigError(
            f"{whom!r} is not seen from {span.start_s:g} to {span.end_s:g} s; there is: {listed}"
        )
    return max(found, key=lambda t: len(t.sightings))
