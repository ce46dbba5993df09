from __future__ import annotations

import av
import pytest

from reelremix.engine.media.hardware import (
    HARDWARE,
    SOFTWARE,
    choose_encoder,
    pixel_format,
    works,
)
from reelremix.errors import RenderError


def test_auto_takes_the_first_hardware_encoder_that_opens() -> None:
    chosen = choose_encoder("auto", lambda name: name in ("h264_qsv", SOFTWARE))
    assert (chosen.name, chosen.notice) == ("h264_qsv", None)


def test_auto_falls_back_to_software_without_a_word() -> None:
    chosen = choose_encoder("auto", lambda name: name == SOFTWARE)
    assert (chosen.name, chosen.notice) == (SOFTWARE, None)


@pytest.mark.parametrize("wanted", HARDWARE)
def test_hardware_that_does_not_open_falls_back_with_a_notice(wanted: str) -> None:
    chosen = choose_encoder(wanted, lambda name: name == SOFTWARE)
    assert chosen.name == SOFTWARE
    assert wanted in (chosen.notice or "")


def test_what_opens_is_taken_as_asked() -> None:
    assert choose_encoder("libx265", lambda _: True).name == "libx265"


def test_an_unknown_encoder_is_refused_with_those_that_exist() -> None:
    with pytest.raises(RenderError, match="'h265_magic' is not available") as caught:
        choose_encoder("h265_magic")
    assert SOFTWARE in (caught.value.hint or "")


@pytest.mark.parametrize(("name", "expected"), [(SOFTWARE, True), ("aac", False), ("nope", False)])
def test_only_video_encoders_that_encode_work(name: str, expected: bool) -> None:
    assert works(name) is expected


@pytest.mark.parametrize("encoder", [e for e in HARDWARE if e in av.codecs_available])
def test_hardware_is_fed_pixels_it_takes(encoder: str) -> None:
    formats = av.codec.Codec(encoder, "w").video_formats or ()
    assert pixel_format(encoder) in {form.name for form in formats}


def test_software_is_fed_pixels_as_they_are() -> None:
    assert pixel_format(SOFTWARE) == "yuv420p"
