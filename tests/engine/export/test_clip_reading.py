from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from reelremix.engine.domain.bookends import Bookend, Fit
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_to_bytes, manifest_to_dict
from reelremix.errors import ConfigError
from tests.contract.schemas import faults
from tests.engine.examples import CLIP, MANIFEST
from tests.engine.export.documents import PATH, content, same

ASSETS = (Asset("in.mp4", "a" * 64), Asset("out.png", "b" * 64))
BRAND = Brand("mine", intro=Bookend("in.mp4", 2.04, Fit.FIT), outro=Bookend("out.png", 3.0),
              assets=ASSETS)  # fmt: skip


def branded() -> dict[str, Any]:
    """The same with an intro and an outro."""
    clips = (replace(CLIP, brand=BRAND),)
    return dict(json.loads(manifest_to_bytes(replace(MANIFEST, clips=clips))))


def test_clips_come_back_equal() -> None:
    [found] = clips_from_dict(content(), PATH)
    assert same(found) == same(CLIP)


def test_intro_and_outro_come_back_equal_and_fit_the_schema() -> None:
    assert clips_from_dict(branded(), PATH)[0].brand == BRAND
    assert faults("clips", branded()) == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("length_s", 0, "in.mp4 is to be shown for 0.0 s"),
        ("length_s", 900, "in.mp4 is to be shown for 900.0 s"),
        ("file", "other.mp4", "other.mp4 is not among the files of its brand kit"),
        ("fit", "stretch", "fit must be one of fill, fit"),
    ],
)
def test_an_intro_that_cannot_be_shown_names_the_clip(key: str, value: object, told: str) -> None:
    changed = branded()
    changed["clips"][0]["brand"]["intro"][key] = value
    with pytest.raises(ConfigError, match=told):
        clips_from_dict(changed, PATH)


def test_a_clip_without_score_captions_or_render_is_written_and_read() -> None:
    bare = replace(CLIP, score=None, captions=None, words=())
    document = manifest_to_dict(replace(MANIFEST, clips=(bare,), rendered={}))
    entry = document["clips"][0]
    assert entry["files"] == {"video": None, "thumbnail": None, "subtitles": None}
    assert entry["verdict"] is None and entry["audio"]["gain_db"] is None
    [found] = clips_from_dict(document, PATH)
    assert found.captions is None and found.words == ()


def changed(**fields: Any) -> dict[str, Any]:
    document = content()
    document["clips"][0] |= fields
    return document


def with_word(**fields: Any) -> dict[str, Any]:
    """Its first word changed."""
    words = content()["clips"][0]["words"]
    return {"words": [words[0] | fields, *words[1:]]}


def with_cue(**fields: Any) -> dict[str, Any]:
    """Its only caption changed."""
    captions = content()["clips"][0]["captions"]
    return {"captions": captions | {"cues": [captions["cues"][0] | fields]}}


def two_cues() -> dict[str, Any]:
    """Two captions at once."""
    captions = content()["clips"][0]["captions"]
    [cue] = captions["cues"]
    return {"captions": captions | {"cues": [cue, cue | {"end_s": cue["end_s"] + 1}]}}


