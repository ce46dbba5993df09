from __future__ import annotations

import errno
import json
import os
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.choice import LayoutChoice
from reelremix.engine.domain.clip import Clip
from reelremix.engine.domain.context import RunContext
from reelremix.engine.domain.edit import (
    Change,
    Correct,
    Create,
    CutOut,
    Decide,
    Follow,
    Merge,
    PutBack,
    Recaption,
    Reframe,
    Retitle,
    Split,
    Status,
    Trim,
)
from reelremix.engine.domain.kept import heard_words, hull_of, is_heard
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.export.clip_entry import clip_to_dict
from reelremix.engine.export.clip_reading import clips_from_dict
from reelremix.engine.export.manifest import read_manifest
from reelremix.engine.export.subtitles import WRITERS
from reelremix.engine.reviewing import Review
from reelremix.engine.store.catalogue import SqliteCatalogue
from reelremix.engine.store.database import Database
from reelremix.errors import ConfigError, EditConflict
from tests.contract.schemas import faults
from tests.engine.reviewed import RATE, SOURCE, SPANS, SPOKEN, TALK, TRACKS, reviewed
from tests.fakes import run_context

BEGINNINGS = [word.range.start.exact for word in TALK.words]


@pytest.fixture
def ctx() -> RunContext:
    """A run in memory."""
    return run_context()


@pytest.fixture
def review(tmp_path: Path, ctx: RunContext) -> Review:
    """Three clips of a talk, nobody has changed anything yet."""
    return Review(reviewed(tmp_path / "talk", ctx), ctx)


def in_manifest(review: Review) -> tuple[Clip, ...]:
    """What anybody else reads."""
    return clips_from_dict(read_manifest(review.path), review.path)


def texts(clip: Clip) -> list[str]:
    """The words of a clip."""
    return [word.text for word in clip.words]


def cut_words(clip: Clip) -> list[str]:
    """Words of the talk that an end of a range cuts in two, by more than a frame."""
    ends = [end.exact for kept in clip.ranges for end in (kept.start, kept.end)]
    said = [(end, TALK.words[bisect_right(BEGINNINGS, end) - 1]) for end in ends]
    return [
        word.text
        for end, word in said
        if word.range.start.exact + 1 / RATE < end < word.range.end.exact - 1 / RATE
    ]


def test_keeping_and_dropping_is_in_the_manifest_and_teaches_the_ranking(
    review: Review, ctx: RunContext
) -> None:
    first, second, _ = review.clips
    review.do(Decide(first.id, Status.KEPT))
    review.do(Decide(second.id, Status.DROPPED))
    review.undo()
    review.sync()
    assert [c.status for c in in_manifest(review)] == ["kept", None, None]
    assert [d.kind for d in ctx.catalogue.decisions(second.id)] == ["dropped", "reopened"]


def test_undoing_a_merge_decides_nothing_again(review: Review, ctx: RunContext) -> None:
    first, second, _ = review.clips
    review.do(Decide(second.id, Status.KEPT))
    review.do(Merge(first.id, second.id))
    review.undo()
    assert [d.kind for d in ctx.catalogue.decisions(second.id)] == ["kept"]


def test_a_clip_begins_and_ends_with_whole_words_wherever_it_is_cut(review: Review) -> None:
    clip = review.clips[0]
    inside = clip.words[3]
    middle_s = (inside.range.start_s + inside.range.end_s) / 2 + 0.01
    review.do(Trim(clip.id, middle_s, hull_of(clip.ranges).end_s))
    now = review.clip(clip.id)
    assert texts(now)[0] == clip.words[4].text
    assert not cut_words(now)
    assert now.text.split()[0] == clip.words[4].text


def test_an_end_that_is_not_moved_stays_where_it_was(review: Review) -> None:
    clip = review.clips[0]
    hull = hull_of(clip.ranges)
    review.do(Trim(clip.id, hull.start_s + 5, hull.end_s))
    assert hull_of(review.clip(clip.id).ranges).end == hull.end


def test_words_that_are_deleted_are_neither_heard_nor_read(review: Review) -> None:
    clip = review.clips[0]
    gone = clip.words[5:9]
    review.do(CutOut(clip.id, gone[0].range.start_s, gone[-1].range.end_s))
    now = review.clip(clip.id)
    assert texts(now) == texts(clip)[:5] + texts(clip)[9:]
    assert len(now.ranges) == 2 and not cut_words(now)
    assert now.captions is not None
    shown = [now.words[i].text for cue in now.captions.cues for line in cue.lines for i in line]
    assert shown == texts(now)


def test_what_was_deleted_can_be_put_back(review: Review) -> None:
    clip = review.clips[0]
    gone = clip.words[5:9]
    review.do(CutOut(clip.id, gone[0].range.start_s, gone[-1].range.end_s))
    review.do(PutBack(clip.id, gone[0].range.start_s, gone[-1].range.end_s))
    now = review.clip(clip.id)
    assert now.ranges == clip.ranges and texts(now) == texts(clip)
    assert now.framing.is_due


