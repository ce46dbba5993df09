from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.stages.tournament import meetings, order


@given(st.integers(0, 16), st.integers(-3, 60))
def test_meetings_are_few_different_and_between_two(size: int, most: int) -> None:
    found = meetings(size, most)
    assert len(found) <= max(0, most) and len({frozenset(m) for m in found}) == len(found)
    assert all(a != b and min(a, b) >= 0 and max(a, b) < size for a, b in found)


def test_neighbours_meet_first() -> None:
    assert meetings(4, 3) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("size", [4, 7, 14, 16])
def test_nobody_owns_a_side(size: int) -> None:
    found = meetings(size, 1000)
    left, right = Counter(a for a, _ in found), Counter(b for _, b in found)
    assert all(abs(left[place] - right[place]) <= 3 for place in range(size))
    stronger = sum(a < b for a, b in found)
    assert 0.3 < stronger / len(found) < 0.75


def test_a_judge_that_always_prefers_a_side_moves_nobody_far() -> None:
    found = meetings(14, 1000)
    for results in ([(a, b) for a, b in found], [(b, a) for a, b in found]):
        placed = order(14, results)
        assert all(abs(placed.index(place) - place) <= 3 for place in range(14))


def test_without_results_the_order_stays() -> None:
    assert order(5, []) == [0, 1, 2, 3, 4]
    assert order(0, []) == []


def test_whoever_wins_everything_comes_first() -> None:
    assert order(4, [(3, 2), (3, 1), (3, 0)])[0] == 3


def test_one_upset_between_neighbours_swaps_them() -> None:
    assert order(3, [(1, 0)])[:2] == [1, 0]


def test_one_upset_far_apart_does_not_turn_everything_over() -> None:
    assert order(12, [(11, 8)])[:3] == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda m: m[0] != m[1]),
                max_size=60))  # fmt: skip
def test_everybody_keeps_a_place(results: list[tuple[int, int]]) -> None:
    assert sorted(order(8, results)) == list(range(8))
