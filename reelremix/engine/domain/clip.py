"""A chosen moment: everything a render needs, decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from reelremix.engine.domain.bookends import FilmFrames
from reelremix.engine.domain.brand import Brand
from reelremix.engine.domain.candidate import Score
from reelremix.engine.domain.caption import Captions
from reelremix.engine.domain.edit import Status
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.layout import Framing, Layout
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.mix import Censored, Mix
from reelremix.engine.domain.tightening import Tightened
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """Shape, rate and encoding of the film."""

    width_px: int
    height_px: int
    frame_rate: Fraction
    encoder: str = "auto"
    """`auto`, or an FFmpeg encoder name such as `libx264` or `h264_nvenc`."""
    encoder_preset: str = "veryfast"
    crf: int = 20
    """Quality, 0 (lossless) to 51."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A decision, not a file."""

    id: str
    """Stable: depends on the source and the kept ranges, never on rank or file name."""
    rank: int
    ranges: tuple[TimeRange, ...]
    """Kept stretches of the source, on its frame boundaries, in order."""
    text: str
    words: tuple[Word, ...]
    title: str
    description: str
    hashtags: tuple[str, ...]
    slug: str
    """File name without number and suffix."""
    score: Score | None
    """None for a range the user gave."""
    output: OutputFormat
    layout: Layout = field(default_factory=lambda: Layout(()))
    framing: Framing = field(default_factory=Framing)
    still: Timestamp | None = None
    """When the picture of the thumbnail is shown; None leaves the choice to the render."""
    captions: Captions | None = None
    """None when captions are off."""
    judge: Judgement | None = None
    """None when no judge was asked, or it said nothing."""
    match: Match | None = None
    """How it answers what was asked for; None where nothing was asked for."""
    brand: Brand | None = None
    """Title card, progress bar, logo, intro and outro; None for none of them."""
    subtitles: tuple[str, ...] = ("srt",)
    """Kinds of files with what is said that stand beside the film."""
    tightened: Tightened | None = None
    """What was cut out between the ranges; None where nothing was to be."""
    censored: tuple[Censored, ...] = ()
    """What is not to be heard. The words themselves are masked."""
    mix: Mix = field(default_factory=Mix)
    status: Status | None = None
    """What a person decided about it; None where that is open."""

    @property
    def duration_s(self) -> float:
        """Length of the clip itself in seconds, without intro and outro."""
        return round(sum(r.duration_s for r in self.ranges), 6)

    @property
    def film(self) -> FilmFrames:
        """The frames of its film: the brand kit's intro, its own, the outro."""
        rate = self.output.frame_rate
        kept = sum(((r.end - r.start).exact for r in self.ranges), Fraction(0))
        own = max(1, round(kept * rate))  # even the shortest clip has a picture
        ends = (self.brand.intro, self.brand.outro) if self.brand is not None else (None, None)
        intro, outro = (end.frames(rate) if end is not None else 0 for end in ends)
        return FilmFrames(rate, intro, own, outro)

    @property
    def film_duration_s(self) -> float:
        """Length of its film in seconds; the clip's own where nothing else is shown."""
        film = self.film
        return round(float(film.ends), 6) if film.total > film.clip else self.duration_s


@dataclass(frozen=True, slots=True)
class ClipEntry:
    """What the library lists of a clip: enough to recognise it and to find its words."""

    id: str
    source_id: str
    title: str
    slug: str
    ranges: tuple[TimeRange, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a plan shows, measured on it."""

    speaker_in_frame: float | None = None
    """Share of speaking time with the speaker's face inside a region; None when nobody was seen."""
    reversals_per_min: float = 0.0
    """How often the camera turns back; clips of under half a minute count as half a minute."""
    captions_over_faces: float | None = None
    """Share of the faces seen during captions that these cover; None without captions."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found when the rendered file was opened again."""

    ok: bool
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    shown: Shown = field(default_factory=Shown)
    notes: tuple[str, ...] = ()
    is_unreadable: bool = False
    """The file could not even be opened."""
    first_word_heard: bool | None = None
    """Whether a recogniser hears the first word at the beginning; None where nobody asked."""
    last_word_heard: bool | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The record of one render."""

    clip_id: str
    video: str
    """Relative to the output folder."""
    thumbnail: str | None
    subtitles: str | None
    gain_db: float | None
    verdict: Verdict | None
    sidecars: tuple[str, ...] = ()
    """All files with what is said; `subtitles` is the first."""
    sha256: str = ""
    """Of the film."""
