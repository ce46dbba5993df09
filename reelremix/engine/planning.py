"""Deciding everything about chosen moments: what is kept, framing, captions, sound.

What comes of it are clips that `rendering` only obeys.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reelremix.engine.captions.brand import with_own_font
from reelremix.engine.captions.shaping import missing_glyphs
from reelremix.engine.captions.style import check_platform, from_dict
from reelremix.engine.choosing import Chosen, Draft
from reelremix.engine.domain.choice import Censor, Tighten
from reelremix.engine.domain.clip import Clip, OutputFormat, Shown
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.events import (
    ClipPlanned,
    Warned,
)
from reelremix.engine.domain.kept import heard_words, hull_of
from reelremix.engine.domain.layout import Framing
from reelremix.engine.domain.mix import Mix, Music
from reelremix.engine.domain.request import (
    ClipRequest,
    SoundOptions,
)
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.track import Track
from reelremix.engine.domain.transcript import Transcript, Word
from reelremix.engine.export.names import slug
from reelremix.engine.export.tracks import renumbered
from reelremix.engine.framing import captions_of, frame_clip
from reelremix.engine.media.audio import read_speech
from reelremix.engine.media.decode import FrameReader
from reelremix.engine.music import music_of, remember
from reelremix.engine.options import output_format, own_words
from reelremix.engine.seeing import see
from reelremix.engine.stages.artifact import stage
from reelremix.engine.stages.branding import Dress, dress_of, remember_kit
from reelremix.engine.stages.caption import legible
from reelremix.engine.stages.censor import WordList, censored, word_list
from reelremix.engine.stages.describe import Description, as_heard, describe_clips
from reelremix.engine.stages.hesitations import listened
from reelremix.engine.stages.look import Look
from reelremix.engine.stages.mixing import fades_for
from reelremix.engine.stages.selfcheck import measure
from reelremix.engine.stages.tighten import Tight, tighten
from reelremix.errors import (
    ConfigError,
)

PROPOSED = "proposed"
"""The kind of a clip's first decision."""
NO_SOUND = "nothing is cleaned, censored or played under it"
LETTERS_NAMED = 8
FONT_HINT = "install a font that has these letters, such as Debian's fonts-noto-cjk"


@dataclass(frozen=True, slots=True)
class Plan:
    """Clips with everything decided."""

    clips: tuple[Clip, ...]
    tracks: tuple[Track, ...]
    shown: dict[str, Shown]
    """What each clip shows, by its id."""


@dataclass(frozen=True, slots=True)
class Finishing:
    """What is done to the sound of every clip, and which words are kept from it."""

    options: SoundOptions
    music: Music | None
    words: WordList

    @classmethod
    def of(cls, options: SoundOptions, language: str | None, ctx: RunContext) -> Finishing:
        """Read the files that the options name. Raises ConfigError and UnreadableMedia."""
        found = music_of(options)
        if found is not None:
            remember(*found, ctx)
        heard = options.censor is not Censor.OFF
        words = word_list(language, own_words(options)) if heard else WordList()
        return cls(options, found[0] if found is not None else None, words)

    def applied(self, clip: Clip) -> Clip:
        """The clip with its sound decided and its words masked."""
        options = self.options
        mix = Mix(options.denoise, options.voice_level, self.music, fades_for(clip))
        return censored(replace(clip, mix=mix), options.censor, self.words)


def plan(
    chosen: Chosen, transcript: Transcript, request: ClipRequest, subject: Subject, ctx: RunContext
) -> Plan:
    """Decide picture, captions and sound of every chosen moment."""
    spans = _on_frames([draft.range for draft in chosen.drafts], subject)
    kept = shortened(spans, transcript, request.tighten, subject, ctx)
    described = _described(chosen, kept, transcript)
    looks = see([hull_of(tight.ranges) for tight in kept], request.frame, subject, ctx)
    planner = _Planner(
        request,
        subject,
        output_format(request.frame, request.encode, subject.presentation.picture),
        asked_dress(request, ctx),
        Finishing.of(_heard_options(request, subject, ctx), transcript.language, ctx),
    )
    clips: list[Clip] = []
    tracks: list[Track] = []
    shown: dict[str, Shown] = {}
    with stage(ctx, "frame"):
        for draft, words, tight, seen in zip(chosen.drafts, described, kept, looks, strict=True):
            ctx.cancel.raise_if_set()
            clip, own = planner.decided(len(clips) + 1, draft, words, tight, seen)
            shown[clip.id] = measure(clip, own)
            clip, own = renumbered(clip, own, len(tracks))
            clips.append(clip)
            tracks += own
            ctx.reporter.emit(ClipPlanned(clip.id, clip.rank, clip.title, clip.duration_s))
    ctx.catalogue.save_clips(subject.source.id, clips)
    _record_proposals(clips, ctx)
    _warn_of_missing_letters(clips, ctx)
    return Plan(tuple(clips), tuple(tracks), shown)


def _heard_options(request: ClipRequest, subject: Subject, ctx: RunContext) -> SoundOptions:
    """What is done to the sound, if there is any."""
    if subject.presentation.audio is not None:
        return request.sound
    if request.sound != SoundOptions():
        ctx.reporter.emit(Warned(f"{subject.source.name} has no sound: {NO_SOUND}"))
    return SoundOptions()


