from __future__ import annotations

import numpy as np
import pytest

from reelremix.engine.stages import speaker_clustering
from reelremix.engine.stages.speaker_clustering import (
    FEW_SAME_VOICE,
    SAME_VOICE,
    Labels,
    cluster_voices,
    follow_voices,
)
from tests.talkers import voices


def is_same_grouping(labels: Labels, truth: list[int]) -> bool:
    pairs = set(zip(labels.tolist(), truth, strict=True))
    return len(pairs) == len(set(truth)) == len(set(labels.tolist()))


def in_turns(count: int, windows: int = 12) -> list[int]:
    return [speaker for speaker in range(count) for _ in range(windows)]


@pytest.mark.parametrize("count", [1, 2, 8, 20])
def test_the_number_of_speakers_is_found(count: int) -> None:
    truth = in_turns(count)
    assert is_same_grouping(cluster_voices(voices(truth)), truth)


def test_somebody_who_says_little_is_heard_beside_somebody_who_says_much() -> None:
    truth = [0] * 400 + [1] * 4 + [0] * 100
    assert is_same_grouping(cluster_voices(voices(truth)), truth)


def test_an_odd_moment_of_a_voice_is_not_another_speaker() -> None:
    embeddings = voices([0] * 40)
    mean = embeddings.mean(axis=0)
    length = np.linalg.norm(mean)
    odd = embeddings[20] - mean * (embeddings[20] @ mean) / length**2
    alike = (SAME_VOICE + FEW_SAME_VOICE) / 2 / length
    embeddings[20] = alike * mean / length + np.sqrt(1 - alike**2) * odd / np.linalg.norm(odd)
    assert set(cluster_voices(embeddings).tolist()) == {0}


def test_two_unlike_windows_are_a_speaker_and_one_is_not() -> None:
    truth = [0] * 40 + [1, 1]
    labels = cluster_voices(voices(truth, spread=0.4))
    assert is_same_grouping(labels, truth)
    assert set(cluster_voices(voices(truth, spread=0.4)[:-1]).tolist()) == {0}


def test_in_a_long_recording_a_speaker_is_heard_for_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speaker_clustering, "LEAST_SHARE", 1 / 50)
    truth = [0] * 200 + [1] * 4
    assert set(cluster_voices(voices(truth, spread=0.4)).tolist()) == {0}
    assert is_same_grouping(cluster_voices(voices(truth[80:], spread=0.4)), truth[80:])


@pytest.mark.parametrize("wanted", [1, 2, 3, 5])
def test_a_given_number_of_speakers_is_kept_to(wanted: int) -> None:
    labels = cluster_voices(voices(in_turns(3)), wanted)
    assert len(set(labels.tolist())) == wanted


def test_a_given_number_is_spent_on_voices_not_on_odd_moments() -> None:
    truth = [*in_turns(2, 30), 2]
    labels = cluster_voices(voices(truth), 2)
    assert is_same_grouping(labels[:-1], truth[:-1])


def test_no_more_speakers_than_windows() -> None:
    assert len(set(cluster_voices(voices([0, 1]), 5).tolist())) == 2


def test_no_windows_have_no_voices() -> None:
    assert len(cluster_voices(np.zeros((0, 0), np.float32))) == 0


def test_a_long_recording_is_clustered_in_blocks_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speaker_clustering, "BLOCK", 64)
    truth = in_turns(4, 30) * 4
    assert is_same_grouping(cluster_voices(voices(truth)), truth)


def test_clustering_ends_where_nothing_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker_clustering, "BLOCK", 16)
    labels = cluster_voices(np.repeat(np.eye(50, dtype=np.float32), 2, axis=0))
    assert len(set(labels.tolist())) == 16


def test_one_doubtful_window_does_not_change_the_speaker() -> None:
    embeddings = voices([0] * 10 + [1] * 10, spread=0.1)
    embeddings[5] = 0.62 * embeddings[0] + 0.78 * embeddings[15]
    start = np.array([0] * 5 + [1] + [0] * 4 + [1] * 10)
    labels = follow_voices(embeddings, np.arange(20) > 0, start)
    assert labels.tolist() == [0] * 10 + [1] * 10


def test_a_clear_change_of_speaker_is_followed() -> None:
    truth = [0, 0, 0, 1, 0, 0, 1, 1]
    embeddings = voices(truth, spread=0.1)
    assert follow_voices(embeddings, np.arange(8) > 0, np.array(truth)).tolist() == truth


def test_windows_nobody_knows_get_the_voice_they_resemble() -> None:
    truth = [0, 0, 0, 1, 1, 1]
    embeddings = voices(truth, spread=0.1)
    start = np.array([0, -1, 0, 1, -1, 1])
    assert follow_voices(embeddings, np.zeros(6, bool), start).tolist() == truth
