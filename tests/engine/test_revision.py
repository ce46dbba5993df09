"""Clips of a manifest framed anew. White squares are faces: one to the left, one to the right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine import (
    Aspect,
    ClipRequest,
    EncodeOptions,
    FrameOptions,
    Library,
    RenderRequest,
    SelectOptions,
    TranscribeOptions,
    framing,
    seeing,
)
from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import Clip, OutputFormat, Shown
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.events import StageFinished
from reelremix.engine.domain.layout import Framing, Layout, LayoutKind
from reelremix.engine.domain.subject import Subject
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Track
from reelremix.engine.export.manifest import read_manifest
from reelremix.engine.models.faces import Face, RgbImage
from reelremix.engine.revision import Revision, revised
from reelremix.engine.stages.frame import center_layout
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from reelremix.engine.store.sources import LocalSourceAccess
from tests.cli.commandline import words_file
from tests.fakes import FacesOnly, Recorder, WhiteFaces, clip_of, presented, run_context
from tests.media_factory import Film, Rgb, Solid, sound_of, tone, write_media

RATE = 5
CUT_S = 6
PLACES = (30, 230)
SMALL = OutputFormat(90, 160, Fraction(RATE))
FRAME = FrameOptions(speaker_network=False)


def two_people(number: int, size: tuple[int, int]) -> Rgb:
    is_later = number >= CUT_S * RATE
    picture = Solid((120, 40, 40) if is_later else (40, 40, 120))(number, size)
    left = PLACES[is_later]
    picture[60:120, left : left + 60] = 255
    return picture


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve seconds, with two people one after the other."""
    monkeypatch.setattr(seeing, "BlazeFace", lambda _: WhiteFaces())
    frames = Film(12 * RATE, two_people, rate=Fraction(RATE))
    return write_media(tmp_path / "talk.mp4", frames, sound_of(tone(12)))


@dataclass(frozen=True)
class Manifest:
    """A recording and a run's surroundings."""

    subject: Subject
    ctx: RunContext

    def clip(self, *ranges: tuple[float, float], **more: Any) -> Clip:
        """A clip of it as a manifest might have it."""
        spans = tuple(TimeRange.from_seconds(*span) for span in ranges or ((1, 11),))
        hull = TimeRange(spans[0].start, spans[-1].end)
        layout = center_layout(hull, self.subject.presentation.picture, SMALL)
        decided = {"ranges": spans, "layout": layout} | more
        return clip_of(self.subject.presentation, 0, 1, SMALL, **decided)

    def revised(self, *clips: Clip, tracks: tuple[Track, ...] = (), **asked: Any) -> Revision:
        """The clips as a render asks for them."""
        request = RenderRequest("clips.json", **asked)
        return revised(clips, tracks, request, self.subject, FRAME, self.ctx)


@pytest.fixture
def manifest(film: Path) -> Manifest:
    """Of the film."""
    return Manifest(Subject(film, presented(film)), run_context(models=FacesOnly()))


def followed(layout: Layout) -> list[int | None]:
    return [region.track for piece in layout.pieces for region in piece.regions]


def middles(tracks: tuple[Track, ...]) -> dict[int | None, int]:
    """How far to the right each face is."""
    return {track.id: round(track.sightings[0].box.center[0]) for track in tracks}


def test_another_shape_is_framed_around_whoever_is_there(manifest: Manifest) -> None:
    made = manifest.revised(manifest.clip(), aspect=Aspect.SQUARE)
    [clip], [faces] = made.clips, made.faces.values()
    assert {r.output for p in clip.layout.pieces for r in p.regions} == {(0, 0, 1080, 1080)}
    assert [middles(faces)[track] for track in followed(clip.layout)] == [60, 260]


def test_a_layout_that_the_manifest_wants_is_made(manifest: Manifest) -> None:
    wanted = manifest.clip(framing=Framing(LayoutChoice.FIT, LayoutChoice.AUTO))
    [clip] = manifest.revised(wanted).clips
    assert {piece.kind for piece in clip.layout.pieces} == {LayoutKind.FIT}
    assert clip.framing == Framing(LayoutChoice.FIT, LayoutChoice.FIT)


def test_a_layout_that_the_render_asks_for_is_made(manifest: Manifest) -> None:
    [clip] = manifest.revised(manifest.clip(), layout=LayoutChoice.FIT).clips
    assert {piece.kind for piece in clip.layout.pieces} == {LayoutKind.FIT}
    assert clip.framing == Framing(LayoutChoice.FIT, LayoutChoice.FIT)


def test_what_nobody_asks_for_is_left_alone(manifest: Manifest) -> None:
    asked = manifest.clip()
    assert manifest.revised(asked) == Revision((asked,), {})
    assert isinstance(manifest.ctx.reporter, Recorder) and manifest.ctx.reporter.types == []


def test_people_in_ranges_far_apart_stay_two(manifest: Manifest) -> None:
    made = manifest.revised(manifest.clip((1, 3), (9, 11)), aspect=Aspect.PORTRAIT)
    [clip], [faces] = made.clips, made.faces.values()
    first, second = followed(clip.layout)
    assert first != second
    assert (middles(faces)[first], middles(faces)[second]) == (60, 260)
    assert [(p.range.start_s, p.range.end_s) for p in clip.layout.pieces] == [(1, 3), (9, 11)]


