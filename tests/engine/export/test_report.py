from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from reelremix.engine.domain.candidate import Candidate, Kind, Score
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.timeline import Timeline, Topic
from reelremix.engine.domain.transcript import SoundEvent
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.export.ranking import ranking_to_dict
from reelremix.engine.export.report import contact_sheet, ranking_sheet, sheet_of
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


def test_a_tightened_clip_says_by_how_much_and_why() -> None:
    assert "shorter by 0.6 s: 1 filler" in contact_sheet(MANIFEST, Path("nowhere"))
    untouched = replace(CLIP, tightened=None)
    assert "shorter by" not in contact_sheet(replace(MANIFEST, clips=(untouched,)), Path())


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


TIMELINE = Timeline(
    1.0,
    (None, 30.0, 83.0) * 200,
    (Topic(TimeRange.from_seconds(0, 600), 0, 9, ("habits", "books")),),
    (SoundEvent("laughter", TimeRange.from_seconds(64, 65), 0.8),),
)
KIND = Kind("story", "tells a story", "So ten,", TimeRange.from_seconds(63.1, 63.9))


def drawn(tags: Tags) -> list[dict[str, str | None]]:
    """The timeline's drawings."""
    return [attrs for tag, attrs in tags.found if tag == "svg" and "plot" in (attrs["class"] or "")]


def test_a_timeline_shows_the_whole_source_on_any_screen() -> None:
    page = contact_sheet(replace(MANIFEST, timeline=TIMELINE), Path("nowhere"))
    assert [svg["class"] for svg in drawn(Tags(page))] == [
        "plot wide",
        "plot medium",
        "plot narrow",
    ]
    for part in ("habits, books", "laughter (1)", "0:00", "5:00", "starts mid-thought",
                 "chance in percent"):  # fmt: skip
        assert part in page


def test_every_bar_of_the_timeline_leads_to_something_on_the_page() -> None:
    tags = Tags(contact_sheet(replace(MANIFEST, timeline=TIMELINE), Path("nowhere")))
    ids = tags.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(tags.attributes("href")) == {f"#clip-{CLIP.id}", "#left-1"} <= {f"#{i}" for i in ids}


def test_the_timeline_is_told_to_those_who_do_not_see_it() -> None:
    tags = Tags(contact_sheet(replace(MANIFEST, timeline=TIMELINE), Path("nowhere")))
    told = "Timeline of talk.mp4, 10:21 long: 1 clip chosen, 1 moment left out"
    assert all(svg["aria-label"] == told for svg in drawn(tags))
    links = [attrs for tag, attrs in tags.found if tag == "a" and attrs["class"] == "chosen"]
    assert links and all(CLIP.title in str(link["aria-label"]) for link in links)


def test_without_a_timeline_there_are_still_the_clips() -> None:
    tags = Tags(contact_sheet(MANIFEST, Path("nowhere")))
    assert drawn(tags) and f"#clip-{CLIP.id}" in tags.attributes("href")
    assert "path" in {tag for tag, _ in tags.found}
    assert not [c for c in tags.attributes("class") if c in ("area", "line", "column")]


def test_with_nothing_to_draw_there_is_no_timeline() -> None:
    empty = replace(MANIFEST, clips=(), rejected=(), notice="no speech was found")
    assert not drawn(Tags(contact_sheet(empty, Path("nowhere"))))


def test_the_sound_words_and_ends_of_a_timeline_stay_text() -> None:
    timeline = replace(
        TIMELINE,
        topics=(Topic(TimeRange.from_seconds(0, 600), 0, 9, (HOSTILE, "\u202eשלום", "🎉")),),
        events=(SoundEvent(HOSTILE, TimeRange.from_seconds(64, 65), 0.8),),
    )
    assert_harmless(contact_sheet(replace(MANIFEST, timeline=timeline), Path("nowhere")))


def test_a_hostile_id_cannot_leave_its_link() -> None:
    content = manifest_to_dict(MANIFEST)
    content["clips"][0]["id"] = HOSTILE
    content["clips"][0]["judge"]["hook"] = HOSTILE
    assert_harmless(sheet_of(content, Path("nowhere")))


def test_a_card_tells_its_kinds_and_what_the_judge_said() -> None:
    clip = replace(CLIP, score=replace(SCORE, kinds=(KIND,)))
    page = contact_sheet(replace(MANIFEST, clips=(clip,)), Path("nowhere"))
    for part in ("tells a story", "So ten,", "preferred it in 3 of 4 comparisons", "Wait for it"):
        assert part in page


@pytest.mark.parametrize("judge", [None, {}, {"hook": None, "wins": 0, "losses": 1}])
def test_what_a_judge_did_not_say_is_left_out(judge: dict[str, Any] | None) -> None:
    content = foreign_manifest()
    content["clips"][0]["judge"] = judge
    page = sheet_of(content, Path("nowhere"))
    assert "None" not in page and "hook" not in Tags(page).attributes("class")


def candidate(text: str, score: Score = SCORE) -> Candidate:
    return Candidate(TimeRange.from_seconds(63.1, 91.4), text, 0, 1, score)


def ranking(*candidates: Candidate) -> dict[str, Any]:
    return ranking_to_dict(candidates, MANIFEST.rejected, None, TIMELINE)


def test_a_ranking_has_the_same_sheet_without_players() -> None:
    first = candidate("So ten, he said.", replace(SCORE, kinds=(KIND,)))
    page = ranking_sheet(ranking(first, candidate("And then.")), "talk.srt")
    tags = Tags(page)
    assert drawn(tags) and not tags.attributes("src")
    for part in ("talk.srt", "2 moments", "83", "opens with a number", "tells a story",
                 "So ten, he said.", "starts mid-thought", "habits, books"):  # fmt: skip
        assert part in page
    assert "Network calls" not in page and "None" not in page


def test_a_ranking_may_be_of_anything() -> None:
    name = f"{HOSTILE}.srt"
    assert_harmless(ranking_sheet(ranking(candidate(HOSTILE)), name))


def test_an_empty_ranking_says_why() -> None:
    page = ranking_sheet(ranking_to_dict((), (), "no speech was found"), "talk.srt")
    assert "no speech was found" in page and "0 moments" in page


@pytest.mark.parametrize("word", ["ten ", "時", "x"])
def test_a_moment_is_called_by_its_opening_words(word: str) -> None:
    text = (word * 200).strip()
    page = ranking_sheet(ranking(candidate(text)), "talk.srt")
    title = page.split('<h2 dir="auto">')[1].split("</h2>")[0]
    assert 40 < len(title) <= 80 and title.endswith("…") and text.startswith(title[:-1])
