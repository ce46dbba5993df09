from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.bookends import Bookend, Fit
from reelremix.engine.domain.brand import Asset, Brand
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.domain.transcript import Segment, Transcript
from reelremix.engine.export.manifest import (
    clips_from_dict,
    drawn_digest,
    drawn_of,
    is_plain_name,
    listed_files,
    manifest_to_bytes,
    manifest_to_dict,
    ranking_to_dict,
    read_manifest,
    renumbered,
    tracks_from_dict,
    updated_manifest,
)
from reelremix.errors import ConfigError
from tests.contract.schemas import faults
from tests.engine.examples import CLIP, MANIFEST, RENDERED, TRACK

PATH = Path("clips.json")


def content() -> dict[str, Any]:
    """A manifest as a reader finds it."""
    return dict(json.loads(manifest_to_bytes(MANIFEST)))


def same(clip: Clip) -> Clip:
    """The clip without what a manifest does not keep: how candidates of one source are ordered."""
    assert clip.score is not None
    return replace(clip, score=replace(clip.score, rank_value=0.0))


def test_clips_come_back_equal() -> None:
    [found] = clips_from_dict(content(), PATH)
    assert same(found) == same(CLIP)


ASSETS = (Asset("in.mp4", "a" * 64), Asset("out.png", "b" * 64))
BRAND = Brand("mine", intro=Bookend("in.mp4", 2.04, Fit.FIT), outro=Bookend("out.png", 3.0),
              assets=ASSETS)  # fmt: skip


def branded() -> dict[str, Any]:
    """The same with an intro and an outro."""
    clips = (replace(CLIP, brand=BRAND),)
    return dict(json.loads(manifest_to_bytes(replace(MANIFEST, clips=clips))))


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


def test_writing_what_was_read_changes_nothing() -> None:
    before = content()
    assert updated_manifest(before, [], [], {}) == before
    clips = clips_from_dict(before, PATH)
    assert updated_manifest(before, clips, clips, {CLIP.id: RENDERED}) == before


def test_a_clip_without_a_judge_does_not_mention_one() -> None:
    document = manifest_to_dict(replace(MANIFEST, clips=(replace(CLIP, judge=None),)))
    assert "judge" not in document["clips"][0]
    [found] = clips_from_dict(document, PATH)
    assert found.judge is None


def test_tracks_come_back_with_their_boxes() -> None:
    [track] = tracks_from_dict(content(), PATH)
    assert (track.id, track.sightings[0].box) == (TRACK.id, TRACK.sightings[0].box)


def test_a_clip_without_score_captions_or_render_is_written_and_read() -> None:
    bare = replace(CLIP, score=None, captions=None, words=())
    document = manifest_to_dict(replace(MANIFEST, clips=(bare,), rendered={}))
    entry = document["clips"][0]
    assert entry["files"] == {"video": None, "thumbnail": None, "subtitles": None}
    assert entry["verdict"] is None and entry["audio"]["gain_db"] is None
    [found] = clips_from_dict(document, PATH)
    assert found.captions is None and found.words == ()


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


def test_the_source_is_its_name_alone_unless_asked() -> None:
    assert content()["source"]["name"] == "talk.mp4"
    absolute = manifest_to_dict(replace(MANIFEST, source_path="/videos/talk.mp4"))
    assert absolute["source"]["name"] == "/videos/talk.mp4"


def test_a_fresh_render_replaces_its_clip_and_keeps_what_others_wrote() -> None:
    before = content()
    before["clips"][0]["note"] = "kept"
    before["mine"] = {"also": "kept"}
    louder = replace(RENDERED, gain_db=3.0)
    after = updated_manifest(before, [CLIP], [CLIP], {CLIP.id: louder})
    assert after["clips"][0]["audio"]["gain_db"] == 3.0
    assert after["clips"][0]["note"] == "kept" and after["mine"] == {"also": "kept"}


def test_a_failed_render_leaves_its_clip_as_it_was() -> None:
    before = content()
    changed = replace(CLIP, output=replace(CLIP.output, crf=40))
    assert updated_manifest(before, [CLIP], [changed], {}) == before


def test_only_what_a_render_changed_is_written_anew() -> None:
    before = content()
    before["clips"][0]["layout"][0]["mine"] = before["clips"][0]["words"][0]["mine"] = "kept"
    before["clips"][0]["edits"] = [{"kind": "trimmed"}]
    coarse = replace(CLIP, output=replace(CLIP.output, crf=40))
    after = updated_manifest(before, [CLIP], [coarse], {CLIP.id: RENDERED})
    before["clips"][0]["output"]["crf"] = 40
    before["clips"][0]["shows"] = drawn_digest(coarse)
    assert after == before


