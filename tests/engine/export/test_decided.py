from __future__ import annotations

from dataclasses import replace

from reelremix.engine.domain.occupied import Occupied
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Track
from reelremix.engine.export.clip_entry import drawn_digest
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.decided import Renewed, updated_manifest
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.export.tracks import renumbered
from tests.engine.examples import CLIP, MANIFEST, RENDERED, TRACK
from tests.engine.export.documents import PATH, content


def test_writing_what_was_read_changes_nothing() -> None:
    before = content()
    assert updated_manifest(before, Renewed([], [], {})) == before
    clips = clips_from_dict(before, PATH)
    assert updated_manifest(before, Renewed(clips, clips, {CLIP.id: RENDERED})) == before


def test_a_fresh_render_replaces_its_clip_and_keeps_what_others_wrote() -> None:
    before = content()
    before["clips"][0]["note"] = "kept"
    before["mine"] = {"also": "kept"}
    louder = replace(RENDERED, gain_db=3.0)
    after = updated_manifest(before, Renewed([CLIP], [CLIP], {CLIP.id: louder}))
    assert after["clips"][0]["audio"]["gain_db"] == 3.0
    assert after["clips"][0]["note"] == "kept" and after["mine"] == {"also": "kept"}


def test_a_failed_render_leaves_its_clip_as_it_was() -> None:
    before = content()
    changed = replace(CLIP, output=replace(CLIP.output, crf=40))
    assert updated_manifest(before, Renewed([CLIP], [changed], {})) == before


def test_only_what_a_render_changed_is_written_anew() -> None:
    before = content()
    before["clips"][0]["layout"][0]["mine"] = before["clips"][0]["words"][0]["mine"] = "kept"
    before["clips"][0]["edits"] = [{"kind": "trimmed"}]
    coarse = replace(CLIP, output=replace(CLIP.output, crf=40))
    after = updated_manifest(before, Renewed([CLIP], [coarse], {CLIP.id: RENDERED}))
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
    after = updated_manifest(document, Renewed(clips, clips, rendered, fresh))
    assert [track["id"] for track in after["tracks"]] == [2, TRACK.id + 1, 5, 6]


def test_what_a_new_framing_has_more_or_less_is_written_and_taken_out() -> None:
    taken = (Occupied(TimeRange.from_seconds(64, 66), Box(10, 10, 50, 20)),)
    full = replace(CLIP, layout=replace(CLIP.layout, occupied=taken))
    bare = replace(CLIP, layout=replace(CLIP.layout, occupied=()))
    for old, new in ((bare, full), (full, bare)):
        before = manifest_to_dict(replace(MANIFEST, clips=(old,)))
        after = updated_manifest(before, Renewed([old], [new], {CLIP.id: RENDERED}))
        assert after == manifest_to_dict(replace(MANIFEST, clips=(new,)))
