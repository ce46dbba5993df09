"""What somebody knows about a recording already: its chapters, and what was written down of it.

Chapters are those of the container, else those of the site it comes from; they part it into topics.
Names in subtitles that people wrote for the site are words to listen for. Subtitles of unknown
origin beside a recording may be what a recogniser wrote, so that nothing is learned from them;
nothing is ever taken for the transcript unasked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.origin import Origin
from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.domain.source import Chapter, StreamKind
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.export.origin import read_origin
from reelremix.engine.export.transcript import read_transcript
from reelremix.errors import SourceError

SIDECARS = (".srt", ".vtt")
MOST_NAMES = 40
"""Whisper's prompt has room for little more."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")
BESIDE = "{} lies beside {} and is not used: what is said is listened to"
INSIDE = "{} holds subtitles, which are not used: what is said is listened to"


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a recording before it is heard."""

    chapters: tuple[Chapter, ...] = ()
    """On the clock of all stages."""
    names: tuple[str, ...] = ()
    """To listen for."""


def hints_of(subject: Subject, ctx: RunContext, *, is_given: bool) -> Hints:
    """What is known; `is_given` says that somebody brought the words, so nothing is told of others.

    A file of hints that cannot be used is told, and done without.
    """
    origin = _origin(subject.path, ctx)
    chapters = chapters_of(subject, origin)
    if is_given:
        return Hints(chapters)
    written = _written(subject.path, origin, ctx)
    if written is None:
        _tell_of_others(subject, ctx)
    return Hints(chapters, names_in(written) if written else ())


def listening_for(options: TranscribeOptions, names: tuple[str, ...]) -> TranscribeOptions:
    """The options with more words to listen for, behind those that the user names."""
    more = tuple(name for name in names if name not in options.vocabulary)
    return replace(options, vocabulary=options.vocabulary + more) if more else options


def chapters_of(subject: Subject, origin: Origin | None) -> tuple[Chapter, ...]:
    """The chapters, as far as the recording goes; one alone parts nothing."""
    presentation = subject.presentation
    own = tuple(_moved(c, presentation.origin.seconds) for c in presentation.source.chapters)
    listed = own if len(own) > 1 else origin.chapters if origin else ()
    end_s = presentation.duration.seconds
    kept = [c for c in listed if 0 <= c.range.start_s < end_s and c.title.strip()]
    return tuple(sorted(kept, key=lambda c: c.range.start_s)) if len(kept) > 1 else ()


def _moved(chapter: Chapter, by_s: float) -> Chapter:
    start_s, end_s = chapter.range.start_s - by_s, chapter.range.end_s - by_s
    return replace(chapter, range=TimeRange.from_seconds(max(0, start_s), max(0, start_s, end_s)))


def names_in(transcript: Transcript) -> tuple[str, ...]:
    """Words with a capital inside a sentence, the most frequent first: mostly names."""
    counted: dict[str, int] = {}
    for segment in transcript.segments:
        for sentence in _SENTENCE.split(segment.text):
            for word in sentence.split()[1:]:
                bare = re.sub(r"['’]s$", "", word.strip(".,;:!?\"'“”‘’()[]"))
                if len(bare) > 2 and bare[0].isupper() and bare.replace("-", "").isalnum():
                    counted[bare] = counted.get(bare, 0) + 1
    return tuple(sorted(counted, key=lambda name: -counted[name])[:MOST_NAMES])


def _origin(path: Path, ctx: RunContext) -> Origin | None:
    try:
        return read_origin(path)
    except SourceError as exc:
        ctx.reporter.emit(Warned(exc.message, exc.hint))
        return None


def _written(path: Path, origin: Origin | None, ctx: RunContext) -> Transcript | None:
    """What people wrote down of a recording for the site that it comes from."""
    if origin is None or origin.subtitles is None or origin.subtitles.is_automatic:
        return None
    place = path.with_name(Path(origin.subtitles.file).name)
    if not place.is_file():
        return None
    try:
        return read_transcript(place)
    except SourceError as exc:
        ctx.reporter.emit(Warned(exc.message, exc.hint))
        return None


def _tell_of_others(subject: Subject, ctx: RunContext) -> None:
    name = subject.source.name
    beside = next((p for s in SIDECARS if (p := subject.path.with_suffix(s)).is_file()), None)
    if beside is not None:
        told = BESIDE.format(beside.name, name)
        ctx.reporter.emit(Warned(told, f"`--transcript {beside}` takes its words"))
    elif subject.source.of_kind(StreamKind.SUBTITLE):
        hint = "write them to an .srt file, and `--transcript FILE` takes its words"
        ctx.reporter.emit(Warned(INSIDE.format(name), hint))
