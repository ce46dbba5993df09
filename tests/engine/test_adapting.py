"""From decisions to a ranking: what counts, what is left out, and what a run ranks with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reelremix.engine import codec
from reelremix.engine.adapting import (
    IMPORT_WEIGHT,
    NO_MODEL,
    NO_SPEECH,
    NO_TRANSCRIPT,
    NOT_RANKED,
    Judgement,
    Standing,
    judged,
    own_ranking,
    performance,
    relearn,
)
from reelremix.engine.choosing import Ranking, rank
from reelremix.engine.domain.context import Decision, RunContext
from reelremix.engine.domain.events import StageStarted, Warned
from reelremix.engine.domain.request import SelectOptions
from reelremix.engine.hearing import Heard
from reelremix.engine.stages.learning import Learned, fingerprint
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, load_ranker
from reelremix.engine.store.memory import MemoryArtifactStore, MemoryCatalogue
from tests.engine.decided import clip_ids, long_talk, talks
from tests.engine.stages.talk import dull, talk
from tests.fakes import NoModels, Recorder


def decision(clip: str, kind: str = "kept", **detail: object) -> Decision:
    where = {"source": "source 0", "ranges_s": [[30.0, 60.0]]}
    return Decision(clip, kind, {**where, **detail}, 1.0)


def result(
    clip: str, views: float | None, retention: float | None = 0.5, on: str = "x"
) -> Decision:
    return decision(clip, "imported", views=views, retention=retention, platform=on)


def told(*decisions: Decision) -> dict[str, Judgement]:
    catalogue = MemoryCatalogue()
    for each in decisions:
        catalogue.record(each)
    return {judgement.clip_id: judgement for judgement in judged(catalogue)[0]}


def record(ctx: RunContext, *decisions: Decision) -> RunContext:
    for each in decisions:
        ctx.catalogue.record(each)
    return ctx


def adopted(**more: object) -> Standing:
    """A ranking by the share of turns alone, adopted."""
    ranker = load_ranker()
    assert ranker is not None
    weights = tuple(float(name == "turns") for name in CANDIDATE_FEATURES)
    learned = Learned(fingerprint(ranker), 34, 4, None, weights=weights, changes=weights)
    return Standing(20, 14, 0, (), replace(learned, **more), (), 1.0)  # type: ignore[arg-type]


def test_the_last_decision_about_a_clip_counts() -> None:
    found = told(decision("a"), decision("b", "dropped"), decision("a", "dropped"), decision("b"))
    assert {id: j.label for id, j in found.items()} == {"a": 0.0, "b": 1.0}


def test_a_decision_made_twice_counts_once() -> None:
    assert len(told(decision("a"), decision("a"))) == 1


def test_proposals_are_no_decisions() -> None:
    assert told(decision("a", "proposed")) == {}


def test_after_a_reset_nothing_older_counts() -> None:
    found = told(decision("a"), decision("", "reset"), decision("b"), decision("c", "dropped"))
    assert sorted(found) == ["b", "c"]


def test_results_say_where_a_clip_stands_among_its_platform() -> None:
    found = told(result("a", 10), result("b", 100), result("c", 1000), result("d", 5, on="y"))
    assert found["a"].label < found["b"].label < found["c"].label
    assert found["b"].label == found["d"].label == 0.5
    assert {j.weight for j in found.values()} == {IMPORT_WEIGHT}


def test_the_latest_results_of_a_clip_count() -> None:
    found = told(result("a", 10), result("b", 100), result("a", 1000))
    assert found["a"].label > found["b"].label


def test_a_decision_outweighs_results_whichever_came_last() -> None:
    for order in ((0, 1), (1, 0)):
        pair = [result("a", 10), decision("a")]
        found = told(result("b", 100), *(pair[n] for n in order))
        assert (found["a"].label, found["a"].weight) == (1.0, 1.0)


def test_people_who_stay_count_as_much_as_people_who_come() -> None:
    assert performance(100, 0.8, 0.5) > performance(1000, 0.2, 0.5)
    assert performance(100, None, 0.5) == performance(100, 0.5, 0.9)
    assert performance(None, 0.8, 0.5) == 0.8


def test_a_bare_decision_is_looked_up_in_the_library() -> None:
    ctx = record(talks(1), Decision(clip_ids(0, 1)[0], "kept", {}, 1.0))
    ctx.catalogue.record(Decision("gone", "kept", {}, 1.0))
    (only,), kinds = judged(ctx.catalogue)
    assert only.source_id == "source 0" and only.ranges_s == ((0.0, 15.0),)
    assert kinds == {"kept": 2}


def test_decisions_become_examples_of_every_recording() -> None:
    ctx = talks(2)
    for source in range(2):
        for n, id in enumerate(clip_ids(source, 10)):
            ctx.catalogue.record(Decision(id, "kept" if n % 2 else "dropped", {}, 1.0))
    standing = relearn(ctx)
    assert (standing.kept, standing.dropped, standing.left_out) == (10, 10, ())
    assert (standing.learned.decisions, standing.learned.sources) == (20, 2)
    assert standing.learned.shipped is not None
    assert codec.from_plain(ctx.catalogue.ranking(), Standing) == standing


def test_what_cannot_be_learned_from_is_counted_with_its_reason() -> None:
    ctx = talks(1)
    ctx.catalogue.save_transcript("short", talk(dull(20)))
    ctx.catalogue.save_transcript("new", long_talk(7))
    record(
        ctx,
        decision("a"),
        decision("b", source="unheard"),
        decision("c", source="short"),
        decision("d", ranges_s=[[2000.0, 2030.0]]),
    )
    standing = relearn(ctx)
    assert standing.learned.decisions == 1
    assert dict(standing.left_out) == {NO_TRANSCRIPT: 1, NOT_RANKED: 1, NO_SPEECH: 1}
    record(ctx, decision("e", source="new"))
    assert dict(relearn(replace(ctx, models=NoModels())).left_out)[NO_MODEL] == 1


def test_features_are_measured_once() -> None:
    ctx = record(talks(1), decision("a"), decision("b", "dropped"))
    relearn(ctx)
    assert relearn(replace(ctx, models=NoModels())).learned.decisions == 2
    emptied = replace(ctx, models=NoModels(), artifacts=MemoryArtifactStore())
    assert relearn(emptied).left_out == ((NO_MODEL, 2),)


def test_clips_in_several_pieces_count_from_the_first_to_the_last() -> None:
    whole = record(talks(1), decision("a", ranges_s=[[30.0, 60.0]]))
    pieces = record(talks(1), decision("a", ranges_s=[[30.0, 40.0], [50.0, 60.0]]))
    assert relearn(whole).learned == relearn(pieces).learned


def test_without_a_ranking_of_ones_own_the_shipped_one_ranks() -> None:
    ctx = talks(1)
    assert own_ranking(ctx) is None
    ctx.catalogue.save_ranking(codec.to_plain(adopted(why_not="too few")))
    assert own_ranking(ctx) is None


def test_an_adopted_ranking_ranks() -> None:
    ctx = talks(1)
    ctx.catalogue.save_ranking(codec.to_plain(adopted()))
    own = own_ranking(ctx)
    assert own is not None and own.decisions == 34 and own.name.startswith("personal ")


def test_a_ranking_learned_on_another_version_is_not_used_and_that_is_said() -> None:
    recorder = Recorder()
    ctx = replace(talks(1), reporter=recorder)
    ctx.catalogue.save_ranking(codec.to_plain(adopted(ranker="0" * 16)))
    assert own_ranking(ctx) is None
    (warning,) = [e for e in recorder.events if isinstance(e, Warned)]
    assert "another version" in warning.message and "feedback status" in (warning.hint or "")


@pytest.mark.parametrize("document", [{}, {"learned": 3}, {"kept": "x", "learned": {}}])
def test_what_another_version_kept_counts_as_absent(document: dict[str, object]) -> None:
    ctx = talks(1)
    ctx.catalogue.save_ranking(document)
    assert own_ranking(ctx) is None
    assert relearn(ctx).learned.decisions == 0


def ranked(ctx: RunContext) -> tuple[list[float], list[float | None], Ranking]:
    found = rank(Heard(long_talk(0), "cpu"), SelectOptions(), None, ctx)
    scores = [candidate.score for candidate in found.candidates if candidate.score]
    return [s.rank_value for s in scores], [s.total for s in scores], found


def test_ones_own_ranking_changes_the_order_and_no_chance() -> None:
    ctx = talks(1)
    before, chances, first = ranked(ctx)
    ctx.catalogue.save_ranking(codec.to_plain(adopted()))
    recorder = Recorder()
    after, still, second = ranked(replace(ctx, reporter=recorder))
    assert np.argsort(before).tolist() != np.argsort(after).tolist()
    assert chances == still and None not in chances
    told = [e.detail for e in recorder.events if isinstance(e, StageStarted) and e.stage == "score"]
    assert told == ["ranked with your feedback, 34 decisions"]
    assert [first.ranker, second.ranker] == ["shipped", adopted().learned.name]


def test_where_meanings_are_not_known_signals_rank_whatever_was_learned() -> None:
    ctx = replace(talks(1), models=NoModels())
    ctx.catalogue.save_ranking(codec.to_plain(adopted()))
    _, _, found = ranked(ctx)
    assert found.ranker == "signals"