def test_a_clip_that_is_made_longer_says_more_and_is_framed_by_the_next_render(
    review: Review,
) -> None:
    clip = review.clips[0]
    review.do(Trim(clip.id, hull_of(clip.ranges).start_s, 35.0))
    now = review.clip(clip.id)
    assert len(now.words) > len(clip.words) and now.framing.is_due and not clip.framing.is_due
    review.sync()
    assert in_manifest(review)[0].framing.is_due


def test_split_makes_two_clips_that_say_all_of_it(review: Review) -> None:
    clip = review.clips[0]
    happened = review.do(Split(clip.id, clip.words[10].range.start_s))
    new = next(c for c in review.clips if c.id in happened.clips and c.id != clip.id)
    assert texts(review.clip(clip.id)) + texts(new) == texts(clip)
    assert (new.rank, new.status) == (4, None)
    assert len({c.slug for c in review.clips}) == len({c.rank for c in review.clips}) - 1
    review.undo()
    assert new.id not in {c.id for c in review.clips}


def test_merging_takes_both_into_one(review: Review) -> None:
    first, second, third = review.clips
    review.do(Merge(first.id, second.id))
    now = review.clip(first.id)
    assert now.ranges == (*first.ranges, *second.ranges)
    assert texts(now) == texts(first) + texts(second)
    assert [c.id for c in review.clips] == [first.id, third.id]
    review.sync()
    assert [c.id for c in in_manifest(review)] == [first.id, third.id]


def test_a_new_clip_looks_like_the_others_and_is_described_by_what_it_says(
    review: Review, ctx: RunContext
) -> None:
    review.do(Create(130, 145))
    new = review.clips[-1]
    assert new.rank == 4 and new.output == review.clips[0].output
    assert new.captions is not None and new.captions.preset == "bold"
    assert new.text and new.title and not cut_words(new)
    assert new.score is not None and new.score.total is None
    assert new.id in {clip.id for clip in ctx.catalogue.clips(SOURCE.id)}
    with pytest.raises(ConfigError, match="is there already"):
        review.do(Create(130, 145))


def test_a_corrected_word_is_read_in_captions_search_and_other_clips(
    review: Review, ctx: RunContext
) -> None:
    clip = review.clips[0]
    wrong = clip.words[2]
    review.do(Correct(clip.id, wrong.range.start_s, wrong.range.end_s, "Kubernetes,"))
    now = review.clip(clip.id)
    assert texts(now)[2] == "Kubernetes," and "Kubernetes," in now.text
    assert now.captions is not None
    assert any("Kubernetes," in cue.text for cue in now.captions.cues)
    for kind in ("srt", "vtt"):
        assert "Kubernetes" in WRITERS[kind](now)
    said = ctx.catalogue.transcript(SOURCE.id)
    assert said is not None and "Kubernetes," in said.segments[2].text
    assert [due.source_id for due in ctx.catalogue.windows_due(None)] == [SOURCE.id]
    review.undo()
    said = ctx.catalogue.transcript(SOURCE.id)
    assert said is not None and said.words == TALK.words


def test_a_word_is_corrected_in_every_clip_that_says_it(review: Review) -> None:
    first = review.clips[0]
    hull = hull_of(first.ranges)
    review.do(Create(hull.start_s, hull.start_s + 8))
    [twin] = [clip for clip in review.clips if clip.rank == 4]
    wrong = first.words[2]
    review.do(Correct(first.id, wrong.range.start_s, wrong.range.end_s, "New York"))
    assert texts(review.clip(twin.id))[2:4] == texts(review.clip(first.id))[2:4] == ["New", "York"]
    review.undo()
    assert review.clip(twin.id) == twin and review.clip(first.id) == first


def test_corrections_that_follow_each_other_are_taken_back_one_by_one(
    review: Review, ctx: RunContext
) -> None:
    clip = review.clips[0]
    said = [ctx.catalogue.transcript(SOURCE.id)]
    span = TimeRange(clip.words[2].range.start, clip.words[4].range.end)
    for first, last, text in ((2, 2, "New York"), (3, 3, "Yorkshire"), (2, 5, "Leeds"), (2, 2, "")):
        words = review.clip(clip.id).words
        start_s, end_s = words[first].range.start_s, words[last].range.end_s
        review.do(Correct(clip.id, start_s, end_s, text))
        heard = ctx.catalogue.transcript(SOURCE.id)
        assert heard is not None
        said.append(heard)
        own = [w.text for w in review.clip(clip.id).words if is_heard(w.range, span)]
        assert [w.text for w in heard.words if is_heard(w.range, span)] == own
    for expected in reversed(said[:-1]):
        review.undo()
        assert ctx.catalogue.transcript(SOURCE.id) == expected
    assert ctx.catalogue.heard_transcript(SOURCE.id) == TALK


