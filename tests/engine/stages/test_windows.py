"""Sources cut into what a search finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.windows import LONGEST_S, cut_windows, index_of, packed, unpacked
from tests.engine.stages.talk import dull, talk

SENTENCES = split_sentences(talk(dull(40)))


@given(st.integers(1, 40))
def test_every_sentence_is_in_one_window_of_at_most_a_minute(count: int) -> None:
    cut = list(cut_windows(SENTENCES[:count]))
    assert [i for first, last in cut for i in range(first, last + 1)] == list(range(count))
    spans = [SENTENCES[b].range.end_s - SENTENCES[a].range.start_s for a, b in cut]
    assert max(spans) <= LONGEST_S


def test_a_source_that_says_nothing_has_no_windows() -> None:
    assert index_of("s", (), None, None).windows == ()


def test_windows_carry_their_words_and_meanings() -> None:
    vectors = np.eye(40, 8, dtype=np.float32) + 0.1
    index = index_of("s", SENTENCES, vectors, "model/1")
    assert len(index.windows) == 4 and index.model == "model/1"
    first = index.windows[0]
    assert first.text.startswith(SENTENCES[0].text) and "report" in first.terms
    assert first.meaning is not None and len(first.meaning.window) == 8
    rows = unpacked(first.meaning.lines, len(first.lines))
    wanted = vectors[:12] / np.linalg.norm(vectors[:12], axis=1, keepdims=True)
    assert np.abs(rows - wanted).max() < 0.01


def test_the_digest_changes_with_what_is_said_and_with_the_model() -> None:
    same = [index_of("s", SENTENCES, None, None).digest for _ in range(2)]
    other = index_of("s", SENTENCES[1:], None, None).digest
    assert same[0] == same[1] != other
    assert index_of("s", SENTENCES, None, "model/1").digest not in (same[0], other)


@given(st.lists(st.floats(-3, 3), min_size=4, max_size=4))
def test_packing_keeps_directions(numbers: list[float]) -> None:
    vector = np.array([[*numbers, 1.0]], np.float32)
    [row] = unpacked(packed(vector), 1)
    assert float(row @ vector[0]) / np.linalg.norm(vector) > 0.999
