"""Options that several commands share, declared once, and how their text is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from reelremix.config import Settings
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import ConfigError, UnreadableMedia

LISTENING = "Listening"
CHOOSING = "Choosing"
PICTURE = "Picture"
SOUND = "Sound"
FILES = "Files"
RUNNING = "Running"
SHOWING = "Showing"
Sources = Annotated[
    list[str],
    typer.Argument(
        help="Recordings, folders of them, or web addresses.",
        show_default=False,
        metavar="SOURCE...",
    ),
]
"""Whether a file can be read is found out where it is read, so that the others go on."""
Source = Annotated[str, typer.Argument(help="A recording, or its web address.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.", rich_help_panel=SHOWING)]
Progress = Annotated[
    str | None,
    typer.Option(
        help="How to show progress: bar, plain or json (one event a line, on stderr).",
        rich_help_panel=SHOWING,
    ),
]
QuietFlag = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=SHOWING)
]
Model = Annotated[
    str | None,
    typer.Option(
        help="Whisper model: a name, a folder, or auto.",
        show_default="auto",
        rich_help_panel=LISTENING,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(
        help="Language spoken, such as en.", show_default="detected", rich_help_panel=LISTENING
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(help="Text that sets style and spelling.", rich_help_panel=LISTENING),
]
Vocabulary = Annotated[
    str | None,
    typer.Option(help="Names and terms, separated by commas.", rich_help_panel=LISTENING),
]
Device = Annotated[
    str | None,
    typer.Option(help="auto, cpu or cuda.", show_default="auto", rich_help_panel=LISTENING),
]
Speakers = Annotated[
    str | None,
    typer.Option(
        help="How many people speak: a number, auto, or off.",
        show_default="auto",
        rich_help_panel=LISTENING,
    ),
]
AudioStream = Annotated[
    str | None,
    typer.Option(
        help="Audio stream: its index or language.",
        show_default="the default one",
        rich_help_panel=LISTENING,
    ),
]
TranscriptFile = Annotated[
    Path | None,
    typer.Option(
        "--transcript", help="Use these words (JSON, SRT, VTT).", rich_help_panel=LISTENING
    ),
]
Align = Annotated[
    bool | None,
    typer.Option(
        "--align/--no-align",
        help="Find when the words of --transcript are heard, where it does not say.",
        show_default="yes",
        rich_help_panel=LISTENING,
    ),
]
InstallModels = Annotated[
    bool,
    typer.Option("--install-models", help="Download a missing model.", rich_help_panel=LISTENING),
]
Count = Annotated[
    str | None,
    typer.Option(
        metavar="N|auto",
        help="Most clips to make; auto takes as many as are good.",
        show_default="10",
        rich_help_panel=CHOOSING,
    ),
]
MinLength = Annotated[
    float | None,
    typer.Option(
        "--min", min=1, help="Shortest clip, seconds.", show_default="15", rich_help_panel=CHOOSING
    ),
]
MaxLength = Annotated[
    float | None,
    typer.Option(
        "--max", min=1, help="Longest clip, seconds.", show_default="60", rich_help_panel=CHOOSING
    ),
]
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="START-END",
        help="Clip exactly this, such as 63.1-91.4 or 1:03-1:31. Repeatable.",
        rich_help_panel=CHOOSING,
    ),
]
About = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help='Only moments about this, such as "hiring mistakes".',
        show_default="anything",
        rich_help_panel=CHOOSING,
    ),
]
Judge = Annotated[
    str | None,
    typer.Option(
        metavar="ollama:MODEL|URL",
        help="Let a language model compare the best moments and write titles.",
        show_default="nobody",
        rich_help_panel=CHOOSING,
    ),
]
JudgeModel = Annotated[
    str | None,
    typer.Option(
        help="The judge's model, where --judge is an address.",
        show_default="its first",
        rich_help_panel=CHOOSING,
    ),
]
TightenLevel = Annotated[
    str | None,
    typer.Option(
        "--tighten",
        metavar="off|light|strong",
        help="Cut out fillers and long silences; strong takes false starts too.",
        show_default="off",
        rich_help_panel=CHOOSING,
    ),
]
CensorMode = Annotated[
    str | None,
    typer.Option(
        "--censor",
        metavar="off|bleep|mute",
        help="Mask strong profanity in text, and bleep or mute it.",
        show_default="off",
        rich_help_panel=SOUND,
    ),
]
Denoise = Annotated[
    bool | None,
    typer.Option(
        "--denoise/--no-denoise",
        help="Take steady noise away, gently.",
        show_default="no",
        rich_help_panel=SOUND,
    ),
]
VoiceLevel = Annotated[
    bool | None,
    typer.Option(
        "--voice-level/--no-voice-level",
        help="Bring quiet and loud voices closer together.",
        show_default="no",
        rich_help_panel=SOUND,
    ),
]
MusicFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Play this under the speech, quieter while somebody speaks.",
        show_default="none",
        rich_help_panel=SOUND,
    ),
]
MusicLevel = Annotated[
    float | None,
    typer.Option(
        "--music-level",
        metavar="DB",
        help="How loud the music is in pauses, against the speech.",
        show_default="-12",
        rich_help_panel=SOUND,
    ),
]
Captions = Annotated[
    str | None,
    typer.Option(help="Caption preset, or none.", show_default="bold", rich_help_panel=PICTURE),
]
Brand = Annotated[
    str | None,
    typer.Option(
        help="Preset whose title card, bar, logo, intro and outro to show, or none.",
        show_default="the captions' own",
        rich_help_panel=PICTURE,
    ),
]
Emoji = Annotated[
    bool | None,
    typer.Option(
        "--emoji/--no-emoji",
        help="Fitting emoji above some captions (English).",
        show_default="as the preset says",
        rich_help_panel=PICTURE,
    ),
]
Platform = Annotated[
    str | None,
    typer.Option(
        help="Keep captions clear of its interface: tiktok, reels, shorts or all.",
        show_default="as the preset says",
        rich_help_panel=PICTURE,
    ),
]
Subtitles = Annotated[
    str | None,
    typer.Option(
        metavar="KIND,...|none",
        help="Subtitle files beside each clip: srt, vtt, ass.",
        show_default="srt",
        rich_help_panel=FILES,
    ),
]
AspectRatio = Annotated[
    str | None,
    typer.Option(
        "--aspect", help="9:16, 1:1, 4:5 or 16:9.", show_default="9:16", rich_help_panel=PICTURE
    ),
]
LayoutOf = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="auto, single, split, screen, fit or center.",
        show_default="auto",
        rich_help_panel=PICTURE,
    ),
]
ZoomOf = Annotated[
    str | None,
    typer.Option(
        "--zoom",
        help="Cut to a tighter picture: off, cuts or emphasis.",
        show_default="cuts",
        rich_help_panel=PICTURE,
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="auto, libx264, h264_nvenc, ...", show_default="auto", rich_help_panel=PICTURE
    ),
]
EncoderPreset = Annotated[
    str | None, typer.Option(help="x264 preset.", show_default="veryfast", rich_help_panel=PICTURE)
]
Crf = Annotated[
    int | None,
    typer.Option(
        min=0, max=51, help="Quality, lower is better.", show_default="20", rich_help_panel=PICTURE
    ),
]
Fps = Annotated[
    str | None,
    typer.Option(help="source or a number.", show_default="source", rich_help_panel=PICTURE),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=64,
        help="Clips rendered at once.",
        show_default="by cores",
        rich_help_panel=PICTURE,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder to write into.", show_default="clips", rich_help_panel=FILES),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace a finished run.", rich_help_panel=FILES),
]


RENAMED = {"minimum": "min", "maximum": "max"}
"""Parameters that cannot bear their setting's name."""


