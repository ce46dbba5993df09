"""When a personal ranking is adopted, and that nothing is believed without evidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine import codec
from reelremix.engine.stages.learning import (
    FEWEST_DECISIONS,
    Examples,
    Learned,
    area_under_curve,
    bootstrap_share,
    fingerprint,
    grouped_folds,
    learn,
    missing,
    personal_ranker,
)
from reelremix.engine.stages.ranker import CANDIDATE_FEATURES, Ranker, load_ranker
from reelremix.engine.stages.signals import Floats
from reelremix.engine.stages.taste import shorter_by, taste_of

SIZE = len(CANDIDATE_FEATURES)
TURNS = CANDIDATE_FEATURES.index("turns")


def shipped() -> Ranker:
    ranker = load_ranker()
    assert ranker is not None
    return ranker


def examples(
    number: int, sources: int = 6, liking: float = 0.0, seed: int = 0, chance: float = 0.5
) -> Examples:
    """Decisions of somebody who likes turns so much, and is otherwise at random."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(number, SIZE))
    base = np.log(chance / (1 - chance))
    kept = random.random(number) < 1 / (1 + np.exp(-base - liking * rows[:, TURNS]))
    source = np.arange(number) % sources
    return Examples(rows, kept.astype(float), np.ones(number), source, np.ones(SIZE))


def decided(kept: int, dropped: int, sources: int = 2) -> Examples:
    number = kept + dropped
    label = np.array([1.0] * kept + [0.0] * dropped)
    own = examples(number, sources)
    return replace(own, label=label)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (decided(0, 0), "20 more decisions"),
        (decided(6, 6), "it needs 8 more decisions"),
        (decided(6, 13), "it needs 1 more decision"),
        (decided(2, 20), "it needs 3 more kept clips"),
        (decided(20, 4), "it needs 1 more dropped clip"),
        (decided(10, 10, sources=1), "decisions on at least 2 recordings"),
    ],
)
def test_what_is_missing_is_said_exactly(given_: Examples, said: str) -> None:
    learned = learn(given_, shipped())
    assert learned.why_not is not None and said in learned.why_not
    assert not learned.is_adopted and learned.personal is None and learned.name == "shipped"


def test_enough_is_enough() -> None:
    assert missing(decided(10, 10)) is None
    assert missing(decided(15, 5)) is None


def test_results_count_less_than_decisions() -> None:
    own = decided(10, 10)
    assert missing(replace(own, weight=np.full(20, 0.5))) == "it needs 10 more decisions"


def test_a_clear_taste_is_adopted() -> None:
    learned = learn(examples(120, liking=2.5), shipped())
    assert learned.is_adopted and learned.name.startswith("personal ")
    assert learned.shipped is not None and learned.personal is not None
    assert learned.personal.log_loss < learned.shipped.log_loss
    assert (learned.personal.auc or 0) > (learned.shipped.auc or 0)
    assert learned.changes[TURNS] == max(learned.changes)


def test_a_clear_taste_orders_by_it_and_leaves_the_chances_alone() -> None:
    ranker = shipped()
    own = personal_ranker(ranker, learn(examples(120, liking=2.5), ranker))
    few, many = np.zeros((2, SIZE))
    many[TURNS] = 2.0
    rows = np.array([few, many])
    assert np.diff(own.values(rows)) > np.diff(ranker.values(rows))
    np.testing.assert_array_equal(own.candidate(rows), ranker.candidate(rows))
    assert own.chance is ranker.chance


@pytest.mark.parametrize("chance", [0.5, 0.25])
def test_who_decides_at_random_keeps_the_shipped_ranking(chance: float) -> None:
    for number in (20, 60):
        adopted = [
            learn(examples(number, seed=seed, chance=chance), shipped()).is_adopted
            for seed in range(12)
        ]
        assert sum(adopted) <= 1


def test_who_agrees_with_the_shipped_ranking_keeps_it() -> None:
    own = examples(100)
    log_odds = shipped().candidate(own.rows)
    agreed = replace(own, label=(log_odds > np.median(log_odds)).astype(float))
    learned = learn(agreed, shipped())
    assert learned.shipped is not None and (learned.shipped.auc or 0) > 0.95


