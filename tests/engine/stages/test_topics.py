from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.source import Chapter
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.topics import SHORTEST_S, chapter_topics, find_topics

SIZE = 16
EVERY_S = 5.0


def sentences(texts: list[str], every_s: float = EVERY_S) -> list[Sentence]:
    return [
        Sentence(t, TimeRange.from_seconds(i * every_s, (i + 0.9) * every_s), None, None, None)
        for i, t in enumerate(texts)
    ]


def about(*subjects: int, noise: float = 0.5) -> Vectors:
    """A vector a sentence, near that of its subject."""
    chance = np.random.default_rng(0)
    centres = np.eye(SIZE)
    rows = centres[list(subjects)] + noise / 4 * chance.normal(size=(len(subjects), SIZE))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_a_new_subject_begins_a_new_topic() -> None:
    subjects = [0] * 40 + [1] * 40 + [2] * 40
    found = find_topics(sentences(["words here"] * 120), about(*subjects))
    assert [topic.first_sentence for topic in found] == pytest.approx([0, 40, 80], abs=2)


def test_one_subject_is_one_topic() -> None:
    flat = np.tile(np.eye(SIZE, dtype=np.float32)[:1], (100, 1))
    assert len(find_topics(sentences(["words"] * 100), flat)) == 1


def test_a_topic_says_what_the_others_do_not() -> None:
    texts = ["money is money and the bank"] * 40 + ["horses eat horses and the grass"] * 40
    first, second = find_topics(sentences(texts), about(*([0] * 40 + [1] * 40)))
    assert "money" in first.words and "horses" in second.words
    assert not set(first.words) & set(second.words)


def test_a_short_source_is_one_topic() -> None:
    assert len(find_topics(sentences(["a b"] * 10), about(*([0] * 5 + [1] * 5)))) == 1


def test_nothing_said_is_no_topic() -> None:
    assert find_topics([], np.zeros((0, SIZE), np.float32)) == ()


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60)), min_size=1, max_size=8),
    st.floats(0.1, 20),
)
def test_topics_cover_everything_once_and_are_not_short(
    runs: list[tuple[int, int]], every_s: float
) -> None:
    subjects = [subject for subject, times in runs for _ in range(times)]
    found = find_topics(sentences(["some words"] * len(subjects), every_s), about(*subjects))
    edges = [(t.first_sentence, t.last_sentence) for t in found]
    assert edges[0][0] == 0 and edges[-1][1] == len(subjects) - 1
    assert all(a[1] + 1 == b[0] for a, b in itertools.pairwise(edges))
    if len(found) > 1:
        assert min(t.range.duration_s for t in found) >= SHORTEST_S - every_s


def test_unordered_times_do_not_stop_it() -> None:
    mixed = sentences(["some words"] * 60)
    mixed[10], mixed[50] = mixed[50], mixed[10]
    assert find_topics(mixed, about(*([0] * 30 + [1] * 30)))


def chapter(start_s: float, end_s: float, title: str) -> Chapter:
    return Chapter(TimeRange.from_seconds(start_s, end_s), title)


def test_chapters_part_a_source_whatever_is_said_in_it() -> None:
    marks = [chapter(5, 26, "One"), chapter(26, 40, "Two"), chapter(900, 950, "Never reached")]
    found = chapter_topics(sentences(["words here"] * 8), marks)
    assert [(t.first_sentence, t.last_sentence, t.words) for t in found] == [
        (0, 4, ("One",)),
        (5, 7, ("Two",)),
    ]
    assert found[1].range == TimeRange.from_seconds(25, 39.5)


def test_a_source_without_words_has_no_topics_in_its_chapters() -> None:
    assert chapter_topics([], [chapter(0, 5, "One"), chapter(5, 9, "Two")]) == ()