def _described(chosen: Chosen, kept: Sequence[Tight], transcript: Transcript) -> list[Description]:
    """The clips in words: the judge's where it found some, else those that are heard in them."""
    words = transcript.words
    heard = [
        as_heard(draft.sentences, words, tight.words, tight.ranges) or [draft.text]
        for draft, tight in zip(chosen.drafts, kept, strict=True)
    ]
    own = describe_clips(heard, chosen.sentences, transcript.language)
    return [
        draft.description or described for draft, described in zip(chosen.drafts, own, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Planner:
    """What all clips of a run have in common."""

    request: ClipRequest
    subject: Subject
    output: OutputFormat
    dress: Dress
    finishing: Finishing

    def decided(
        self, number: int, draft: Draft, described: Description, tight: Tight, seen: Look | None
    ) -> tuple[Clip, tuple[Track, ...]]:
        """A clip, and the faces in it."""
        picture = self.subject.presentation.picture
        clip = self._unframed(number, draft, described, tight)
        clip, tracks = frame_clip(clip, seen, picture)
        return self._captioned(self.finishing.applied(clip), tracks), tracks

    def _unframed(self, number: int, draft: Draft, described: Description, tight: Tight) -> Clip:
        frame = self.request.frame
        title = described.title or f"{Path(self.subject.source.name).stem} {number}"
        return Clip(
            id=clip_id(self.subject.source.id, tight.ranges),
            rank=number,
            ranges=tight.ranges,
            text=join_words(w.text for w in tight.words) if tight.words else draft.text,
            words=tight.words,
            title=title,
            description=described.text,
            hashtags=described.hashtags,
            slug=slug(title),
            score=draft.score,
            output=self.output,
            framing=Framing(frame.layout, frame.layout, frame.zoom),
            judge=draft.judge,
            match=draft.match,
            tightened=tight.tightened,
            brand=self.dress.brand,
            subtitles=self.request.subtitles,
        )

    def _captioned(self, clip: Clip, tracks: Sequence[Track]) -> Clip:
        """The clip with captions off faces, off text in the picture and off its title card."""
        if self.dress.preset is None:
            return clip
        captions = captions_of(clip, tracks, self.dress.preset, self.dress.style)
        return replace(clip, captions=captions)


def shortened(
    spans: Sequence[TimeRange],
    transcript: Transcript,
    level: Tighten,
    subject: Subject,
    ctx: RunContext,
) -> list[Tight]:
    """What is kept of each span; all of it where nothing is to be cut out or nothing is heard."""
    presentation = subject.presentation
    words = [legible(words_within(transcript, span)) for span in spans]
    if level is Tighten.OFF or presentation.audio is None:
        return [Tight((span,), own, None) for span, own in zip(spans, words, strict=True)]
    kept = []
    with stage(ctx, "tighten"), FrameReader(subject.path, presentation) as reader:
        for span, own in zip(spans, words, strict=True):
            sound = read_speech(subject.path, presentation, span, ctx.cancel)
            stretch = listened(span, own, sound, transcript)
            kept.append(tighten(stretch, level, reader.snap))
    return kept


def asked_dress(request: ClipRequest, ctx: RunContext) -> Dress:
    """Captions and brand kit that a request asks for. Raises ConfigError."""
    check_platform(request.platform)
    dress = dress_of(
        request.captions,
        request.brand,
        ctx.presets_dir,
        emoji=request.emoji,
        platform=request.platform,
    )
    remember_kit(dress.brand, ctx)
    return dress


def _record_proposals(clips: Sequence[Clip], ctx: RunContext) -> None:
    """Begin the list of decisions about each clip that is proposed for the first time."""
    for clip in clips:
        if not ctx.catalogue.decisions(clip.id):
            detail = {"rank": clip.rank, "total": clip.score.total if clip.score else None}
            ctx.catalogue.record(Decision(clip.id, PROPOSED, detail, round(time.time(), 3)))


def _warn_of_missing_letters(clips: Sequence[Clip], ctx: RunContext) -> None:
    texts = {
        (word.text, _font_of(clip))
        for clip in clips
        if clip.captions is not None
        for word in clip.words
        if word.text
    }
    missing = sorted({letter for text, font in texts for letter in missing_glyphs(text, font)})
    if missing:
        shown = " ".join(missing[:LETTERS_NAMED]) + (" ..." if missing[LETTERS_NAMED:] else "")
        ctx.reporter.emit(Warned(f"no font here has {shown}; captions leave that out", FONT_HINT))


def _font_of(clip: Clip) -> str:
    """The captions' font, as its place where it is a file."""
    assert clip.captions is not None
    style = from_dict(clip.captions.style)
    return with_own_font(style, clip.brand.assets if clip.brand else ()).font


def clip_id(source_id: str, ranges: Sequence[TimeRange]) -> str:
    """Twelve hexadecimal digits that depend on the source and the kept ranges alone."""
    spans = ";".join(f"{r.start.exact}-{r.end.exact}" for r in ranges)
    return hashlib.sha256(f"{source_id}:{spans}".encode()).hexdigest()[:12]


def words_within(transcript: Transcript, span: TimeRange) -> tuple[Word, ...]:
    """The words that are heard in the range."""
    return heard_words(transcript.timed_words, (span,))


def _on_frames(ranges: Sequence[TimeRange], subject: Subject) -> list[TimeRange]:
    """The ranges with their ends on the nearest frame boundaries of the source."""
    if not ranges:
        return []
    with FrameReader(subject.path, subject.presentation) as reader:
        spans = [TimeRange(reader.snap(r.start), reader.snap(r.end)) for r in ranges]
    for asked, span in zip(ranges, spans, strict=True):
        if span.end <= span.start:
            raise ConfigError(
                f"the range {asked.start_s:g}-{asked.end_s:g} is shorter than a frame"
            )
        if spans.count(span) > 1:
            raise ConfigError(f"the range {asked.start_s:g}-{asked.end_s:g} is given twice")
    return spans