def test_a_word_that_was_taken_out_of_the_file_by_hand_stays_out(
    review: Review, ctx: RunContext
) -> None:
    review.do(Retitle(review.clips[0].id, "One"))
    review.sync()
    content = json.loads(review.path.read_bytes())
    gone = content["clips"][0]["words"].pop(3)["text"]
    content["clips"][0]["captions"] = None
    review.path.write_text(json.dumps(content), encoding="utf-8")
    again = Review(review.path, ctx)
    before = texts(again.clips[0])
    again.do(Trim(again.clips[0].id, hull_of(again.clips[0].ranges).start_s, 35.0))
    assert gone not in before[:6] and texts(again.clips[0])[: len(before)] == before


def test_clips_that_overlap_are_merged_without_saying_anything_twice(review: Review) -> None:
    first = review.clips[0]
    review.do(Create(20, 40))
    [other] = [clip for clip in review.clips if clip.rank == 4]
    wrong = first.words[-3]
    review.do(Correct(first.id, wrong.range.start_s, wrong.range.end_s, "New York"))
    review.do(Merge(first.id, other.id))
    now = review.clip(first.id)
    assert len(now.ranges) == 1
    assert len({w.range for w in now.words}) == len(now.words)
    assert texts(now).count("New") == 1 and len(now.words) == 1 + len(SPOKEN.heard_in(now.ranges))
    pieces = [piece.range for piece in now.layout.pieces]
    assert (pieces[0].start, pieces[-1].end) == (now.ranges[0].start, now.ranges[0].end)
    assert all(a.end == b.start for a, b in pairwise(pieces))


def test_a_clip_inside_another_is_merged_into_one_picture_at_a_time(review: Review) -> None:
    first = review.clips[0]
    hull = hull_of(first.ranges)
    review.do(Create(hull.start_s + 5, hull.end_s - 5))
    inner = next(clip for clip in review.clips if clip.rank == 4)
    review.do(Merge(first.id, inner.id))
    now = review.clip(first.id)
    assert now.ranges == first.ranges and now.words == first.words
    assert all(a.range.end == b.range.start for a, b in pairwise(now.layout.pieces))