def test_a_clip_that_is_framed_anew_brings_its_own_faces() -> None:
    def face(number: int, *at_s: float) -> Track:
        sightings = (replace(TRACK.sightings[0], at=Timestamp.from_seconds(at)) for at in at_s)
        return replace(TRACK, id=number, sightings=tuple(sightings))

    other = replace(renumbered(CLIP, (), 1)[0], id="c0ffee000002")
    known = (
        face(TRACK.id, 70), face(1, 70, 80), face(2, 70, 99), face(TRACK.id + 1, 70), face(5, 99)
    )  # fmt: skip
    document = manifest_to_dict(replace(MANIFEST, clips=(CLIP, other), tracks=known))
    fresh = {CLIP.id: (face(6, 71),), other.id: (face(7, 71),)}
    rendered = {CLIP.id: RENDERED}
    clips = (CLIP, other)
    after = updated_manifest(document, clips, clips, rendered, fresh)
    assert [track["id"] for track in after["tracks"]] == [2, TRACK.id + 1, 5, 6]


def test_a_film_does_not_show_how_faces_are_numbered() -> None:
    assert drawn_of(renumbered(CLIP, (), 10)[0]) == drawn_of(CLIP)


def test_words_are_counted_where_only_segments_have_times() -> None:
    spoken = Transcript("en", None, (Segment(TimeRange.from_seconds(0, 2), "one two three"),))
    document = manifest_to_dict(replace(MANIFEST, transcript=spoken))
    assert document["transcript"]["words"] == 3


def changed(**fields: Any) -> dict[str, Any]:
    document = content()
    document["clips"][0] |= fields
    return document


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


def test_what_a_new_framing_has_more_or_less_is_written_and_taken_out() -> None:
    taken = (Occupied(TimeRange.from_seconds(64, 66), Box(10, 10, 50, 20)),)
    full = replace(CLIP, layout=replace(CLIP.layout, occupied=taken))
    bare = replace(CLIP, layout=replace(CLIP.layout, occupied=()))
    for old, new in ((bare, full), (full, bare)):
        before = manifest_to_dict(replace(MANIFEST, clips=(old,)))
        after = updated_manifest(before, [old], [new], {CLIP.id: RENDERED})
        assert after == manifest_to_dict(replace(MANIFEST, clips=(new,)))


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


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        ([], "track 3 has no boxes"),
        ([[2, 0, 0, 9, 9], [1, 0, 0, 9, 9]], "the boxes of track 3 are not in order"),
    ],
)
def test_a_track_that_nobody_could_follow_is_refused(boxes: list[Any], told: str) -> None:
    document = content()
    document["tracks"][0]["boxes"] = boxes
    with pytest.raises(ConfigError, match=told):
        tracks_from_dict(document, PATH)


def test_unknown_keys_are_ignored() -> None:
    document = changed(mood="calm")
    document["clips"][0]["layout"][0]["filter"] = "sepia"
    assert same(clips_from_dict(document, PATH)[0]) == same(CLIP)


@pytest.mark.parametrize(("text", "said"), [("{", "is not a manifest"), ("[]", "it lacks"),
                                            ('{"version": 1}', "it lacks"),
                                            ("\0\0\0\x20ftyp\0", "it holds no JSON")])  # fmt: skip
def test_what_is_no_manifest_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "clips.json").write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_manifest(tmp_path / "clips.json")
    assert "name the clips.json" in (caught.value.hint or "")


def test_a_newer_manifest_asks_for_an_upgrade(tmp_path: Path) -> None:
    (tmp_path / "clips.json").write_text(json.dumps(content() | {"version": 2}))
    with pytest.raises(ConfigError, match="has version 2") as caught:
        read_manifest(tmp_path / "clips.json")
    assert "upgrade" in (caught.value.hint or "")


def test_a_missing_manifest_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        read_manifest(tmp_path / "clips.json")
    assert "reelremix clip" in (caught.value.hint or "")


def test_only_plain_names_count_as_listed() -> None:
    document = content()
    document["clips"].append({"files": {"video": "../../etc/passwd", "thumbnail": "C:\\boot"}})
    document["clips"].append({"files": ["x"]})
    assert listed_files(document) == {
        "clips.json", "index.html", RENDERED.video, RENDERED.thumbnail, RENDERED.subtitles
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "plain"),
    [("01-a.mp4", True), ("", False), (".", False), ("..", False), ("a/b", False),
     ("a\\b", False), ("c:x", False), ("a\0", False), (None, False), (7, False)],
)  # fmt: skip
def test_a_plain_name_stays_in_its_folder(name: object, plain: bool) -> None:
    assert is_plain_name(name) is plain


def test_track_ids_are_shifted_wherever_they_are_used() -> None:
    clip, tracks = renumbered(CLIP, [TRACK], 10)
    assert [t.id for t in tracks] == [13]
    ids = [r.track for piece in clip.layout.pieces for r in piece.regions]
    assert ids == [13, 13, None]
    assert [s.track for s in clip.layout.speaking] == [13]


def test_a_ranking_of_nothing_says_why() -> None:
    document = ranking_to_dict([], MANIFEST.rejected, "nothing was found")
    assert document["candidates"] == [] and document["notice"] == "nothing was found"
    assert document["rejected"][0]["reason"] == "starts mid-thought"
