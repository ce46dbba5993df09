"""What a request may ask for at all."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from reelremix.engine.bounds import check_bounds, given_rate
from reelremix.engine.domain.request import (
    ClipRequest,
    EncodeOptions,
    SelectOptions,
    SoundOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.time import TimeRange
from reelremix.errors import ConfigError

ASKED = ClipRequest("/talk.mp4")


def test_what_is_asked_by_default_is_within_bounds() -> None:
    check_bounds(ASKED)


@pytest.mark.parametrize(("change", "said"), [
    ({"select": SelectOptions(count=0)}, "--count"),
    ({"select": SelectOptions(max_s=float("nan"))}, "--min must"),
    ({"select": SelectOptions(ranges=(TimeRange.from_seconds(3, 3),))}, "--range must end after"),
    ({"select": SelectOptions(ranges=(TimeRange.from_seconds(-3, 3),))}, "--range must end after"),
    ({"transcribe": TranscribeOptions(speakers="none")}, "--speakers"),
    ({"transcribe": TranscribeOptions(device="gpu")}, "--device"),
    ({"transcribe": TranscribeOptions(batch_size=10**9)}, "batch_size"),
    ({"sound": SoundOptions(music_level_db=float("nan"))}, "--music-level"),
    ({"encode": EncodeOptions(crf=-1)}, "--crf"),
    ({"encode": EncodeOptions(jobs=65)}, "--jobs"),
    ({"encode": EncodeOptions(fps="121")}, "--fps"),
    ({"subtitles": ("srt", "sub")}, "--subtitles"),
    ({"platform": "myspace"}, "--platform"),
])  # fmt: skip
def test_what_no_recording_could_be_clipped_with_is_refused(
    change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check_bounds(replace(ASKED, **change))


@pytest.mark.parametrize("wanted", ["1e999999999", "1/1e9", "9" * 5000, "inf", "25 ", "²"])
def test_a_rate_that_takes_forever_to_read_is_refused_at_once(wanted: str) -> None:
    with pytest.raises(ConfigError, match="--fps must be"):
        given_rate(wanted)


def test_rates_are_as_they_are_typed() -> None:
    assert [given_rate(text) for text in ("source", "25", "29.97", "30000/1001")] == [
        None, Fraction(25), Fraction(2997, 100), Fraction(30000, 1001),
    ]  # fmt: skip


def test_bounds_are_light_enough_for_the_daemon() -> None:
    code = (
        "import sys, reelremix.engine.bounds;"
        "print({'av', 'numpy', 'ctranslate2', 'skia', 'uharfbuzz'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