def test_operations_that_are_asked_for_together_know_of_each_other(review: Review) -> None:
    first = review.clips[0]
    wrong = first.words[2]
    correct = Correct(first.id, wrong.range.start_s, wrong.range.end_s, "Kubernetes")
    span = hull_of(first.ranges).start_s, hull_of(first.ranges).start_s + 8

    def corrected() -> None:
        review.do(correct)
        review.do(Create(*span))

    def taken_back() -> None:
        review.undo()
        review.undo()
        review.do(Create(*span))

    review.together(corrected)
    assert "Kubernetes" in texts(review.clips[-1])
    review.together(taken_back)
    assert "Kubernetes" not in texts(review.clips[-1]) and review.clips[-1].rank == 4
    with pytest.raises(ZeroDivisionError):
        review.together(lambda: (review.do(correct), 1 // 0))
    assert "Kubernetes" not in {word.text for word in review.spoken().words}


def test_words_around_a_cut_are_corrected_one_by_one(review: Review) -> None:
    clip = review.clips[0]
    gone = clip.words[5:9]
    review.do(CutOut(clip.id, gone[0].range.start_s, gone[-1].range.end_s))
    with pytest.raises(ConfigError, match="between these words is cut out"):
        span = clip.words[4].range.start_s, clip.words[9].range.end_s
        review.do(Correct(clip.id, *span, "anything"))


def test_a_clip_that_has_half_of_what_is_corrected_gets_its_half(review: Review) -> None:
    first = review.clips[0]
    review.do(Create(hull_of(first.ranges).start_s, first.words[3].range.start_s))
    [half] = [clip for clip in review.clips if clip.rank == 4]
    assert texts(half)[-1] == first.words[2].text
    span = first.words[2].range.start_s, first.words[3].range.end_s
    review.do(Correct(first.id, *span, "entirely different"))
    assert texts(review.clip(first.id))[2:4] == ["entirely", "different"]
    assert texts(review.clip(half.id))[-1] == "entirely"


def test_a_misheard_word_is_put_right_in_title_description_and_hashtags_too(
    review: Review,
) -> None:
    clip = review.clips[0]
    wrong = clip.words[2]
    heard = wrong.text
    review.do(Retitle(clip.id, f"All about {heard}", f"Why {heard}?", (f"#{heard}", "#talk")))
    review.do(Correct(clip.id, wrong.range.start_s, wrong.range.end_s, "Kubernetes,"))
    now = review.clip(clip.id)
    assert (now.title, now.description) == ("All about Kubernetes", "Why Kubernetes?")
    assert now.slug == "all-about-kubernetes"  # what the next film is called
    assert now.hashtags == ("#Kubernetes", "#talk")


@pytest.mark.parametrize("text, words", [("New York City", 3), ("", 0)])
def test_a_word_may_become_several_or_none(review: Review, text: str, words: int) -> None:
    clip = review.clips[0]
    wrong = clip.words[2]
    review.do(Correct(clip.id, wrong.range.start_s, wrong.range.end_s, text))
    now = review.clip(clip.id)
    assert texts(now)[2 : 2 + words] == text.split()
    assert len(now.words) == len(clip.words) + words - 1
    assert now.ranges == clip.ranges
    review.do(Trim(clip.id, hull_of(clip.ranges).start_s, 28.0))
    assert texts(review.clip(clip.id))[2 : 2 + words] == text.split()


def test_layout_captions_and_who_is_shown_are_asked_for(review: Review) -> None:
    clip = review.clips[0]
    review.do(Reframe(clip.id, LayoutChoice.FIT))
    review.do(Recaption(clip.id, "clean"))
    review.do(Follow(clip.id, 12, 20, 15, 945, 260))
    now = review.clip(clip.id)
    assert now.framing.wanted is LayoutChoice.FIT and now.framing.is_due
    assert now.captions is not None and now.captions.preset == "clean"
    assert [(p.range.start_s, p.x) for p in now.framing.pins] == [(12, 945)]
    review.sync()
    assert in_manifest(review)[0].framing.pins == now.framing.pins
    review.do(Recaption(clip.id, "none"))
    assert review.clip(clip.id).captions is None


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda c: Decide(c, None), "undecided already"),
        (lambda c: Retitle(c, "  "), "cannot be empty"),
        (lambda c: Retitle(c, "x" * 201), "at most 200"),
        (lambda c: Retitle(c, hashtags=("#two words",)), "without spaces"),
        (lambda c: Retitle(c, hashtags=("#",)), "without spaces"),
        (lambda c: Trim(c, 20, 20), "nothing would be left"),
        (lambda c: CutOut(c, 0, 100), "nothing would be left"),
        (lambda c: CutOut(c, 60, 70), "nothing of the clip lies there"),
        (lambda c: PutBack(c, 60, 70), "outside the clip"),
        (lambda c: Split(c, 10), "begins or ends"),
        (lambda c: Merge(c, c), "with itself"),
        (lambda c: Merge(c, "other"), "no clip other"),
        (lambda c: Recaption(c, "no-such"), "no-such"),
        (lambda c: Correct(c, 90, 91, "word"), "no word"),
        (lambda c: Follow(c, 90, 91, 90, 0, 0), "nothing of the clip"),
        (lambda c: Create(20, 20.05), "too short"),
        (lambda c: Retitle("gone", "x"), "no clip gone"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_everything(
    review: Review, change: Callable[[str], Change], told: str
) -> None:
    before = review.clips
    with pytest.raises(ConfigError, match=told):
        review.do(change(before[0].id))
    assert review.clips == before and review.undoable is None


def test_nothing_is_written_before_anything_is_changed(review: Review) -> None:
    before = review.path.read_bytes()
    review.sync()
    assert review.path.read_bytes() == before


def test_a_killed_session_has_lost_nothing(review: Review, ctx: RunContext) -> None:
    clip = review.clips[0]
    review.do(Retitle(clip.id, "A better title"))
    assert in_manifest(review)[0].title == clip.title  # killed before the file was written
    again = Review(review.path, ctx)
    assert again.clip(clip.id).title == "A better title"
    again.sync()
    assert in_manifest(again)[0].title == "A better title"
    again.undo()
    assert again.clip(clip.id) == clip


def test_undone_and_done_again_is_the_same(review: Review) -> None:
    clip = review.clips[0]
    review.do(CutOut(clip.id, 15, 18))
    cut = review.clips
    review.undo()
    review.redo()
    assert review.clips == cut
    with pytest.raises(ConfigError, match="nothing to do again"):
        review.redo()
    review.undo()
    with pytest.raises(ConfigError, match="nothing to undo"):
        review.undo()


def test_a_manifest_changed_by_hand_is_taken_over_and_can_be_undone(
    review: Review, ctx: RunContext
) -> None:
    first, second, _ = review.clips
    review.do(Retitle(first.id, "From the session"))
    review.sync()
    content = json.loads(review.path.read_bytes())
    content["clips"][1]["title"] = "From an editor"
    content["clips"][0]["mine"] = {"rating": 5}
    review.path.write_text(json.dumps(content), encoding="utf-8")
    again = Review(review.path, ctx)
    assert again.clip(second.id).title == "From an editor"
    again.do(Retitle(first.id, "Once more"))
    again.sync()
    after = read_manifest(again.path)["clips"]
    assert (after[0]["title"], after[1]["title"]) == ("Once more", "From an editor")
    assert after[0]["mine"] == {"rating": 5}
    again.undo()
    again.undo()
    assert again.clip(second.id).title == second.title
    assert again.clip(first.id).title == "From the session"


def test_what_is_put_back_by_hand_is_taken_over(review: Review) -> None:
    review.do(Decide(review.clips[0].id, Status.KEPT))
    review.sync()
    content = json.loads(review.path.read_bytes())
    content["clips"][0]["status"] = None
    review.path.write_text(json.dumps(content), encoding="utf-8")
    assert review.sync() == {review.clips[0].id}
    assert in_manifest(review)[0].status is None and review.sync() == set()


def test_what_somebody_else_wrote_under_edits_is_no_edit(review: Review) -> None:
    review.do(Retitle(review.clips[0].id, "One"))
    review.sync()
    content = json.loads(review.path.read_bytes())
    for entry, edits in zip(content["clips"], (None, ["mine"], "mine"), strict=True):
        entry["edits"] = edits
    review.path.write_text(json.dumps(content), encoding="utf-8")
    review.sync()
    assert [len(entry["edits"]) for entry in read_manifest(review.path)["clips"]] == [1, 0, 0]


def test_both_changes_survive_where_file_and_session_changed_different_things(
    review: Review, ctx: RunContext
) -> None:
    first, _second, third = review.clips
    review.do(Retitle(first.id, "One"))
    review.sync()
    review.do(Decide(third.id, Status.KEPT))  # and the file does not know yet
    content = json.loads(review.path.read_bytes())
    content["clips"][1]["title"] = "Two"
    review.path.write_text(json.dumps(content), encoding="utf-8")
    review.sync()
    assert [c.title for c in in_manifest(review)][:2] == ["One", "Two"]
    assert in_manifest(review)[2].status is Status.KEPT


def test_a_manifest_broken_by_hand_is_told_and_nothing_is_lost(review: Review) -> None:
    review.do(Retitle(review.clips[0].id, "One"))
    review.sync()
    content = json.loads(review.path.read_bytes())
    content["clips"][1]["ranges"] = []
    review.path.write_text(json.dumps(content), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(ConfigError, match="its ranges are empty"):
            review.sync()
        assert json.loads(review.path.read_bytes()) == content


def test_two_sessions_may_change_different_clips(review: Review, ctx: RunContext) -> None:
    other = Review(review.path, ctx)
    first, second, _ = review.clips
    other.do(Retitle(second.id, "Theirs"))
    review.do(Retitle(first.id, "Ours"))
    assert [c.title for c in review.clips][:2] == ["Ours", "Theirs"]
    assert other.refresh() == {first.id}
    assert other.clips == review.clips


def test_two_sessions_that_change_one_clip_are_told(review: Review, ctx: RunContext) -> None:
    other = Review(review.path, ctx)
    clip = review.clips[0]
    other.do(Retitle(clip.id, "Theirs"))
    with pytest.raises(EditConflict, match="was changed meanwhile"):
        review.do(CutOut(clip.id, 15, 18))
    assert review.clip(clip.id).title == "Theirs"
    review.do(CutOut(clip.id, 15, 18))
    assert len(review.clip(clip.id).ranges) == 2


def test_what_somebody_else_did_is_not_undone_from_here(review: Review, ctx: RunContext) -> None:
    other = Review(review.path, ctx)
    review.do(Retitle(review.clips[0].id, "Ours"))
    other.refresh()
    other.do(Retitle(review.clips[1].id, "Theirs"))
    review.refresh()
    assert review.undoable is None and review.clips[1].title == "Theirs"
    with pytest.raises(EditConflict, match="done by somebody else"):
        review.undo()
    other.undo()
    with pytest.raises(EditConflict):
        other.undo()
    assert [c.title for c in Review(review.path, ctx).clips][:2] == ["Ours", "Clip number 2"]


def test_words_that_somebody_else_corrected_are_the_words_here_too(
    review: Review, ctx: RunContext
) -> None:
    other = Review(review.path, ctx)
    before = review.spoken()
    wrong = review.clips[0].words[2]
    other.do(Correct(review.clips[0].id, wrong.range.start_s, wrong.range.end_s, "Kubernetes"))
    assert review.spoken() is before
    review.refresh()
    assert "Kubernetes" in {word.text for word in review.spoken().words}


def test_who_opens_a_manifest_without_a_name_at_the_same_time_gives_it_one_name(
    review: Review, ctx: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(review.path.read_bytes())
    del content["id"], content["edited_to"]
    review.path.write_text(json.dumps(content), encoding="utf-8")
    others: list[Review] = []

    @contextmanager
    def waited(*_: object) -> Iterator[None]:
        if not others:
            others.append(review)  # from here on the other one is at once
            others.append(Review(review.path, ctx))
        yield

    monkeypatch.setattr("reelremix.engine.reviewing.alone_at", waited)
    assert Review(review.path, ctx).id == others[1].id == read_manifest(review.path)["id"]


def test_an_edit_and_what_follows_from_it_are_kept_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = run_context(catalogue=SqliteCatalogue(Database(tmp_path / "library.sqlite3")))
    review = Review(reviewed(tmp_path / "talk", ctx), ctx)
    clip = review.clips[0]
    wrong = clip.words[2]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ctx.catalogue, "correct", killed)
        with pytest.raises(KeyboardInterrupt):
            review.do(Correct(clip.id, wrong.range.start_s, wrong.range.end_s, "Kubernetes"))
    assert review.clip(clip.id) == clip and list(ctx.catalogue.edits(review.id)) == []
    assert ctx.catalogue.clip(clip.id) == clip
    again = Review(review.path, ctx)
    again.do(Correct(clip.id, wrong.range.start_s, wrong.range.end_s, "Kubernetes"))
    assert ctx.catalogue.clip(clip.id) == again.clip(clip.id) != clip


def test_a_copy_of_a_folder_has_a_life_of_its_own(review: Review, ctx: RunContext) -> None:
    clip = review.clips[0]
    review.do(Retitle(clip.id, "One"))
    review.sync()
    copy = shutil.copytree(review.path.parent, review.path.parent.with_name("copy"))
    other = Review(copy, ctx)
    assert other.id != review.id and other.undoable is None
    other.do(Retitle(clip.id, "Another"))
    other.sync()
    assert review.refresh() == set() and review.clip(clip.id).title == "One"
    ops = [edit["title"] for edit in read_manifest(other.path)["clips"][0]["edits"]]
    assert ops == ["One", "Another"]


def test_what_cannot_be_written_is_kept_all_the_same(
    review: Review, ctx: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    review.do(Retitle(review.clips[0].id, "One"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="no space left on device") as caught:
            review.sync()
    assert "kept in the library" in (caught.value.hint or "")
    again = Review(review.path, ctx)
    again.sync()
    assert in_manifest(again)[0].title == "One"


def test_a_clip_that_was_changed_by_hand_while_it_was_taken_away_is_there_again(
    review: Review, ctx: RunContext
) -> None:
    first, second, _ = review.clips
    review.do(Retitle(first.id, "One"))
    review.sync()
    theirs = json.loads(review.path.read_bytes())  # somebody has it open in an editor
    review.do(Merge(first.id, second.id))
    review.sync()
    theirs["clips"][1]["title"] = "Mine"
    review.path.write_text(json.dumps(theirs), encoding="utf-8")
    again = Review(review.path, ctx)
    assert again.clip(second.id).title == "Mine" and again.clip(second.id).words == second.words
    again.undo()
    assert second.id not in {clip.id for clip in again.clips}


def test_other_clips_in_the_place_of_these_are_left_alone(
    review: Review, ctx: RunContext, tmp_path: Path
) -> None:
    review.do(Retitle(review.clips[0].id, "One"))
    other = reviewed(tmp_path / "other", run_context(), ((20.0, 40.0),))
    shutil.copy(other, review.path)
    content = {**read_manifest(review.path), "id": "another"}
    review.path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="was replaced by other clips"):
        review.sync()
    assert read_manifest(review.path) == content
    assert [e.operation.op for e in ctx.catalogue.edits(review.id)] == ["begin", "retitle"]


def test_a_log_of_which_a_part_is_lost_is_begun_anew(review: Review) -> None:
    for title in ("One", "Two"):
        review.do(Retitle(review.clips[0].id, title))
    review.sync()
    edits = list(review._log.edits)
    for lost in (0, 1):
        place = review.path.parent.with_name(f"lost-{lost}")
        shutil.copytree(review.path.parent, place)
        ctx = run_context()
        left = [edit for n, edit in enumerate(edits) if n != lost]
        ctx.catalogue.append_edits(review.id, left)
        again = Review(place, ctx)
        assert [clip.title for clip in again.clips] == [clip.title for clip in review.clips]
        if lost == 0:
            assert again.undoable is None and again.id != review.id
        again.do(Retitle(again.clips[0].id, "Three"))
        again.sync()
        assert in_manifest(again)[0].title == "Three"


def test_who_edits_a_copied_folder_at_the_same_time_gives_it_one_name(
    review: Review, ctx: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.do(Retitle(review.clips[0].id, "One"))
    review.sync()
    copy = shutil.copytree(review.path.parent, review.path.parent.with_name("copy"))
    others: list[Review] = []

    @contextmanager
    def waited(*_: object) -> Iterator[None]:
        if not others:
            others.append(review)  # from here on the other one is at once
            others.append(Review(copy, ctx))
            others[1].do(Retitle(others[1].clips[0].id, "Theirs"))
        yield

    monkeypatch.setattr("reelremix.engine.reviewing.alone_at", waited)
    ours = Review(copy, ctx)
    assert ours.id == others[1].id != review.id and ours.clips[0].title == "Theirs"


def test_a_title_holds_no_orders_for_terminals(review: Review) -> None:
    review.do(Retitle(review.clips[0].id, "x\x1b]2;PWNED\x07y\x9b31m"))
    assert review.clips[0].title.isprintable()


def test_a_linked_manifest_stays_a_link(review: Review, ctx: RunContext) -> None:
    real = review.path.rename(review.path.with_name("real.json"))
    review.path.symlink_to(real)
    again = Review(review.path, ctx)
    again.do(Retitle(again.clips[0].id, "One"))
    again.sync()
    assert review.path.is_symlink() and in_manifest(again)[0].title == "One"
    assert read_manifest(real)["clips"][0]["title"] == "One"


def test_a_moved_folder_goes_on(review: Review, ctx: RunContext) -> None:
    clip = review.clips[0]
    review.do(Retitle(clip.id, "One"))
    moved = review.path.parent.rename(review.path.parent.with_name("moved"))
    again = Review(moved, ctx)
    assert again.id == review.id and again.clip(clip.id).title == "One"


def test_a_manifest_of_an_earlier_version_gets_a_name(review: Review, ctx: RunContext) -> None:
    content = json.loads(review.path.read_bytes())
    del content["id"], content["edited_to"]
    for entry in content["clips"]:
        del entry["status"], entry["shows"]
    review.path.write_text(json.dumps(content), encoding="utf-8")
    again = Review(review.path, ctx)
    again.do(Retitle(again.clips[0].id, "One"))
    again.sync()
    assert again.undo() and again.clip(again.clips[0].id).title == review.clips[0].title


def test_a_recording_the_library_does_not_know_is_edited_by_the_words_of_its_clips(
    review: Review,
) -> None:
    elsewhere = Review(review.path, run_context())
    clip = elsewhere.clips[0]
    elsewhere.do(CutOut(clip.id, clip.words[5].range.start_s, clip.words[8].range.end_s))
    assert texts(elsewhere.clip(clip.id)) == texts(clip)[:5] + texts(clip)[9:]


def test_an_edit_counts_where_the_library_does_not_know_earlier_ones(
    review: Review, ctx: RunContext
) -> None:
    clip = review.clips[0]
    review.do(Decide(clip.id, Status.KEPT))
    review.do(Retitle(clip.id, "Here"))
    review.sync()
    elsewhere = Review(review.path, run_context())
    elsewhere.do(Decide(clip.id, Status.DROPPED))
    elsewhere.sync()
    assert (in_manifest(review)[0].status, in_manifest(review)[0].title) == ("dropped", "Here")
    again = Review(review.path, ctx)
    again.do(Retitle(clip.id, "Here again"))
    again.sync()
    assert (in_manifest(again)[0].status, in_manifest(again)[0].title) == ("dropped", "Here again")


def test_what_settles_an_operation_is_undone_with_it(review: Review) -> None:
    clip = review.clips[0]
    review.do(Reframe(clip.id, LayoutChoice.FIT))
    due = review.clip(clip.id)
    framed = replace(due, framing=replace(due.framing, made=due.framing.wanted))
    assert review.settle([framed], {}) is not None
    assert not review.clip(clip.id).framing.is_due
    review.undo()
    assert review.clip(clip.id) == clip
    review.redo()
    assert not review.clip(clip.id).framing.is_due


def test_what_settles_a_clip_is_undone_with_what_was_done_to_that_clip(review: Review) -> None:
    first, second, _ = review.clips
    review.do(Reframe(first.id, LayoutChoice.FIT))
    review.do(Retitle(second.id, "Another"))
    due = review.clip(first.id)
    framed = replace(due, framing=replace(due.framing, made=due.framing.wanted))
    review.settle([framed], {})
    review.undo()
    assert review.clip(second.id) == second and not review.clip(first.id).framing.is_due
    review.undo()
    assert review.clip(first.id) == first


def test_who_is_seen_in_a_clip_is_known_to_every_session(review: Review, ctx: RunContext) -> None:
    clip = review.clips[0]
    review.do(Reframe(clip.id, LayoutChoice.SINGLE))
    due, number = review.clip(clip.id), max(track.id for track in review.tracks)
    [piece] = due.layout.pieces
    [region] = piece.regions
    following = replace(piece, regions=(replace(region, track=number),))
    framed = replace(due, framing=replace(due.framing, made=due.framing.wanted),
                     layout=replace(due.layout, pieces=(following,)))  # fmt: skip
    review.settle([framed], {clip.id: [replace(TRACKS[0], id=number)]})  # and is killed
    other = Review(review.path, ctx)
    [[named]] = [[r.track for r in p.regions] for p in other.clip(clip.id).layout.pieces]
    assert named == number + 1  # numbers that are taken are given to nobody else
    assert named in {track.id for track in other.tracks}
    other.sync()
    assert named in {track["id"] for track in read_manifest(other.path)["tracks"]}
    other.undo()
    other.sync()
    assert {0, 1, named} <= {track["id"] for track in read_manifest(other.path)["tracks"]}


moments = st.floats(0, SOURCE.duration.seconds, allow_nan=False)
TEXTS = st.sampled_from(
    ["so", "A new title", "New York City", "", "Kubernetes,", "日本語です", "שלום"]
)


@st.composite
def operations(draw: st.DrawFn) -> Callable[[tuple[Clip, ...]], Change]:
    """Something somebody may ask for, on whichever clips there are then."""
    kind = draw(st.integers(0, 11))
    which, other = draw(st.integers(0, 9)), draw(st.integers(0, 9))
    a, b = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    far, text = draw(moments), draw(TEXTS)

    def make(clips: tuple[Clip, ...]) -> Change:
        clip = clips[which % len(clips)]
        hull = hull_of(clip.ranges)
        start, end = hull.start_s + a * hull.duration_s, hull.start_s + b * hull.duration_s
        changes: list[Change] = [
            Decide(clip.id, [None, Status.KEPT, Status.DROPPED][other % 3]),
            Retitle(clip.id, text),
            Trim(clip.id, start, end),
            Trim(clip.id, min(start, far), max(end, far)),
            CutOut(clip.id, start, end),
            PutBack(clip.id, start, end),
            Split(clip.id, start),
            Merge(clip.id, clips[other % len(clips)].id),
            Create(far, far + 4 + 10 * a),
            Reframe(clip.id, list(LayoutChoice)[other % 6]),
            Correct(clip.id, start, end if end - start < 3 else start + 1, text),
            Follow(clip.id, start, end, start, 640, 300),
        ]
        return changes[kind]

    return make


@pytest.mark.slow
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
@given(st.lists(operations(), min_size=1, max_size=10), st.booleans())
def test_any_edits_are_undone_exactly_and_everything_agrees_after_each(
    makers: list[Callable[[tuple[Clip, ...]], Change]], captions: bool
) -> None:
    ctx = run_context()
    with TemporaryDirectory() as folder:
        review = Review(reviewed(Path(folder), ctx, captions=captions), ctx)
        states: list[tuple[Clip, ...]] = [review.clips]
        for make in makers:
            try:
                review.do(make(review.clips))
            except ConfigError:
                assert review.clips == states[-1]
                continue
            states.append(review.clips)
            for clip in review.clips:
                check_clip(clip)
        check_everybody_sees(review, ctx)
        for expected in reversed(states[:-1]):
            review.undo()
            assert review.clips == expected
        assert review.undoable is None
        review.sync()
        assert in_manifest(review) == states[0]
        assert ctx.catalogue.transcript(SOURCE.id) == TALK
        for expected in states[1:]:
            review.redo()
            assert review.clips == expected
        check_everybody_sees(review, ctx)


def check_clip(clip: Clip) -> None:
    """What holds of every clip whatever was done to it."""
    assert all(a.end < b.start for a, b in zip(clip.ranges, clip.ranges[1:], strict=False))
    assert not cut_words(clip)
    assert all(end.exact * RATE % 1 == 0 for r in clip.ranges for end in (r.start, r.end))
    spoken = [w.range for w in clip.words]
    assert spoken == sorted(spoken, key=lambda r: r.start)
    assert len(set(spoken)) == len(spoken)
    shown_at = [piece.range for piece in clip.layout.pieces]
    assert all(a.end <= b.start for a, b in pairwise(shown_at))
    assert {r.start for r in clip.ranges} <= {r.start for r in shown_at}
    if clip.captions is not None:
        shown = [i for cue in clip.captions.cues for line in cue.lines for i in line]
        assert shown == sorted(shown) and all(i < len(clip.words) for i in shown)
        assert {clip.words[i].text for i in shown} == {w.text for w in clip.words if w.text}


def check_everybody_sees(review: Review, ctx: RunContext) -> None:
    """The manifest, its schema, the library and the exports say what the session says."""
    review.sync()
    content: dict[str, Any] = read_manifest(review.path)
    assert faults("clips", content) == []
    assert in_manifest(review) == review.clips
    assert Review(review.path, ctx).clips == review.clips
    stored = {clip.id: clip for clip in ctx.catalogue.clips(SOURCE.id)}
    said = ctx.catalogue.transcript(SOURCE.id)
    assert said is not None
    for clip in review.clips:
        assert clip_to_dict(stored[clip.id]) == clip_to_dict(clip)
        assert texts(clip) == [w.text for w in heard_words(said.words, clip.ranges)]
        written = WRITERS["srt"](clip).replace("\n", " ")
        assert all(part in written for word in clip.words for part in word.text.split())


def test_the_clips_of_this_file_are_as_said() -> None:
    assert len(SPANS) == 3 and len(SPOKEN.words) > 400
