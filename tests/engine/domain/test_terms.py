"""Words as they are looked for."""

from __future__ import annotations

import pytest

from reelremix.engine.domain.terms import stem, terms_of


@pytest.mark.parametrize(
    "family",
    [
        ("hire", "hired", "hires", "hiring"),
        ("mistake", "mistakes"),
        ("story", "stories"),
        ("stop", "stopped", "stopping"),
        ("quick", "quickly"),
        ("boss", "bosses"),
    ],
)
def test_a_word_is_found_with_another_ending(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize("word", ["sing", "red", "bus", "猫好", "größe", "news", "this"])
def test_a_word_is_never_cut_down_to_nothing(word: str) -> None:
    assert len(stem(word)) >= min(3, len(word))


def test_possessives_and_hyphens_do_not_hide_a_word() -> None:
    assert terms_of("Anna’s well-known plan") == ["anna", "well", "known", "plan"]
