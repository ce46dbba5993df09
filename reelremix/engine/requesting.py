"""What is asked for, from settings: the same for the command line and for watched folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelremix.config import Settings
from reelremix.engine.domain.choice import (
    Censor,
    Choice,
    GpuFull,
    LayoutChoice,
    Tighten,
    Zoom,
    one_of,
)
from reelremix.engine.domain.request import (
    AUTO,
    OFF,
    SUBTITLE_KINDS,
    Aspect,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    JudgeOptions,
    SelectOptions,
    SoundOptions,
    TranscribeOptions,
    check_device,
)
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import ConfigError


def clip_request(settings: Settings, source: str, **more: Any) -> ClipRequest:
    """Clips of a recording as the settings say; `more` is what no setting says.

    Raises ConfigError.
    """
    asked: dict[str, Any] = {
        "out": settings.out,
        "captions": None if settings.captions == "none" else settings.captions,
        "brand": settings.brand or None,
        "platform": settings.platform or None,
        "subtitles": subtitle_kinds(settings.subtitles),
        "transcribe": transcribe_options(settings),
        "select": select_options(settings),
        "frame": frame_options(settings),
        "encode": encode_options(settings),
        "tighten": tighten_level(settings),
        "sound": sound_options(settings),
    }
    return ClipRequest(source, **{**asked, **more})


def subtitle_kinds(text: str) -> tuple[str, ...]:
    """The kinds of subtitle files named. Raises ConfigError."""
    named = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if named == ("none",):
        return ()
    if not named or not set(named) <= set(SUBTITLE_KINDS):
        raise ConfigError(
            f"--subtitles must be none or some of {', '.join(SUBTITLE_KINDS)} (got {text!r})"
        )
    return named


def aspect_of(settings: Settings) -> Aspect:
    """The output's shape. Raises ConfigError."""
    return choice_of(Aspect, settings.aspect, "--aspect")


def layout_of(settings: Settings) -> LayoutChoice:
    """How people are shown. Raises ConfigError."""
    return choice_of(LayoutChoice, settings.layout, "--layout")


def frame_options(settings: Settings) -> FrameOptions:
    """How the picture is reframed. Raises ConfigError."""
    return FrameOptions(
        aspect_of(settings),
        settings.faces,
        layout_of(settings),
        choice_of(Zoom, settings.zoom, "--zoom"),
        speaker_network=settings.speakers != OFF,
    )


def transcribe_options(settings: Settings, transcript: Path | None = None) -> TranscribeOptions:
    """How to listen, from settings. Raises ConfigError."""
    check_device(settings.device)
    return TranscribeOptions(
        model=settings.model,
        language=settings.language or None,
        initial_prompt=settings.initial_prompt or None,
        vocabulary=tuple(w.strip() for w in settings.vocabulary.split(",") if w.strip()),
        device=settings.device,
        transcript=str(transcript) if transcript else None,
        align=settings.align,
        speakers=settings.speakers,
        gpu_full=choice_of(GpuFull, settings.gpu_full, "gpu_full"),
    )


def select_options(
    settings: Settings, ranges: Sequence[TimeRange] = (), about: str | None = None
) -> SelectOptions:
    """What to choose, from settings. Raises ConfigError."""
    if settings.max < settings.min:
        raise ConfigError(
            f"--max must be at least --min (got --min {settings.min:g} --max {settings.max:g})"
        )
    return SelectOptions(
        count=None if settings.count == AUTO else int(settings.count),
        min_s=settings.min,
        max_s=settings.max,
        ranges=tuple(ranges),
        judge=judge_options(settings),
        about=about,
    )


def judge_options(settings: Settings) -> JudgeOptions:
    """Who judges, from settings. Raises ConfigError."""
    from reelremix.engine.models.judge_address import check_judge

    judge = JudgeOptions(
        endpoint=settings.judge,
        model=settings.judge_model,
        budget_s=settings.judge_budget_s,
        calls=settings.judge_calls,
        tokens=settings.judge_tokens,
    )
    check_judge(judge)
    return judge


def tighten_level(settings: Settings) -> Tighten:
    """How much is cut out. Raises ConfigError."""
    return choice_of(Tighten, settings.tighten, "--tighten")


def sound_options(settings: Settings) -> SoundOptions:
    """What is done to the sound, from settings. Raises ConfigError."""
    return SoundOptions(
        denoise=settings.denoise,
        voice_level=settings.voice_level,
        music=settings.music or None,
        music_level_db=settings.music_level,
        censor=choice_of(Censor, settings.censor, "--censor"),
        censor_words=settings.censor_words or None,
    )


def choice_of(kind: type[Choice], text: str, flag: str) -> Choice:
    """The word that is meant. Raises ConfigError with all there are."""
    try:
        return one_of(kind, text, flag)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc


def encode_options(settings: Settings) -> EncodeOptions:
    """How to write files, from settings."""
    return EncodeOptions(
        encoder=settings.encoder,
        preset=settings.encoder_preset,
        crf=settings.crf,
        fps=settings.fps,
        jobs=settings.jobs,
    )
