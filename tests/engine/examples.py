"""One of everything, for tests that only need something real to keep, send or read back."""

from __future__ import annotations

from fractions import Fraction

from reelremix.engine.domain.candidate import Axis, Reason, Rejection, Score
from reelremix.engine.domain.caption import Captions, Cue
from reelremix.engine.domain.choice import Censor, Tighten
from reelremix.engine.domain.clip import Clip, OutputFormat, Rendered, Shown, Verdict
from reelremix.engine.domain.events import (
    CandidateScored,
    ClipFailed,
    ClipPlanned,
    ClipRendered,
    Event,
    JobCancelled,
    JobDead,
    JobFailed,
    JobFinished,
    JobPaused,
    JobQueued,
    JobResumed,
    JobRetried,
    JobStarted,
    StageFinished,
    StageProgress,
    StageStarted,
    Waiting,
    Warned,
)
from reelremix.engine.domain.judgement import Judgement
from reelremix.engine.domain.layout import (
    Keyframe,
    Layout,
    LayoutKind,
    LayoutPiece,
    Region,
    Speaking,
)
from reelremix.engine.domain.match import Match
from reelremix.engine.domain.mix import Censored, Fades, Mix, Music
from reelremix.engine.domain.source import (
    AudioFormat,
    Chapter,
    Presentation,
    Source,
    Stream,
    StreamKind,
    VideoFormat,
)
from reelremix.engine.domain.tightening import FILLER, Removal, Tightened
from reelremix.engine.domain.time import ZERO, TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.domain.transcript import Segment, SoundEvent, Transcript, Word
from reelremix.engine.export.manifest import Manifest, RunRecord, StageTime, TranscriptRecord

EVENTS: tuple[Event, ...] = (
    JobStarted("talk.mp4", {"count": 3, "ranges": [[1.0, 2.0]]}),
    StageStarted("transcribe", "base on the CPU"),
    StageProgress("transcribe", 12.5, 621.04, "s"),
    StageFinished("transcribe", 20.1, False),
    CandidateScored(63.1, 91.4, 83.0),
    ClipPlanned("c1", 1, "Ten minutes", 28.3),
    ClipRendered("c1", "01-ten-minutes.mp4", 3.2, False),
    ClipFailed("c2", "the encoder refused", "--encoder libx264"),
    Waiting("another run is working on this source"),
    Warned("the language is uncertain", None),
    JobQueued("the GPU is busy"),
    JobPaused(),
    JobResumed(),
    JobRetried(2),
    JobDead("failed three times"),
    JobFinished({"source_s": 621.04, "rendered_s": 28.3}),
    JobFailed("talk.mp4 is empty", "copy it again"),
    JobCancelled(),
)

PICTURE = VideoFormat(
    1280, 720, Fraction(30000, 1001), False, 0, False, "yuv420p", 1280, 720, Fraction(1)
)
SOURCE = Source(
    id="ab" * 32,
    name="talk.mp4",
    size_bytes=55_099_518,
    container="mov,mp4",
    duration=Timestamp(621_040_000),
    start=ZERO,
    streams=(
        Stream(0, StreamKind.VIDEO, "h264", None, None, True, ZERO, Timestamp(9), video=PICTURE),
        Stream(1, StreamKind.AUDIO, "aac", "eng", "Room", True, ZERO, None,
               audio=AudioFormat(48_000, 2, "stereo")),
        Stream(2, StreamKind.SUBTITLE, "mov_text", "deu", None, False, None, None),
    ),
    chapters=(Chapter(TimeRange.from_seconds(0, 10), "Opening"),),
)  # fmt: skip
PRESENTATION = Presentation(SOURCE, SOURCE.streams[0], SOURCE.streams[1], ZERO, SOURCE.duration)