def test_why_it_is_not_adopted_is_told_in_numbers() -> None:
    learned = learn(examples(60, seed=3), shipped())
    assert learned.why_not is not None and learned.shipped is not None
    assert f"{learned.shipped.log_loss:.3f}" in learned.why_not


def test_learning_twice_gives_the_same() -> None:
    first, again = (learn(examples(60, liking=2), shipped()) for _ in range(2))
    assert first == again


def test_features_that_never_vary_and_one_sided_folds_do_no_harm() -> None:
    own = examples(40, sources=2, liking=1)
    flat = replace(own, rows=np.zeros_like(own.rows))
    assert not learn(flat, shipped()).is_adopted
    alternating = (np.arange(40) % 2).astype(np.float64)
    one_sided = replace(own, label=alternating)  # each recording all kept or all dropped
    learned = learn(one_sided, shipped())
    assert learned.personal is not None and np.isfinite(learned.personal.log_loss)


def test_the_record_survives_being_kept() -> None:
    learned = learn(examples(120, liking=2.5), shipped())
    assert codec.from_plain(codec.to_plain(learned), Learned) == learned


def test_any_number_of_the_ranker_changes_its_fingerprint() -> None:
    ranker = shipped()
    other = replace(
        ranker, chance=replace(ranker.chance, intercept=ranker.chance.intercept + 0.001)
    )
    assert fingerprint(ranker) == fingerprint(replace(ranker))
    assert fingerprint(ranker) != fingerprint(other)
    assert len(fingerprint(ranker)) == 16


def test_the_personal_name_tells_rankings_apart() -> None:
    one = Learned("r", 20, 2, None, weights=(1.0,), changes=(0.0,))
    assert one.name != replace(one, weights=(1.1,)).name
    assert one.name != replace(one, ranker="s").name


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(1, 6))
def test_every_row_is_held_out_once_with_all_of_its_group(groups: list[int], most: int) -> None:
    group = np.array(groups)
    folds = list(grouped_folds(group, most))
    assert np.sum(folds, axis=0).tolist() == [1] * len(groups)
    assert all(not set(group[held]) & set(group[~held]) for held in folds)
    assert len(folds) == min(most, len(set(groups)))


@pytest.mark.parametrize(
    ("chance", "label", "area"),
    [([0.1, 0.9], [0, 1], 1.0), ([0.9, 0.1], [0, 1], 0.0), ([0.5, 0.5], [0, 1], 0.5),
     ([0.1, 0.9], [0.5, 0.5], 0.5)],
)  # fmt: skip
def test_the_area_under_the_curve_is_what_it_should_be(
    chance: list[float], label: list[float], area: float
) -> None:
    ones: Floats = np.ones(2)
    assert area_under_curve(np.array(chance), np.array(label, float), ones) == area
    assert area_under_curve(np.array(chance), ones, ones) is None


def test_a_gain_on_every_decision_is_sure_and_one_on_half_is_not() -> None:
    ones = np.ones(FEWEST_DECISIONS)
    assert bootstrap_share(ones, ones) == 1.0
    assert 0.3 < bootstrap_share(np.resize([1.0, -1.0], 20), ones) < 0.7


def test_a_taste_is_said_in_words() -> None:
    ranker = shipped()
    learned = learn(examples(120, liking=2.5), ranker)
    assert taste_of(learned, ranker)[0] == "more: speakers taking turns"
    assert taste_of(replace(learned, why_not="no"), ranker) == ()


@pytest.mark.parametrize(("weight", "said"), [(-1.0, "shorter clips"), (1.0, "longer clips")])
def test_a_liking_for_lengths_is_said_in_words(weight: float, said: str) -> None:
    ranker = shipped()
    change = np.array([weight * (name == "log_seconds") for name in CANDIDATE_FEATURES])
    assert np.sign(shorter_by(change)) == -weight
    weights = tuple((ranker.candidate.weights + change).tolist())
    learned = Learned("r", 20, 2, None, weights=weights, changes=(0.0,) * SIZE)
    assert taste_of(learned, ranker) == (said,)
