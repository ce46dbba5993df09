"""What docs/captions.md says of presets is what the code has."""

from __future__ import annotations

import pytest

from reelremix.engine.captions.preset import preset_names
from reelremix.engine.captions.reference import reference_table
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "captions.md").read_text(encoding="utf-8")


def test_the_table_of_keys_is_that_of_the_code() -> None:
    assert reference_table() in PAGE, "run `python docs/make_samples.py`"


@pytest.mark.parametrize("name", preset_names())
def test_every_style_is_shown_with_a_small_picture(name: str) -> None:
    assert f"(captions/{name}.png)" in PAGE
    picture = (REPOSITORY / "docs" / "captions" / f"{name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) < 60_000
