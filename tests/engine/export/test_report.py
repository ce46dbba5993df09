from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.manifest import clips_from_dict, manifest_to_dict
from reelremix.engine.export.report import clock, contact_sheet, sheet_of
from tests.engine.examples import CLIP, MANIFEST, RENDERED, SCORE, SOURCE

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}"


class Tags(HTMLParser):
    """All tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def attributes(self, name: str) -> list[str]:
        """Values of an attribute, wherever it stands."""
        return [str(attrs[name]) for _, attrs in self.found if name in attrs]


def test_clips_scores_reasons_and_what_was_left_out_are_shown() -> None:
    page = contact_sheet(MANIFEST, Path("nowhere"))
    for part in (CLIP.title, CLIP.description, "#habits", "83", "opens with a number",
                 "starts mid-thought", "talk.mp4"):  # fmt: skip
        assert part in page


def test_the_page_runs_no_script_and_fetches_nothing_but_its_films() -> None:
    tags = Tags(contact_sheet(MANIFEST, Path("nowhere")))
    assert "script" not in {tag for tag, _ in tags.found}
    assert tags.attributes("src") == [RENDERED.video]
    assert not [value for value in tags.attributes("href") if value.startswith("http")]


def test_thumbnails_are_inside_the_page(tmp_path: Path) -> None:
    assert RENDERED.thumbnail is not None
    (tmp_path / RENDERED.thumbnail).write_bytes(b"\xff\xd8jpeg")
    assert "data:image/jpeg;base64," in contact_sheet(MANIFEST, tmp_path)


@pytest.mark.parametrize("field", ["title", "description", "text"])
def test_hostile_text_stays_text(field: str) -> None:
    clip = replace(CLIP, **{field: HOSTILE})  # type: ignore[arg-type]
    page = contact_sheet(replace(MANIFEST, clips=(clip,)), Path("nowhere"))
    assert_harmless(page)


def test_hostile_names_reasons_and_notices_stay_text() -> None:
    reason = replace(SCORE.reasons[0], text=HOSTILE, quote=HOSTILE)
    source = replace(SOURCE, name=HOSTILE)
    rejected = replace(MANIFEST.rejected[0], reason=HOSTILE)
    manifest = replace(
        MANIFEST,
        notice=HOSTILE,
        rejected=(rejected,),
        presentation=replace(MANIFEST.presentation, source=source),
        clips=(replace(CLIP, score=replace(SCORE, reasons=(reason,)), hashtags=(HOSTILE,)),),
    )
    assert_harmless(contact_sheet(manifest, Path("nowhere")))


def assert_harmless(page: str) -> None:
    tags = Tags(page)
    assert "script" not in {tag for tag, _ in tags.found}
    assert not tags.attributes("onerror")
    assert "{{ 7*7 }}" in page


def test_a_run_without_clips_says_why() -> None:
    empty = replace(MANIFEST, clips=(), notice="no speech was found in talk.mp4")
    assert "no speech was found in talk.mp4" in contact_sheet(empty, Path("nowhere"))


def test_a_given_range_has_neither_score_nor_reasons() -> None:
    clip = replace(CLIP, score=None, ranges=(TimeRange.from_seconds(1, 2),))
    assert "None" not in contact_sheet(replace(MANIFEST, clips=(clip,)), Path("nowhere"))


def foreign_manifest() -> dict[str, Any]:
    """A manifest with no more than reading its clips takes."""
    content = manifest_to_dict(MANIFEST)
    content["clips"] = [
        {name: clip[name] for name in ("id", "rank", "ranges", "output", "layout")}
        for clip in content["clips"]
    ]
    return {name: content[name] for name in ("version", "options", "source", "clips")}


def test_a_manifest_by_somebody_else_needs_no_more_than_reading_it_does() -> None:
    content = foreign_manifest()
    assert clips_from_dict(content, Path("clips.json"))
    page = sheet_of(content, Path("nowhere"))
    assert "talk.mp4" in page and "None" not in page


@pytest.mark.parametrize(
    "more",
    [
        {"files": None},
        {"files": {}},
        {"files": {"video": "../secret.mp4", "thumbnail": "/etc/passwd"}},
        {"score": None},
        {"verdict": {}},
        {"verdict": {"ok": False, "notes": ["is silent"], "speaker_in_frame": None}},
    ],
)
def test_what_a_clip_lacks_is_left_out(more: dict[str, Any]) -> None:
    content = foreign_manifest()
    content["clips"][0] |= more
    assert clips_from_dict(content, Path("clips.json"))
    page = sheet_of(content, Path("/"))
    assert "None" not in page and not Tags(page).attributes("src")


@pytest.mark.parametrize("more", [{"run": None}, {"rejected": None}, {"rejected": [{}]},
                                  {"transcript": {}}])  # fmt: skip
def test_what_a_run_lacks_is_left_out(more: dict[str, Any]) -> None:
    page = sheet_of(foreign_manifest() | more, Path("nowhere"))
    assert "None" not in page and CLIP.id in page


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (425, "7:05"), (59.6, "1:00"),
                                                (3723, "1:02:03")])  # fmt: skip
def test_clocks_are_read_at_a_glance(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
