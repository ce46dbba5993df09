"""What a request may ask for at all: told from its values alone, without a look at any file.

Light enough for the daemon, which asks this before it queues. Whether what is named is there, and
suits the recording, is asked in `options`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction

from reelremix.engine.captions.style import check_platform
from reelremix.engine.domain.request import (
    HIGHEST_MUSIC_DB,
    LOWEST_MUSIC_DB,
    MOST_CLIPS,
    SUBTITLE_KINDS,
    ClipRequest,
    EncodeOptions,
    SelectOptions,
    TranscribeOptions,
    check_device,
    check_speakers,
)
from reelremix.engine.domain.terms import words_asked_for
from reelremix.engine.domain.time import ZERO
from reelremix.engine.models.judge_address import check_judge
from reelremix.errors import ConfigError

MOST_JOBS = 64
LONGEST_S = 3600.0
"""Of a clip: beyond an hour nothing about it is short."""
LOWEST_RATE, HIGHEST_RATE = 1, 120
MOST_AT_ONCE = 64
"""Beams, and stretches of speech side by side: what any memory holds."""
SOURCE_RATE = "source"
_RATE = re.compile(r"\d{1,9}(\.\d{0,9})?(/\d{1,9})?")


def check_bounds(request: ClipRequest) -> None:
    """Raise ConfigError for a value that no recording could be clipped with."""
    check_select(request.select)
    check_transcribe(request.transcribe)
    check_subtitles(request.subtitles)
    check_platform(request.platform)
    check_music_level(request.sound.music_level_db)
    check_encode(request.encode)


def check_select(options: SelectOptions) -> None:
    """Raise ConfigError for a count, a length, a range or a judge that cannot be."""
    check_judge(options.judge)
    if options.count is not None and not 1 <= options.count <= MOST_CLIPS:
        raise ConfigError(
            f"--count must be auto or between 1 and {MOST_CLIPS} (got {options.count})"
        )
    if options.about is not None:
        words_asked_for(options.about, "--about")
        if options.ranges:
            raise ConfigError(
                "--about finds moments and --range gives them, so one of them has no use",
                hint="leave one out",
            )
    if not 0 < options.min_s <= options.max_s <= LONGEST_S:
        raise ConfigError(
            f"--min must be above 0 and at most --max, --max at most {LONGEST_S:g}"
            f" (got --min {options.min_s:g} --max {options.max_s:g})"
        )
    for span in options.ranges:
        if not ZERO <= span.start < span.end:
            asked = f"{span.start_s:g}-{span.end_s:g}"
            raise ConfigError(f"--range must end after it starts (got {asked!r})")


def check_transcribe(options: TranscribeOptions) -> None:
    """Raise ConfigError for a device or a number that cannot be."""
    check_speakers(options.speakers)
    check_device(options.device)
    for name, value in (("batch_size", options.batch_size), ("beam_size", options.beam_size)):
        if not 1 <= value <= MOST_AT_ONCE:
            raise ConfigError(f"{name} must be between 1 and {MOST_AT_ONCE} (got {value})")


def check_subtitles(kinds: Collection[str]) -> None:
    """Raise ConfigError for a kind of subtitle files there is not."""
    if unknown := [kind for kind in kinds if kind not in SUBTITLE_KINDS]:
        raise ConfigError(
            f"--subtitles must be none or some of {', '.join(SUBTITLE_KINDS)} (got {unknown[0]!r})"
        )


def check_music_level(level_db: float) -> None:
    """Raise ConfigError for music that would drown the speech, or not be heard."""
    if not LOWEST_MUSIC_DB <= level_db <= HIGHEST_MUSIC_DB:
        raise ConfigError(
            f"--music-level must be between {LOWEST_MUSIC_DB:g} and {HIGHEST_MUSIC_DB:g}"
            f" (got {level_db:g})"
        )


def check_encode(options: EncodeOptions) -> None:
    """Raise ConfigError for a quality, a rate or a number of jobs that cannot be."""
    check_quality(options.crf, options.jobs)
    given_rate(options.fps)


def check_quality(crf: int, jobs: int) -> None:
    """Raise ConfigError for a quality or a number of jobs out of its bounds."""
    if not 0 <= crf <= 51:
        raise ConfigError(f"--crf must be between 0 and 51 (got {crf})")
    if not 0 <= jobs <= MOST_JOBS:
        raise ConfigError(f"--jobs must be between 0 and {MOST_JOBS} (got {jobs})")


def given_rate(wanted: str) -> Fraction | None:
    """Frames a second as they were typed; None for those of the source.

    Raises:
        ConfigError: neither, or not between 1 and 120.
    """
    if wanted == SOURCE_RATE:
        return None
    try:
        if not _RATE.fullmatch(wanted):  # a fraction takes forever to read `1e999999999`
            raise ValueError(wanted)
        rate = Fraction(wanted)
    except (ValueError, ZeroDivisionError) as exc:
        raise ConfigError(f"--fps must be `source` or a number (got {wanted!r})") from exc
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ConfigError(f"--fps must be between {LOWEST_RATE} and {HIGHEST_RATE} (got {wanted})")
    return rate.limit_denominator(1001)
