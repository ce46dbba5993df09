"""What a request asks for: checked before any work is done, and as the manifest lists it.

A typing mistake must not cost an hour of listening first, nor a folder that was to be replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from reelremix.config import expanded
from reelremix.engine.bounds import check_bounds, check_quality, given_rate
from reelremix.engine.captions.naming import is_path
from reelremix.engine.codec import to_plain
from reelremix.engine.domain.choice import Censor
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.request import (
    AUTO,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    JudgeOptions,
    SoundOptions,
)
from reelremix.engine.domain.source import VideoFormat
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.media.encode import EncoderSettings, require_encoder
from reelremix.engine.media.hardware import choose_encoder
from reelremix.engine.models.judge_address import check_judge
from reelremix.engine.models.whisper import choose_whisper
from reelremix.engine.stages.branding import dress_of
from reelremix.engine.stages.censor import word_list
from reelremix.engine.stages.mixing import require_music
from reelremix.engine.store.files import file_sha256
from reelremix.errors import ConfigError, NoAudioStream

FACE_MODEL = "blazeface"
COMMON_RATES = tuple(
    Fraction(text)
    for text in ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")
)
MAX_RATE = Fraction(60)


def check_clip_request(request: ClipRequest, subject: Subject, ctx: RunContext) -> None:
    """Whether everything the request names is there and makes sense.

    Raises:
        SourceError: the transcript that is given cannot be read.
        ConfigError: an option is out of its bounds, or names a preset, font or rate there is not.
        RenderError: the encoder does not exist or refuses its settings.
        ModelError: weights or system libraries are missing.
    """
    check_bounds(request)
    check_ranges(request.select.ranges, subject)
    has_audio = subject.presentation.audio is not None
    hears = request.transcribe.transcript is None and (has_audio or not request.select.ranges)
    if hears:
        require_audio(subject)
    check_named(request, ctx, hears=hears)


def check_named(request: ClipRequest, ctx: RunContext, *, hears: bool) -> None:
    """Whether everything is there that a request names besides its recording.

    `hears` says that somebody is to be listened to. Raises what `check_clip_request` does.
    """
    heard = request.transcribe
    if heard.transcript is not None:
        read_transcript(Path(heard.transcript))
    if hears:
        choose_whisper(heard.model, heard.device, ctx.models)
    dressed = dress_of(request.captions, request.brand, ctx.presets_dir)
    if request.frame.faces:
        ctx.models.folder(FACE_MODEL)
    check_sound(request.sound)
    if not request.plan_only:
        encode = request.encode
        check_encoder(encode.encoder, encode.preset, encode.crf)
        check_canvas(draws=dressed.draws)


def check_sound(sound: SoundOptions) -> None:
    """Whether the music and the list of words can be read.

    Raises:
        UnreadableMedia: the music cannot be played.
        ConfigError: the list of words cannot be read.
    """
    if sound.music is not None:
        require_music(expanded(sound.music, "--music"))
    if sound.censor is not Censor.OFF:
        word_list(None, own_words(sound))


def own_words(sound: SoundOptions) -> Path | None:
    """Where the user's own list of words is."""
    return expanded(sound.censor_words, "censor_words") if sound.censor_words else None


def require_audio(subject: Subject) -> None:
    """Raise NoAudioStream for a recording nobody can be heard in."""
    if subject.presentation.audio is None:
        name = subject.source.name
        raise NoAudioStream(
            f"{name} has no audio stream, so there is nothing to transcribe",
            hint=f"`reelremix probe {name}` lists its streams;"
            " `--transcript FILE` supplies the words",
        )


def check_ranges(ranges: Sequence[TimeRange], subject: Subject) -> None:
    """Raise ConfigError for a range behind the end, shorter than a frame, or given twice."""
    end, frame_s = subject.presentation.picture_end, 1 / subject.presentation.picture.frame_rate
    for span in ranges:
        asked = f"--range {span.start_s:g}-{span.end_s:g}"
        if span.start >= end:
            name = subject.source.name
            raise ConfigError(f"{asked} begins after the end of {name} ({end.seconds:.2f} s)")
        if (span.end - span.start).exact < frame_s / 2:
            raise ConfigError(f"{asked} is shorter than a frame")
        if ranges.count(span) > 1:
            raise ConfigError(f"{asked} is given twice")