class WithEyes(WhiteFaces):
    """The same, and where their eyes are."""

    def detect(self, image: RgbImage) -> list[Face]:
        """One face around all white points."""
        return [replace(face, eyes=(face.box.center,) * 2) for face in super().detect(image)]


def test_the_thumbnail_is_chosen_again_for_another_crop(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeing, "BlazeFace", lambda _: WithEyes())
    asked = manifest.clip(still=Timestamp.from_seconds(10.9))
    [clip] = manifest.revised(asked, aspect=Aspect.SQUARE).clips
    assert clip.still is not None and 1 <= clip.still.seconds <= 9


def test_faces_are_numbered_after_those_of_the_manifest(manifest: Manifest) -> None:
    known = Track(4, 0, (Sighting(Timestamp(0), Box(0, 0, 9, 9), 1.0),))
    clips = [manifest.clip((1, 5), id="a"), manifest.clip((1, 11), id="b")]
    made = manifest.revised(*clips, tracks=(known,), aspect=Aspect.PORTRAIT)
    assert [[t.id for t in own] for own in made.faces.values()] == [[5], [6, 7]]
    assert [followed(clip.layout) for clip in made.clips] == [[5], [6, 7]]


@pytest.fixture
def library() -> Library:
    """With a face detector."""
    catalogue = MemoryCatalogue()
    return Library(catalogue, MemoryArtifactStore(), LocalSourceAccess(catalogue), FacesOnly())


def planned(library: Library, film: Path, *ranges: tuple[float, float]) -> Path:
    words = words_file(film.parent / "words.json")
    request = ClipRequest(
        source=str(film),
        captions=None,
        transcribe=TranscribeOptions(transcript=str(words), speakers="off"),
        select=SelectOptions(ranges=tuple(TimeRange.from_seconds(*span) for span in ranges)),
        frame=FRAME,
        encode=EncodeOptions(preset="ultrafast", fps="5"),
        plan_only=True,
    )
    return library.clip(request).folder


def test_a_clip_is_not_looked_at_again_for_another_shape(library: Library, film: Path) -> None:
    folder, heard = planned(library, film, (4, 8)), Recorder()
    library.render(RenderRequest(str(folder), aspect=Aspect.SQUARE), listener=heard)
    looks = [e for e in heard.events if isinstance(e, StageFinished) and e.stage == "look"]
    assert [look.cached for look in looks] == [True]


def test_the_manifest_has_the_faces_of_its_clips_after_reframing(
    library: Library, film: Path
) -> None:
    folder = planned(library, film, (4, 8), (1, 3))
    before = [t["id"] for t in library.render(RenderRequest(str(folder))).manifest["tracks"]]
    assert before == [0, 1, 2]
    again = RenderRequest(str(folder), ("1",), aspect=Aspect.SQUARE, overwrite=True)
    content = library.render(again).manifest
    boxes = {track["id"]: track["boxes"] for track in content["tracks"]}
    assert list(boxes) == [2, 3, 4]
    for clip in content["clips"]:
        for piece in clip["layout"]:
            [region] = piece["regions"]
            assert any(piece["start_s"] <= at < piece["end_s"] for at, *_ in boxes[region["track"]])


def test_framing_a_clip_as_it_is_makes_the_same_film(library: Library, film: Path) -> None:
    folder = planned(library, film, (4, 5))
    library.render(RenderRequest(str(folder)))
    library.render(RenderRequest(str(folder), aspect=Aspect.PORTRAIT))  # nothing is overwritten


def framing_of(content: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """How the only clip of a manifest is framed, and how it was asked to be."""
    [clip] = content["clips"]
    return clip["framing"], {piece["kind"] for piece in clip["layout"]}


def shown_alone(clip: Clip) -> float:
    """How much of the speaker a picture of one person shows, and any other."""
    is_alone = any(piece.kind is LayoutKind.SINGLE for piece in clip.layout.pieces)
    return 0.2 if is_alone else 1.0


def test_a_repair_is_decided_anew_for_another_shape(
    library: Library, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"wanted": "auto", "made": "auto", "zoom": "cuts"}
    with monkeypatch.context() as patched:
        patched.setattr(framing, "measure", lambda c, _: Shown(shown_alone(c)))
        folder = planned(library, film, (1, 3))
    content = read_manifest(folder / "clips.json")
    repaired = "shows its speaker only 20% of the time: fit instead"
    assert framing_of(content) == (asked | {"repaired": repaired}, {"fit"})
    content = library.render(RenderRequest(str(folder), aspect=Aspect.SQUARE)).manifest
    assert framing_of(content) == (asked | {"repaired": None}, {"single"})


def test_a_shape_that_shows_too_little_is_repaired(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "measure", lambda c, _: Shown(shown_alone(c)))
    [clip] = manifest.revised(manifest.clip(), aspect=Aspect.PORTRAIT).clips
    assert {piece.kind for piece in clip.layout.pieces} == {LayoutKind.FIT}
    assert clip.framing.wanted is LayoutChoice.AUTO and clip.framing.repaired