def typed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among a command's parameters, by setting name; None where not typed."""
    known = {field.name for field in fields(Settings)}
    named = {RENAMED.get(name, name): value for name, value in parameters.items()}
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in named.items()
        if name in known
    }


def expand_sources(sources: list[str]) -> list[str]:
    """Folders replaced by the recordings in them, sorted.

    A folder that gives none stays, to fail in its turn like any other source.
    """
    found: list[str] = []
    for source in sources:
        try:
            found += [str(path) for path in _recordings_in(Path(source))] or [source]
        except OSError:  # a file, or what `require_recording` and the engine explain
            found.append(source)
    return [source if "://" in source else str(Path(source)) for source in found]


def require_recording(source: str) -> None:
    """Raise UnreadableMedia for a folder that `expand_sources` found nothing in."""
    folder = Path(source)
    if not folder.is_dir():
        return
    try:
        found = _recordings_in(folder)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise UnreadableMedia(
            f"{source} cannot be opened: {reason}",
            hint="check who may read the folder with `ls -ld`",
        ) from exc
    if not found:
        raise UnreadableMedia(
            f"{source} holds no recordings", hint="name a file, or another folder"
        )


def _recordings_in(folder: Path) -> list[Path]:
    from reelremix.engine.domain.source import MEDIA_SUFFIXES

    inside = sorted(folder.iterdir())
    return [p for p in inside if p.is_file() and p.suffix.lower() in MEDIA_SUFFIXES]


def parse_range(text: str, option: str = "--range") -> TimeRange:
    """`63.1-91.4`, `1:03-1:31`, `1:02:03.5-1:02:40`. Raises ConfigError."""
    start, dash, end = text.partition("-")
    try:
        span = TimeRange.from_seconds(_seconds(start), _seconds(end))
    except ValueError as exc:
        raise ConfigError(f"{option} must look like 63.1-91.4 or 1:03-1:31 (got {text!r})") from exc
    if not dash or span.end <= span.start:
        raise ConfigError(f"{option} must end after it starts (got {text!r})")
    return span


def is_range(text: str) -> bool:
    """Whether a text is a stretch of time rather than words."""
    return bool(re.fullmatch(r"[\d:.\s]+-[\d:.\s]+", text))


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\s*(\d+:){0,2}\d+(\.\d+)?\s*", text):
        raise ValueError(text)
    value = 0.0
    for part in text.split(":"):
        value = value * 60 + float(part)
    return value


def require_captions(captions: str | None, emoji: bool | None, platform: str | None) -> None:
    """Raise ConfigError for flags about captions where there are to be none."""
    require_use("--emoji", emoji, captions != "none", "with --captions none")
    require_use("--platform", platform, captions != "none", "with --captions none")


def require_use(flag: str, given: object, is_used: bool, otherwise: str) -> None:
    """Raise ConfigError for a flag that would change nothing."""
    if given and not is_used:
        raise ConfigError(f"{flag} changes nothing {otherwise}")
