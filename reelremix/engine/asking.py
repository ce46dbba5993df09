"""A list of wishes about clips, carried out one after the other, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

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
from reelremix.errors import ConfigError, ReelRemixError

UNITS = {"w": Unit.WORD, "s": Unit.SENTENCE}
NUMBER = re.compile(r"\d+(\.\d+)?")
OPEN = "open"


def perform(request: EditRequest, review: Review) -> list[Happened]:
    """Do what is asked, in order.

    Raises:
        ConfigError: something cannot be done; what was done before it is undone again.
        EditConflict: somebody else changed the same clip meanwhile.
    """
    happened = [review.undo() for _ in range(request.undo)]
    happened += [review.redo() for _ in range(request.redo)]
    done: list[Happened] = []
    try:
        for change in _changes(request, review):
            done.append(review.do(change(review)))
    except ReelRemixError:
        for _ in done:
            review.undo()
        raise
    if not (happened or done):
        raise ConfigError(
            "nothing is asked for", hint="`reelremix clip edit --help` lists what can be changed"
        )
    return happened + done


def clip_named(name: str, review: Review) -> Clip:
    """The clip with that id or rank. Raises ConfigError."""
    clips = {clip.id: clip for clip in review.clips}
    [id] = clips_named([name], {clip.id: clip.rank for clip in clips.values()}, review.path)
    return clips[id]


def _changes(request: EditRequest, review: Review) -> Iterator[Callable[[Review], Change]]:
    """Each wish as what makes an operation of the clips as they are by then."""
    for span in request.new:
        yield lambda _, span=span: Create(span.start_s, span.end_s)  # type: ignore[misc]
    if not request.changes_a_clip:
        return
    if request.clip is None:
        raise ConfigError("which clip is meant?", hint="give its rank or id after the manifest")
    id = clip_named(request.clip, review).id
    for old, new in request.correct:
        yield lambda r, old=old, new=new: _corrected(r.clip(id), old, new)  # type: ignore[misc]
    for span in request.put_back:
        yield lambda _, span=span: PutBack(id, span.start_s, span.end_s)  # type: ignore[misc]
    for edge, asked in ((Edge.START, request.start), (Edge.END, request.end)):
        if asked is not None:
            yield lambda r, e=edge, a=asked: _trimmed(r, id, e, a)  # type: ignore[misc]
    for what in request.cut:
        yield lambda r, what=what: _cut(r.clip(id), what)  # type: ignore[misc]
    yield from (_about(request, id))


def _about(request: EditRequest, id: str) -> Iterator[Callable[[Review], Change]]:
    """Wishes that need nothing of each other."""
    if (at := request.split) is not None:
        yield lambda r: Split(id, _moment(r.clip(id), at))
    if (other := request.merge) is not None:
        yield lambda r: Merge(id, clip_named(other, r).id)
    words = (request.title, request.description, request.hashtags)
    if any(word is not None for word in words):
        yield lambda _: Retitle(id, *words)
    if (layout := request.layout) is not None:
        yield lambda _: Reframe(id, layout)
    for span, whom in request.show:
        yield lambda r, s=span, w=whom: show(r.clip(id), _face(r, s, w), s)  # type: ignore[misc]
    if (preset := request.captions) is not None:
        yield lambda _: Recaption(id, preset)
    if request.status is not None:
        status = None if request.status == OPEN else Status(request.status)
        yield lambda _: Decide(id, status)


def _corrected(clip: Clip, old: str, new: str) -> Change:
    return correct_words(clip, *phrase_in(clip.words, old), new)


def _cut(clip: Clip, what: str | TimeRange) -> Change:
    if isinstance(what, TimeRange):
        return CutOut(clip.id, what.start_s, what.end_s)
    return cut_words(clip, *phrase_in(clip.words, what))


def _trimmed(review: Review, id: str, edge: Edge, asked: str) -> Change:
    clip = review.clip(id)
    if found := re.fullmatch(r"([+-]\d+)([ws])", asked):
        return moved(clip, edge, UNITS[found[2]], int(found[1]), review.spoken())
    if not NUMBER.fullmatch(asked):
        raise ConfigError(
            f"--{edge} must look like +2w, -1s or 63.1 (got {asked!r})",
            hint="w moves it by words, s by sentences; a number is a moment in seconds",
        )
    hull = hull_of(clip.ranges)
    at_s = float(asked)
    return Trim(id, at_s, hull.end_s) if edge is Edge.START else Trim(id, hull.start_s, at_s)


def _moment(clip: Clip, at: str) -> float:
    if NUMBER.fullmatch(at):
        return float(at)
    first, _ = phrase_in(clip.words, at)
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
