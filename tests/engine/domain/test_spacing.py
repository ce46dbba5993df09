from __future__ import annotations

import pytest

from reelremix.engine.domain.spacing import join_words


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
