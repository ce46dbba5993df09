from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.domain.spacing import join_words, split_words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["one", "two."], "one two."),
        (["안녕", "하세요"], "안녕 하세요"),
        (["今日", "は", "良い"], "今日は良い"),
        (["สวัสดี", "ครับ"], "สวัสดีครับ"),
        (["use", "iPhone", "吧"], "use iPhone吧"),
    ],
)
def test_words_are_joined_as_their_script_expects(words: list[str], text: str) -> None:
    assert join_words(words) == text


def test_words_of_scripts_without_spaces_are_letters_with_their_marks() -> None:
    assert split_words("Hello, 你好。 ok") == ["Hello,", "你", "好。", "ok"]


@given(st.text(max_size=60))
def test_splitting_loses_nothing_but_spaces(text: str) -> None:
    assert "".join(split_words(text)) == "".join(text.split())