def check_output(output: OutputFormat, jobs: int, *, draws: bool) -> None:
    """Whether films like this can be written here.

    Raises:
        ConfigError: the quality or the number of jobs is out of its bounds.
        RenderError: the encoder does not exist or refuses its settings.
        ModelError: captions need system libraries that are missing.
    """
    check_quality(output.crf, jobs)
    check_encoder(output.encoder, output.encoder_preset, output.crf)
    check_canvas(draws=draws)


def check_encoder(name: str, preset: str, crf: int) -> None:
    """Raise RenderError for an encoder that does not exist or refuses its settings."""
    require_encoder(EncoderSettings(choose_encoder(name).name, preset, crf, threads=1))


def check_canvas(*, draws: bool) -> None:
    """Raise ModelError where something is to be drawn and system libraries are missing."""
    if draws:
        from reelremix.engine.captions.skia_canvas import Picture

        Picture(2, 2)


def output_format(frame: FrameOptions, encode: EncodeOptions, picture: VideoFormat) -> OutputFormat:
    """The film to make of a picture. Raises ConfigError for a rate that is not one."""
    width, height = frame.aspect.size_px
    rate = output_rate(encode.fps, picture)
    return OutputFormat(width, height, rate, encode.encoder, encode.preset, encode.crf)


def output_rate(wanted: str, picture: VideoFormat) -> Fraction:
    """Frames a second: `source` (a common rate where that varies) or a number.

    Raises:
        ConfigError: neither, or not between 1 and 120.
    """
    given = given_rate(wanted)
    if given is not None:
        return given
    rate = picture.frame_rate
    if picture.is_variable_rate:
        rate = min(COMMON_RATES, key=lambda common: abs(common - rate))
    return min(rate, MAX_RATE)


def options_of(request: ClipRequest) -> dict[str, Any]:
    """Every effective option, as the manifest lists them.

    Raises:
        ConfigError: the judge's address cannot be listed, because it may hold a password.
    """
    heard, selected, encode = request.transcribe, request.select, request.encode
    given = Path(heard.transcript) if heard.transcript else None
    return {
        "model": heard.model,
        "language": heard.language,
        "initial_prompt": heard.initial_prompt,
        "vocabulary": list(heard.vocabulary),
        "device": heard.device,
        "speakers": heard.speakers,
        "transcript": given.name if given else None,
        "transcript_sha256": file_sha256(given) if given and given.is_file() else None,
        "align": heard.align if given else None,
        "audio_stream": request.audio_stream,
        "count": AUTO if selected.count is None else selected.count,
        "min_s": selected.min_s,
        "max_s": selected.max_s,
        "ranges": [[r.start_s, r.end_s] for r in selected.ranges],
        "about": selected.about,
        "judge": _judge(selected.judge),
        "aspect": request.frame.aspect.value,
        "faces": request.frame.faces,
        "layout": request.frame.layout.value,
        "zoom": request.frame.zoom.value,
        **_presets(request),
        "emoji": request.emoji,
        "platform": request.platform,
        "subtitles": list(request.subtitles),
        "tighten": request.tighten.value,
        **_sound(request.sound),
        "encoder": encode.encoder,
        "encoder_preset": encode.preset,
        "crf": encode.crf,
        "fps": encode.fps,
        "jobs": encode.jobs,
        "plan": request.plan_only,
    }


def _presets(request: ClipRequest) -> dict[str, Any]:
    """Presets by name; a file that is given by its path by content too."""
    asked = {"captions": request.captions or "none", "brand": request.brand}
    files = {name: Path(text) for name, text in asked.items() if text and is_path(text)}
    names = {name: path.stem for name, path in files.items()}
    return asked | names | {f"{name}_sha256": _digest(path) for name, path in files.items()}


def _sound(sound: SoundOptions) -> dict[str, Any]:
    """What is done to the sound; files by name and content."""
    own = own_words(sound) if sound.censor is not Censor.OFF else None
    return {
        "denoise": sound.denoise,
        "voice_level": sound.voice_level,
        "music": Path(sound.music).name if sound.music else None,
        "music_sha256": _digest(expanded(sound.music, "--music") if sound.music else None),
        "music_level_db": sound.music_level_db,
        "censor": sound.censor.value,
        "censor_words_sha256": _digest(own),
    }


def _digest(path: Path | None) -> str | None:
    return file_sha256(path) if path is not None and path.is_file() else None


def _judge(options: JudgeOptions) -> dict[str, Any] | None:
    """Who judges and within which limits; None without one."""
    check_judge(options)
    return to_plain(options) if options.endpoint.strip() else None