WORDS = (
    Word("So", TimeRange.from_seconds(63.1, 63.3), 0.98, "S1"),
    Word("ten,", TimeRange.from_seconds(63.4, 63.9), None, None),
)
TRANSCRIPT = Transcript(
    "en",
    0.99,
    (Segment(TimeRange.from_seconds(63.1, 63.9), "So ten,", WORDS, "S1"),),
    (SoundEvent("laughter", TimeRange.from_seconds(64, 65), 0.8),),
    "base",
)
SCORE = Score(
    83.0,
    {axis: None if axis is Axis.REACTION else 70.0 for axis in Axis},
    (Reason(Axis.HOOK, "opens with a number", "So ten,", WORDS[0].range),),
    83.0,
)
OUTPUT = OutputFormat(1080, 1920, Fraction(30000, 1001))


def keyframe(at_s: float, x: float) -> Keyframe:
    """The camera on a full-height portrait crop."""
    return Keyframe(Timestamp.from_seconds(at_s), Box(x, 0.0, 404.0, 720.0))


LAYOUT = Layout(
    (
        LayoutPiece(
            TimeRange.from_seconds(63.1, 75.0),
            LayoutKind.SINGLE,
            (Region((0, 0, 1080, 1920), (keyframe(63.1, 412.0), keyframe(70, 500.5)), 3),),
        ),
        LayoutPiece(
            TimeRange.from_seconds(75.0, 91.4),
            LayoutKind.SPLIT,
            (
                Region((0, 0, 1080, 960), (keyframe(75.0, 0.0),), 3),
                Region((0, 960, 1080, 960), (keyframe(75.0, 600.0),), None),
            ),
            inset=True,
        ),
    ),
    (Speaking(TimeRange.from_seconds(63.1, 70.2), 3, "S1", 0.9),),
)
MATCH = Match(81.5, "So ten,", WORDS[0].range, ("ten",))
CLIP = Clip(
    id="c0ffee000001",
    rank=1,
    ranges=(TimeRange.from_seconds(63.1, 91.4),),
    text="So ten,",
    words=WORDS,
    title="Ten minutes a day",
    description="Why ten minutes are enough.",
    hashtags=("#habits",),
    slug="ten-minutes-a-day",
    score=SCORE,
    output=OUTPUT,
    layout=LAYOUT,
    captions=Captions(
        "bold", {"size": 72}, (Cue(WORDS[0].range, ((0, 1),), (90, 1300, 900, 260)),)
    ),
    judge=Judgement("qwen2.5", 3, 1, "Wait for it", ("cut moved by the judge",)),
    tightened=Tightened(
        Tighten.STRONG, (Removal(TimeRange.from_seconds(91.4, 92.0), FILLER, "um"),)
    ),
    censored=(Censored(TimeRange.from_seconds(70.1, 70.5), Censor.BLEEP),),
    mix=Mix(True, True, Music("theme.mp3", "0" * 64, -12.0), Fades(0.03, 0.15)),
)
TRACK = Track(3, 0, (Sighting(Timestamp.from_seconds(63.1), Box(500, 120, 180, 180), 0.9),))
RENDERED = Rendered(
    CLIP.id,
    "01-ten-minutes-a-day.mp4",
    "01-ten-minutes-a-day.jpg",
    "01-ten-minutes-a-day.srt",
    -2.3,
    Verdict(True, -14.1, -1.3, Shown(0.97, 0.0, 0.02)),
)
MANIFEST = Manifest(
    id="5e" * 16,
    options={"count": 3, "ranges": [], "crf": 20},
    presentation=PRESENTATION,
    spoken=TranscriptRecord.of(TRANSCRIPT),
    run=RunRecord(41.2, (StageTime("transcribe", 20.1, False),), 812.0, "cpu", ()),
    clips=(CLIP,),
    rendered={CLIP.id: RENDERED},
    tracks=(TRACK,),
    rejected=(Rejection(TimeRange.from_seconds(10, 40), 41.0, "starts mid-thought"),),
    notice=None,
)
