"""What an engine can be asked to do: plain serialisable data, defaults included."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reelremix.engine.domain.choice import Censor, GpuFull, LayoutChoice, Tighten, Zoom
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import ConfigError

AUTO, OFF = "auto", "off"
SUBTITLE_KINDS = ("srt", "vtt", "ass")
DEVICES = (AUTO, "cpu", "cuda")
MOST_CLIPS = MOST_SPEAKERS = 100
LOWEST_MUSIC_DB, HIGHEST_MUSIC_DB = -60.0, 6.0


class Aspect(StrEnum):
    """Shapes of the output picture."""

    PORTRAIT = "9:16"
    SQUARE = "1:1"
    FOUR_FIVE = "4:5"
    LANDSCAPE = "16:9"

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the output."""
        return {
            Aspect.PORTRAIT: (1080, 1920),
            Aspect.SQUARE: (1080, 1080),
            Aspect.FOUR_FIVE: (1080, 1350),
            Aspect.LANDSCAPE: (1920, 1080),
        }[self]


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """How speech becomes text."""

    model: str = "auto"
    """A registry name, a folder, or `auto`."""
    language: str | None = None
    """ISO 639-1 code; None detects it."""
    initial_prompt: str | None = None
    vocabulary: tuple[str, ...] = ()
    """Names and terms the recogniser should prefer."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    batch_size: int = 8
    beam_size: int = 5
    transcript: str | None = None
    """Path of a transcript whose words to use instead of those that are heard."""
    align: bool = True
    """Whether its words, where they have no times, get those at which they are heard."""
    speakers: str = AUTO
    """How many people speak, `auto` to find out, or `off` not to tell them apart."""
    gpu_full: GpuFull = GpuFull.WAIT


def check_speakers(speakers: str) -> None:
    """Raise ConfigError for a number of speakers that is none."""
    if speakers not in (AUTO, OFF) and not (
        speakers.isascii() and speakers.isdigit() and 1 <= int(speakers) <= MOST_SPEAKERS
    ):
        raise ConfigError(
            f"--speakers must be auto, off or a number from 1 to {MOST_SPEAKERS} (got {speakers!r})"
        )


def check_device(device: str) -> None:
    """Raise ConfigError for a device there is not."""
    if device not in DEVICES:
        raise ConfigError(f"--device must be auto, cpu or cuda (got {device!r})")


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """Who compares the finalists and writes their titles, and what that may cost."""

    endpoint: str = ""
    """`ollama:MODEL`, or the address of an OpenAI-compatible server; empty is off."""
    model: str = ""
    """Empty takes the one the endpoint names, else the first that the server lists."""
    budget_s: float = 120.0
    calls: int = 60
    """Requests at most, those that are tried again included."""
    tokens: int = 200_000
    """Of prompts and replies together, where the server counts them."""


@dataclass(frozen=True, slots=True)
class SelectOptions:
    """Which moments to keep."""

    count: int | None = 10
    """At most so many; None takes as many as are good."""
    min_s: float = 15.0
    max_s: float = 60.0
    ranges: tuple[TimeRange, ...] = ()
    """Given ranges are kept as they are; count, min_s and max_s then do not apply."""
    judge: JudgeOptions = JudgeOptions()
    about: str | None = None
    """A subject in plain words: only moments about it are kept; None keeps all."""


@dataclass(frozen=True, slots=True)
class FrameOptions:
    """How the picture is reframed."""

    aspect: Aspect = Aspect.PORTRAIT
    faces: bool = True
    """False keeps the centre of the picture and loads no face model."""
    layout: LayoutChoice = LayoutChoice.AUTO
    zoom: Zoom = Zoom.CUTS
    speaker_network: bool = True
    """False tells which face speaks by how mouths move, which is quicker and less sure."""


@dataclass(frozen=True, slots=True)
class SoundOptions:
    """What is done to the sound of clips, and which words are kept from it."""

    denoise: bool = False
    voice_level: bool = False
    music: str | None = None
    """Path of a piece of music to play under the speech."""
    music_level_db: float = -12.0
    """How loud it is where nobody speaks, against the speech."""
    censor: Censor = Censor.OFF
    censor_words: str | None = None
    """Path of a list of words, one a line, that adds to the language's own."""


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How files are written."""

    encoder: str = "auto"
    """`auto`, or an FFmpeg encoder name such as `libx264` or `h264_nvenc`."""
    preset: str = "veryfast"
    crf: int = 20
    fps: str = "source"
    """`source` or a number."""
    jobs: int = 0
    """Clips rendered at once; 0 chooses by the number of cores."""


@dataclass(frozen=True, slots=True)
class ClipRequest:
    """Turn one source into clips in `out/<stem>/`."""

    source: str
    """Path of the recording."""
    out: str = "clips"
    plan_only: bool = False
    overwrite: bool = False
    absolute_paths: bool = False
    audio_stream: str | None = None
    """Stream index or language tag; None takes the default stream."""
    captions: str | None = "bold"
    """Preset name, or None for no captions."""
    brand: str | None = None
    """Preset whose title card, bar, logo, intro and outro are shown; None takes the captions'."""
    emoji: bool | None = None
    """Whether captions show emoji; None leaves it to the preset."""
    platform: str | None = None
    """Whose interface captions keep clear of; None leaves it to the preset."""
    subtitles: tuple[str, ...] = ("srt",)
    """Kinds of files with what is said: srt, vtt, ass."""
    transcribe: TranscribeOptions = TranscribeOptions()
    select: SelectOptions = SelectOptions()
    frame: FrameOptions = FrameOptions()
    encode: EncodeOptions = EncodeOptions()
    tighten: Tighten = Tighten.OFF
    sound: SoundOptions = SoundOptions()


