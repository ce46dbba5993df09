"""Naming clips, deciding on them, and importing results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reelremix.engine.adapting import own_ranking, place_of, relearn
from reelremix.engine.domain.context import CancelToken, Decision
from reelremix.engine.export.manifest import manifest_to_dict
from reelremix.engine.feedback import decide, find_clip, import_results, reset
from reelremix.engine.store.memory import MemoryCatalogue
from reelremix.errors import Cancelled, ConfigError
from tests.engine.decided import clip_ids, talks, with_talks
from tests.engine.examples import CLIP, MANIFEST, RENDERED
from tests.fakes import run_context

TITLE = "Talk 0 about thing {}"


@pytest.fixture
def catalogue() -> MemoryCatalogue:
    """Clips of two talks."""
    found = MemoryCatalogue()
    with_talks(found, 2, 10)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished folder of one clip."""
    (tmp_path / "clips.json").write_text(json.dumps(manifest_to_dict(MANIFEST)))
    for name in (RENDERED.video, RENDERED.thumbnail, RENDERED.subtitles, "notes.txt"):
        (tmp_path / str(name)).write_bytes(b"")
    return tmp_path


def refusal(text: str, catalogue: MemoryCatalogue) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        find_clip(text, catalogue)
    return caught.value


def table(
    folder: Path, *rows: str, header: str = "Video title,Views,Average view duration"
) -> Path:
    path = folder / "results.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_clip_is_named_by_its_id_or_an_unmistakable_beginning(catalogue: MemoryCatalogue) -> None:
    first, second = clip_ids(1, 2)
    assert find_clip(first, catalogue).id == first
    assert find_clip(second.upper(), catalogue).id == second
    assert find_clip(f" {second[:12]}", catalogue).title == "Talk 1 about thing 1"


def test_a_beginning_of_several_ids_names_them(catalogue: MemoryCatalogue) -> None:
    message = refusal("0001", catalogue).message
    assert "several clips" in message and clip_ids(1, 1)[0] in message and "and 5 more" in message


@pytest.mark.parametrize(
    "text",
    ["", "0", "00", "nonsense", "000000000099", "*", "%", "#1", "a#b", "x" * 5000, "a\0b", "~no/x"],
)
def test_what_names_no_clip_is_refused_with_what_to_type(
    catalogue: MemoryCatalogue, text: str
) -> None:
    error = refusal(text, catalogue)
    assert error.hint or "did you mean" in error.message


def test_a_near_miss_names_the_clip_that_may_be_meant(catalogue: MemoryCatalogue) -> None:
    assert "(Talk 0 about thing 3)" in refusal("talk-0-about-thing-33", catalogue).message
    assert clip_ids(0, 4)[3] in refusal("00000000003", catalogue).message


def test_an_empty_library_says_so() -> None:
    error = refusal("c0ffee", MemoryCatalogue())
    assert "none yet" in error.message and "reelremix clip" in (error.hint or "")


def test_a_clip_is_named_by_any_of_its_files_or_its_rank(
    folder: Path, catalogue: MemoryCatalogue
) -> None:
    for name in (RENDERED.video, RENDERED.subtitles, RENDERED.thumbnail):
        assert find_clip(str(folder / str(name)), catalogue).id == CLIP.id
    for name in ("#1", "/#1", "/clips.json#1"):
        assert find_clip(f"{folder}{name}", catalogue).id == CLIP.id


def test_a_clip_of_another_library_is_known_by_its_manifest(
    folder: Path, catalogue: MemoryCatalogue
) -> None:
    found = find_clip(f"{folder}#1", catalogue)
    assert found.source_id == MANIFEST.presentation.source.id and found.ranges == CLIP.ranges


