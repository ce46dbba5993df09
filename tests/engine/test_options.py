from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.request import (
    Aspect,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    JudgeOptions,
    SelectOptions,
    TranscribeOptions,
)
from reelremix.engine.domain.subject import Subject
from reelremix.engine.options import check_clip_request, options_of, output_format
from reelremix.errors import ConfigError, ModelNotInstalled, RenderError, UnreadableMedia
from tests.cli.commandline import words_file
from tests.fakes import LANDSCAPE_720, presented, run_context, spoken
from tests.media_factory import plain_film


def rate(wanted: str, source: str = "25", *, variable: bool = False) -> Fraction:
    picture = replace(LANDSCAPE_720, frame_rate=Fraction(source), is_variable_rate=variable)
    return output_format(FrameOptions(), EncodeOptions(fps=wanted), picture).frame_rate


@pytest.mark.parametrize("source", ["24000/1001", "25", "30000/1001", "60", "12"])
def test_a_constant_rate_is_kept(source: str) -> None:
    assert rate("source", source) == Fraction(source)


def test_a_very_high_rate_is_lowered() -> None:
    assert rate("source", "240") == 60


@pytest.mark.parametrize(("mean", "common"), [("2997/100", "30000/1001"), ("241/10", "24"),
                                              ("48", "50")])  # fmt: skip
def test_a_variable_rate_becomes_the_nearest_common_one(mean: str, common: str) -> None:
    assert rate("source", mean, variable=True) == Fraction(common)


def test_a_rate_may_be_asked_for() -> None:
    assert rate("23.976") == Fraction(2997, 125)
    assert rate("30000/1001") == Fraction(30000, 1001)


@pytest.mark.parametrize("wanted", ["", "fast", "0", "-5", "1/0", "121", "nan"])
def test_a_rate_that_is_none_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigError, match="--fps must be"):
        rate(wanted)


@pytest.mark.parametrize("aspect", Aspect)
def test_every_shape_has_even_sides_of_its_ratio(aspect: Aspect) -> None:
    output = output_format(FrameOptions(aspect), EncodeOptions(), LANDSCAPE_720)
    across, down = map(int, aspect.value.split(":"))
    assert output.width_px * down == output.height_px * across
    assert output.width_px % 2 == output.height_px % 2 == 0


def test_a_transcript_counts_by_its_content(tmp_path: Path) -> None:
    def listed(content: str) -> dict[str, object]:
        (tmp_path / "words.json").write_text(content)
        options = ClipRequest("a.mp4").transcribe
        given = replace(options, transcript=str(tmp_path / "words.json"))
        return options_of(ClipRequest("a.mp4", transcribe=given))

    first, second = listed("{}"), listed("[]")
    assert first["transcript"] == second["transcript"] == "words.json"
    assert first["transcript_sha256"] != second["transcript_sha256"]


def test_a_judge_is_listed_with_its_limits_and_nobody_is_null() -> None:
    assert options_of(ClipRequest("a.mp4"))["judge"] is None
    select = SelectOptions(judge=JudgeOptions("ollama:qwen2.5", budget_s=60))
    assert options_of(ClipRequest("a.mp4", select=select))["judge"] == {
        "endpoint": "ollama:qwen2.5", "model": "", "budget_s": 60, "calls": 60, "tokens": 200_000,
    }  # fmt: skip


def test_a_judge_with_a_password_is_listed_nowhere() -> None:
    select = SelectOptions(judge=JudgeOptions("http://joe:hunter2@h/v1"))
    with pytest.raises(ConfigError) as raised:
        options_of(ClipRequest("a.mp4", select=select))
    assert "hunter2" not in str(raised.value)


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """A short film."""
    path = plain_film(tmp_path / "a.mp4", 1, size=(160, 90))
    return Subject(path, presented(path))


def asked(**more: Any) -> ClipRequest:
    """A request that this machine can fulfil without models."""
    words_file(Path("words.json"), spoken("Hello there."))
    usual: dict[str, Any] = {
        "frame": FrameOptions(faces=False),
        "transcribe": TranscribeOptions(transcript="words.json"),
    }
    return ClipRequest("a.mp4", **usual | more)


def test_a_request_that_makes_sense_passes(subject: Subject) -> None:
    check_clip_request(asked(), subject, run_context())


WRONG: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "no preset named 'comic'": ({"captions": "comic"}, ConfigError),
    "--fps must be": ({"encode": EncodeOptions(fps="abc")}, ConfigError),
    "--crf must be": ({"encode": EncodeOptions(crf=52)}, ConfigError),
    "--jobs must be": ({"encode": EncodeOptions(jobs=-1)}, ConfigError),
    "--encoder-preset must be": ({"encode": EncodeOptions(preset="warp")}, ConfigError),
    "'nope' is not available": ({"encode": EncodeOptions(encoder="nope")}, RenderError),
    "--count must be": ({"select": SelectOptions(count=0)}, ConfigError),
    "neither ollama:MODEL": ({"select": SelectOptions(judge=JudgeOptions("gpt"))}, ConfigError),
    "--min must be": ({"select": SelectOptions(min_s=9, max_s=8)}, ConfigError),
    "--min must be above 0": ({"select": SelectOptions(min_s=-1)}, ConfigError),
    "'blazeface' is not installed": ({"frame": FrameOptions()}, ModelNotInstalled),
    "no.json": ({"transcribe": TranscribeOptions(transcript="no.json")}, UnreadableMedia),
    "'base' is not installed": ({"transcribe": TranscribeOptions("base")}, ModelNotInstalled),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_with_a_request_is_said_before_any_work(
    subject: Subject, message: str
) -> None:
    change, kind = WRONG[message]
    ctx: RunContext = run_context()
    with pytest.raises(kind, match=message):
        check_clip_request(asked(**change), subject, ctx)


def test_a_plan_needs_no_encoder(subject: Subject) -> None:
    plan = asked(plan_only=True, encode=EncodeOptions(encoder="nope"))
    check_clip_request(plan, subject, run_context())


def test_the_output_is_as_asked() -> None:
    made = output_format(
        FrameOptions(Aspect.SQUARE), EncodeOptions("libx264", "slow", 18, "30"), LANDSCAPE_720
    )
    assert (made.width_px, made.height_px) == (1080, 1080) and made.frame_rate == 30
    assert (made.encoder, made.encoder_preset, made.crf) == ("libx264", "slow", 18)


def test_a_preset_given_by_its_path_is_listed_by_name_and_content(tmp_path: Path) -> None:
    listed = []
    for folder, text in (("a", "size = 0.05"), ("b", "size = 0.06")):
        path = tmp_path / folder / "mine.toml"
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        listed.append(options_of(ClipRequest("talk.mp4", captions=str(path))))
    assert [options["captions"] for options in listed] == ["mine", "mine"]
    assert listed[0]["captions_sha256"] != listed[1]["captions_sha256"]
    assert "captions_sha256" not in options_of(ClipRequest("talk.mp4"))