@dataclass(frozen=True, slots=True)
class AddRequest:
    """Make recordings known."""

    sources: tuple[str, ...]
    """Paths of files and folders, and addresses on the web."""
    playlist: bool = False
    """Whether an address may stand for many recordings."""
    cookies: str | None = None
    """Path of a file of cookies to send."""
    audio_stream: str | None = None
    transcribe: TranscribeOptions = TranscribeOptions()
    """How words that are given get their times."""


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """Turn one source into a transcript."""

    source: str
    audio_stream: str | None = None
    transcribe: TranscribeOptions = TranscribeOptions()


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Rank the moments of one source or transcript."""

    source: str
    audio_stream: str | None = None
    transcribe: TranscribeOptions = TranscribeOptions()
    select: SelectOptions = SelectOptions()


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Find where something is said or talked about."""

    question: str
    sources: tuple[str, ...] = ()
    """Paths of recordings or transcript files, ids or their beginnings, names; none searches
    everything the library knows."""
    count: int = 10


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Hand clips of a manifest over to another program."""

    manifest: str
    """Path of a `clips.json` or its folder."""
    to: str
    """Name of an exporter."""
    clip_ids: tuple[str, ...] = ()
    """Ids or ranks; empty takes all but those that were dropped."""
    out: str | None = None
    """File or folder; None takes the exporter's own folder beside the manifest."""
    source: str | None = None
    """Path of the recording when it moved."""
    conform: str | None = None
    """A rate, or `auto`: refer to copies at a constant rate. None refers to the recording."""
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """Lay out finished clips for uploading."""

    manifest: str
    platforms: tuple[str, ...]
    clip_ids: tuple[str, ...] = ()
    """Ids or ranks; empty takes all that were not dropped."""
    out: str | None = None
    """Folder to write into; None takes `post` beside the manifest."""
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """Render clips of a manifest again, all or some, with changed options."""

    manifest: str
    clip_ids: tuple[str, ...] = ()
    """Empty renders all."""
    source: str | None = None
    """Path of the recording when it moved."""
    captions: str | None = None
    """Preset to use instead of the manifest's; `none` turns captions off; None keeps it."""
    brand: str | None = None
    """Preset to take title card, bar, logo, intro and outro from; `none` takes them away."""
    emoji: bool | None = None
    platform: str | None = None
    subtitles: tuple[str, ...] | None = None
    aspect: Aspect | None = None
    layout: LayoutChoice | None = None
    encoder: str | None = None
    encoder_preset: str | None = None
    crf: int | None = None
    fps: str | None = None
    """`source` or a number. None, here and above, keeps what the manifest says of each clip."""
    jobs: int = 0
    """Clips rendered at once; 0 chooses by the number of cores."""
    overwrite: bool = False
    music: str | None = None
    """Path of the clips' music when it moved."""

    @property
    def changes(self) -> bool:
        """Whether clips are to be made otherwise than the manifest says."""
        asked = (
            self.captions, self.brand, self.emoji, self.platform, self.subtitles, self.aspect,
            self.layout, self.encoder, self.encoder_preset, self.crf, self.fps,
        )  # fmt: skip
        return any(value is not None for value in asked)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What to change about a clip of a manifest, in this order; all of it or nothing."""

    manifest: str
    clip: str | None = None
    """An id or a rank; not needed to undo, to do again, or for new clips."""
    undo: int = 0
    redo: int = 0
    correct: tuple[tuple[str, str], ...] = ()
    """What is read, and what is to be read instead."""
    put_back: tuple[TimeRange, ...] = ()
    start: str | None = None
    """`+2w` or `-1s`: so many words or sentences on or back; else seconds."""
    end: str | None = None
    cut: tuple[str | TimeRange, ...] = ()
    """Phrases or stretches to leave out."""
    split: str | None = None
    """Seconds, or the phrase that the second clip begins with."""
    merge: str | None = None
    """The id or rank of a clip to take in."""
    new: tuple[TimeRange, ...] = ()
    title: str | None = None
    description: str | None = None
    hashtags: tuple[str, ...] | None = None
    layout: LayoutChoice | None = None
    show: tuple[tuple[TimeRange, str], ...] = ()
    """When to show whom: the number of a track, or a speaker's name."""
    captions: str | None = None
    status: str | None = None
    """`kept`, `dropped` or `open`."""

    @property
    def changes_a_clip(self) -> bool:
        """Whether anything is asked of one clip."""
        given = (
            self.correct, self.put_back, self.cut, self.show, self.start, self.end, self.split,
            self.merge, self.title, self.description, self.layout, self.captions, self.status,
        )  # fmt: skip
        return self.hashtags is not None or any(value not in (None, ()) for value in given)