def test_files_and_ranks_that_are_no_clips_are_refused(
    folder: Path, catalogue: MemoryCatalogue, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert f"it has: {folder}#1" in refusal(f"{folder}#2", catalogue).message
    assert "has no clip 'notes.txt'" in refusal(str(folder / "notes.txt"), catalogue).message
    assert f"'{folder}#1'" in (refusal(str(folder), catalogue).hint or "")
    lonely = tmp_path_factory.mktemp("lonely") / "film.mp4"
    lonely.write_bytes(b"")
    assert "clips.json" in refusal(str(lonely), catalogue).message


def test_a_decision_keeps_where_the_clip_is(catalogue: MemoryCatalogue) -> None:
    ctx = run_context(catalogue=catalogue)
    clip = find_clip(clip_ids(0, 2)[1], catalogue)
    standing = decide([clip], "dropped", ctx)
    (only,) = catalogue.decisions(clip.id)
    assert (only.kind, only.detail) == (
        "dropped", {"source": "source 0", "ranges_s": [[30.0, 50.0]]},
    )  # fmt: skip
    assert (standing.kept, standing.dropped) == (0, 1)


def test_a_reset_counts_nothing_and_removes_nothing(catalogue: MemoryCatalogue) -> None:
    ctx = run_context(catalogue=catalogue)
    decide([find_clip(id, catalogue) for id in clip_ids(0, 3)], "kept", ctx)
    standing = reset(ctx)
    assert (standing.kept, standing.dropped, standing.imported) == (0, 0, 0)
    assert [d.kind for d in catalogue.decisions()] == ["kept"] * 3 + ["reset"]
    assert decide([find_clip(clip_ids(0, 1)[0], catalogue)], "kept", ctx).kept == 1


def test_results_are_recorded_by_clip(catalogue: MemoryCatalogue, tmp_path: Path) -> None:
    ctx = run_context(catalogue=catalogue)
    path = table(tmp_path, f"{TITLE.format(1)} #shorts,100,0:10", f"{TITLE.format(2)},50,0:05")
    found = import_results(path, ctx, dry_run=False)
    assert (found.rows, found.recorded, found.unmatched_rows) == (2, 2, 0)
    (entry,) = catalogue.decisions(clip_ids(0, 2)[1])
    assert entry.kind == "imported" and entry.detail["views"] == 100
    assert entry.detail["retention"] == 0.5, "10 of 20 seconds"
    assert entry.detail["ranges_s"] == [[30.0, 50.0]] and entry.detail["file"] == "results.csv"


def test_the_same_table_twice_records_nothing_new(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    ctx = run_context(catalogue=catalogue)
    path = table(tmp_path, f"{TITLE.format(1)},100,0:10", f"{TITLE.format(2)},50,0:05")
    import_results(path, ctx, dry_run=False)
    again = import_results(path, ctx, dry_run=False)
    assert (again.recorded, again.unchanged) == (0, 2)
    later = import_results(table(tmp_path, f"{TITLE.format(1)},900,0:10"), ctx, dry_run=False)
    assert (later.recorded, later.unchanged) == (1, 0)
    assert [d.detail["views"] for d in catalogue.decisions(clip_ids(0, 2)[1])] == [100, 900]


def test_after_a_reset_the_same_results_may_be_imported_again(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    ctx = run_context(catalogue=catalogue)
    path = table(tmp_path, f"{TITLE.format(1)},100,0:10")
    import_results(path, ctx, dry_run=False)
    reset(ctx)
    assert import_results(path, ctx, dry_run=False).recorded == 1


def test_a_trial_records_nothing(catalogue: MemoryCatalogue, tmp_path: Path) -> None:
    path = table(tmp_path, f"{TITLE.format(1)},100,0:10")
    found = import_results(path, run_context(catalogue=catalogue), dry_run=True)
    assert found.recorded == 1 and catalogue.decisions() == []


def test_of_several_rows_about_a_clip_the_one_with_most_views_counts(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    title = TITLE.format(1)
    path = table(tmp_path, f"{title},50,0:01", f"{title},100,0:02", f"{title} #again,70,0:03")
    found = import_results(path, run_context(catalogue=catalogue), dry_run=False)
    assert (found.duplicates, found.recorded) == (2, 1)
    assert [d.detail["views"] for d in catalogue.decisions()] == [100]


def test_what_is_not_certain_is_listed_and_never_guessed(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    twin = replace(CLIP, id="f" * 12, title=TITLE.format(1))
    catalogue.save_clips("source 1", [twin])
    rows = [f"{TITLE.format(1)},5,0:01", *(f"Cat video {n},9,0:09" for n in range(30))]
    found = import_results(table(tmp_path, *rows), run_context(catalogue=catalogue), dry_run=False)
    assert found.ambiguous == [(TITLE.format(1), (clip_ids(0, 2)[1], "f" * 12))]
    assert (found.unmatched_rows, len(found.unmatched)) == (30, 20)
    assert catalogue.decisions() == []


def test_how_many_watch_to_the_end_stands_in_for_how_long(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    path = table(
        tmp_path, f"{TITLE.format(1)},5,31%", header="Video title,Views,Watched full video"
    )
    import_results(path, run_context(catalogue=catalogue), dry_run=False)
    assert catalogue.decisions()[0].detail["retention"] == 0.31


def test_an_import_that_is_cancelled_records_nothing(
    catalogue: MemoryCatalogue, tmp_path: Path
) -> None:
    rows = [f"{TITLE.format(1)},{n},0:01" for n in range(3000)]
    ctx = run_context(catalogue=catalogue, cancel=_Later())
    with pytest.raises(Cancelled):
        import_results(table(tmp_path, *rows), ctx, dry_run=False)
    assert catalogue.decisions() == []


class _Later(CancelToken):
    """Set once it was asked a few times."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    def raise_if_set(self) -> None:
        """Raise from the third time on."""
        self._asked += 1
        if self._asked >= 3:
            raise Cancelled


def test_somebody_with_a_taste_gets_a_ranking_of_their_own_until_a_reset() -> None:
    ctx = talks(8, 12)
    for kind, halves in (("kept", range(6)), ("dropped", range(6, 12))):
        for source in range(8):
            clips = [find_clip(id, ctx.catalogue) for id in clip_ids(source, 12)]
            clips.sort(key=lambda clip: -clip.ranges[0].duration_s)
            for n in halves:
                ctx.catalogue.record(Decision(clips[n].id, kind, place_of(clips[n]), 1.0))
    standing = relearn(ctx)
    assert standing.learned.is_adopted and standing.learned.decisions == 96
    assert standing.taste and own_ranking(ctx) is not None
    assert not reset(ctx).learned.is_adopted
    assert own_ranking(ctx) is None
