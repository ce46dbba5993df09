from __future__ import annotations

from dataclasses import replace
from typing import Any

from reelremix.engine.export.clip_entry import drawn_of
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.export.tracks import renumbered
from tests.engine.examples import CLIP, MANIFEST
from tests.engine.export.documents import PATH, content


def test_a_clip_without_a_judge_does_not_mention_one() -> None:
    document = manifest_to_dict(replace(MANIFEST, clips=(replace(CLIP, judge=None),)))
    assert "judge" not in document["clips"][0]
    [found] = clips_from_dict(document, PATH)
    assert found.judge is None


def test_all_six_axes_are_always_present() -> None:
    document = manifest_to_dict(replace(MANIFEST, clips=(replace(CLIP, score=None),)))
    assert document["clips"][0]["score"]["axes"] == dict.fromkeys(
        ("hook", "payoff", "standalone", "emotion", "reaction", "delivery")
    )


def test_times_have_at_most_six_decimals() -> None:
    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            return [n for item in inner for n in numbers(item)]
        return [value] if isinstance(value, float) else []

    assert all(round(n, 6) == n for n in numbers(content()))


def test_a_film_does_not_show_how_faces_are_numbered() -> None:
    assert drawn_of(renumbered(CLIP, (), 10)[0]) == drawn_of(CLIP)