@pytest.mark.parametrize(
    "fields",
    [
        {"ranges": []},
        {"ranges": [[10, 5]]},
        {"ranges": [[600, 900]]},
        {"ranges": "all"},
        {"output": {"width_px": 1081, "height_px": 1920, "frame_rate": "25/1"}},
        {"output": {"width_px": 1080, "height_px": 1920, "frame_rate": "25/0"}},
        {"output": {"width_px": 1080}},
        {"layout": []},
        {"ranges": [[63.1, 91.4], [120, 130]]},
        {"layout": [{"start_s": 0, "end_s": 1, "kind": "single", "regions": []}]},
        {"layout": [{"start_s": 0, "end_s": 1, "kind": "spiral", "regions": []}]},
        {"layout": "wide"},
        {"words": [{"text": "no times"}]},
        {"score": ["high"]},
        {"captions": {"preset": "bold", "cues": [{"start_s": 0, "end_s": 1, "lines": [[99]],
                                                  "box": [0, 0, 10, 10]}]}},
    ],
)  # fmt: skip
def test_an_edit_that_cannot_be_rendered_names_its_clip(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="clip 'c0ffee000001' cannot be used"):
        clips_from_dict(changed(**fields), PATH)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (with_word(start_s=-2), "its word 'So' is from -2 to"),
        (with_word(start_s=64, end_s=63.5), "its word 'So' is from 64 to 63.5"),
        (with_word(start_s=9000, end_s=9001), "its word 'So', 9000, is after the end"),
        (with_word(start_s=float("nan")), "cannot convert NaN"),
        (with_cue(start_s=-1), "caption 1 is from -1"),
        (with_cue(start_s=70, end_s=69), "caption 1 is from 70 to 69"),
        (with_cue(start_s=70, end_s=70), "caption 1 has no length"),
        (with_cue(start_s=7000, end_s=7001), "caption 1, 7000, is after the end of the recording"),
        (with_cue(lines=[]), "caption 1 has an empty line"),
        (with_cue(lines=[[0], []]), "caption 1 has an empty line"),
        (with_cue(lines=[[0.0]]), "0.0 is not the number of a word"),
        (with_cue(lines=[[7]]), "caption 1 names a word that is not there"),
        (with_cue(keywords=[7]), "caption 1 names a word that is not there"),
        (with_cue(box=[5000, 5000, 50, 50]), "the box of caption 1, [5000, 5000, 50, 50], is not"),
        (with_cue(box=[-90, 0, 900, 260]), "the box of caption 1"),
        (with_cue(box=[90, 1300, 0, 260]), "the box of caption 1"),
        (two_cues(), "caption 2 begins before the one before it has ended"),
        ({"still_s": 9000}, "its still_s, 9000, is after the end of the recording"),
        ({"still_s": -1}, "its still_s is from -1"),
        ({"framing": {"wanted": "spiral"}}, "framing.wanted must be one of auto, "),
        ({"framing": {"zoom": "much"}}, "framing.zoom must be one of "),
        ({"tightened": {"level": "much", "removed": []}}, "tightened.level must be one of off"),
        ({"rank": "first"}, "invalid literal"),
        ({"ranges": None}, "a value is of the wrong kind"),
        ({"output": {"width_px": 1080}}, "it lacks 'height_px'"),
    ],
)
def test_what_an_edit_broke_is_told_in_words(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match="clip 'c0ffee000001' cannot be used") as caught:
        clips_from_dict(changed(**fields), PATH)
    assert told in caught.value.message
    assert "Error" not in caught.value.message
    assert "undo the last change" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"rank": 2}, "have the same id"), ({"id": "c0ffee000002"}, "have the same rank and slug")],
)
def test_a_copied_clip_needs_an_id_and_a_rank_of_its_own(fields: dict[str, Any], told: str) -> None:
    document = content()
    document["clips"].append(document["clips"][0] | fields)
    with pytest.raises(ConfigError, match=told):
        clips_from_dict(document, PATH)
    document["clips"][1] |= {"id": "c0ffee000002", "rank": 2}
    assert len(clips_from_dict(document, PATH)) == 2


def test_a_clip_may_be_trimmed_without_touching_its_words_and_captions() -> None:
    trimmed = clips_from_dict(changed(ranges=[[70, 91]], still_s=64), PATH)[0]
    assert trimmed.words == CLIP.words and trimmed.captions == CLIP.captions


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["srt", "txt"], "no subtitles can be written as 'txt'; there are srt, vtt, ass"),
        ("srt", "its subtitles are no list of kinds: 'srt'"),
        (None, "its subtitles are no list of kinds: None"),
        ([["srt"]], "no subtitles can be written as"),
    ],
)
def test_subtitles_of_a_kind_nobody_writes_name_the_clip(kinds: object, told: str) -> None:
    with pytest.raises(ConfigError, match="clip 'c0ffee000001'") as caught:
        clips_from_dict(changed(subtitles=kinds), PATH)
    assert told in caught.value.message


def test_a_clip_may_have_no_subtitles() -> None:
    assert clips_from_dict(changed(subtitles=[]), PATH)[0].subtitles == ()


@pytest.mark.parametrize("box", [[63.1, -5, 0, 404, 720], [63.1, 1000, 0, 404, 720],
                                 [63.1, 0, 0, 0, 720], [63.1, float("nan"), 0, 404, 720],
                                 [63.1, 0, 0, 404]])  # fmt: skip
def test_a_camera_outside_the_picture_is_refused(box: list[float]) -> None:
    document = content()
    document["clips"][0]["layout"][0]["regions"][0]["path"] = [box]
    with pytest.raises(ConfigError, match="cannot be used"):
        clips_from_dict(document, PATH)


@pytest.mark.parametrize(
    "ranges", [[[75, 91], [64, 70]], [[64, 80], [75, 91]], [[64, 70], [64, 70]]]
)
def test_ranges_that_are_not_in_order_are_refused(ranges: list[list[float]]) -> None:
    with pytest.raises(ConfigError, match="its ranges overlap or are not in order"):
        clips_from_dict(changed(ranges=ranges), PATH)


def test_ranges_may_touch() -> None:
    [clip] = clips_from_dict(changed(ranges=[[64, 70], [70, 91]]), PATH)
    assert len(clip.ranges) == 2


@pytest.mark.parametrize("number", ["S1", 1.5, True, [3]])
def test_a_track_that_is_no_number_names_its_clip(number: object) -> None:
    for key in ("speaking", "layout"):
        document = content()
        entry = document["clips"][0][key][0]
        (entry if key == "speaking" else entry["regions"][0])["track"] = number
        with pytest.raises(ConfigError, match="is not the number of a track"):
            clips_from_dict(document, PATH)


def test_unknown_keys_are_ignored() -> None:
    document = changed(mood="calm")
    document["clips"][0]["layout"][0]["filter"] = "sepia"
    assert same(clips_from_dict(document, PATH)[0]) == same(CLIP)
