"""Which windows of speech come from one voice.

Agglomerative clustering with average linkage on the cosine similarity of embeddings, as in the
baselines of the DIHARD challenges (Sell et al., "Diarization is Hard", Interspeech 2018). The mean
similarity of all pairs across two clusters is the dot product of their mean vectors, so a cluster
is its sum and its count, and a long recording can be clustered in blocks first without changing
what similarity means. Afterwards the order of time is heeded: a Viterbi search over the windows, in
which a change of speaker costs something, as in Diez et al., "Bayesian HMM Based x-Vector
Clustering for Speaker Diarization", Interspeech 2019.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reelremix.engine.models.speaker_embedding import Embeddings

SAME_VOICE = 0.3
"""Clusters with a higher mean similarity are one voice."""
SURELY_SAME = 0.55
"""The same, where only a part of the recording is in view."""
FEW = 3
"""Clusters of fewer windows may be chance: an odd moment of a voice that is also elsewhere."""
FEW_SAME_VOICE = 0.25
"""Above this mean similarity to a larger cluster they belong to it."""
LEAST = 2
LEAST_SHARE = 1 / 2000
"""A cluster of fewer windows, or a smaller share of all, is no speaker: 1.5 s in ten minutes, 3 s
in an hour and a half."""
BLOCK = 2048
"""Vectors clustered at once: the matrix of their similarities takes 16 MB."""
CHANGE_COST = 0.25
"""How much more similar to another voice one window must be to mean a change of speaker."""
ROUNDS = 5
"""Of searching and taking means again; mostly two or three change something."""

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float32]


def cluster_voices(embeddings: Embeddings, speakers: int | None = None) -> Labels:
    """The voice of every window, numbered from 0.

    Args:
        embeddings: shape (windows, dimensions), rows of length one.
        speakers: how many voices there are, if known; fewer come back if there are fewer windows.
    """
    labels = _condensed(embeddings)
    sums, counts = _gathered(embeddings, labels)
    tree = _Tree.of(sums, counts)
    top = tree.cut(speakers)
    return _settled(sums, counts, top, speakers)[labels]


def follow_voices(
    embeddings: Embeddings, continues: npt.NDArray[np.bool_], labels: Labels
) -> Labels:
    """The voices of windows once their order counts; a voice may vanish.

    Args:
        embeddings: in order of time, shape (windows, dimensions), rows of length one.
        continues: whether a window goes on right behind the one before it, shape (windows,).
        labels: the voices so far; -1 where nobody knows.
    """
    for _ in range(ROUNDS):
        known = labels >= 0
        _, numbers = np.unique(labels[known], return_inverse=True)
        sums, _ = _gathered(embeddings[known], numbers)
        voices = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        found = _best_path(embeddings @ voices.T, continues)
        if np.array_equal(found, labels):
            break
        labels = found
    return labels


def _best_path(similarity: Array, continues: npt.NDArray[np.bool_]) -> Labels:
    """Viterbi: the voices with the largest sum of similarities less the cost of changes."""
    total = similarity[0].astype(np.float64)
    came_from = np.zeros(similarity.shape, np.int32)
    voices = np.arange(similarity.shape[1])
    for i in range(1, len(similarity)):
        best = int(total.argmax())
        changed = total[best] - (CHANGE_COST if continues[i] else CHANGE_COST / 4)
        stays = total >= changed
        came_from[i] = np.where(stays, voices, best)
        total = np.where(stays, total, changed) + similarity[i]
    path = np.zeros(len(similarity), np.int64)
    path[-1] = int(total.argmax())
    for i in range(len(similarity) - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _condensed(embeddings: Embeddings) -> Labels:
    """At most `BLOCK` clusters, merged where voices are surely the same."""
    labels: Labels = np.arange(len(embeddings))
    stop = SURELY_SAME
    while (count := int(labels.max(initial=-1)) + 1) > BLOCK:
        sums, counts = _gathered(embeddings, labels)
        coarse = np.zeros(count, np.int64)
        used = 0
        for start in range(0, count, BLOCK):
            part = slice(start, start + BLOCK)
            coarse[part] = used + _Tree.of(sums[part], counts[part]).above(stop)
            used = int(coarse[part].max()) + 1
        if used > 0.9 * count and stop == SAME_VOICE:
            return _nearest_of(BLOCK, sums, counts)[labels]
        if used > 0.9 * count:
            stop = max(SAME_VOICE, stop - 0.1)
        labels = coarse[labels]
    return labels


def _nearest_of(most: int, sums: Array, counts: Array) -> Labels:
    """For each cluster, which of the `most` largest it is or resembles most."""
    kept = np.argsort(-counts, kind="stable")[:most]
    voices = (sums[kept] / counts[kept, None]).T
    blocks = [sums[i : i + BLOCK] for i in range(0, len(sums), BLOCK)]
    labels = np.concatenate([(block @ voices).argmax(axis=1) for block in blocks])
    labels[kept] = np.arange(len(kept))
    return labels


def _gathered(embeddings: Embeddings, labels: Labels) -> tuple[Array, Array]:
    """Sums and counts of the clusters."""
    count = int(labels.max(initial=-1)) + 1
    sums = np.zeros((count, embeddings.shape[1]), np.float32)
    np.add.at(sums, labels, embeddings)
    return sums, np.bincount(labels, minlength=count).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Clusters merged two by two until one is left, most similar first."""

    counts: Array
    merges: tuple[tuple[int, int, float], ...]
    """(what stays, what goes into it, mean similarity)."""

    @classmethod
    def of(cls, sums: Array, counts: Array) -> _Tree:
        """Average linkage; O(clusters^2) memory, little more time."""
        size = len(sums)
        similar = (sums @ sums.T) / (counts[:, None] * counts)
        np.fill_diagonal(similar, -np.inf)
        weights = counts.astype(np.float64)
        nearest = similar.argmax(axis=1) if size else np.zeros(0, np.int64)
        height = similar[np.arange(size), nearest]
        merges = []
        for _ in range(size - 1):
            a = int(height.argmax())
            b = int(nearest[a])
            merges.append((a, b, float(height[a])))
            mean = (weights[a] * similar[a] + weights[b] * similar[b]) / (weights[a] + weights[b])
            mean[[a, b]] = -np.inf
            similar[a] = similar[:, a] = mean
            similar[b] = similar[:, b] = -np.inf
            weights[a] += weights[b]
            for i in np.flatnonzero((nearest == a) | (nearest == b)):
                nearest[i] = int(similar[i].argmax())
                height[i] = similar[i, nearest[i]]
            nearest[a] = int(similar[a].argmax())
            height[a], height[b] = similar[a, nearest[a]], -np.inf
        return cls(counts, tuple(merges))

    def above(self, similarity: float) -> Labels:
        """Merged while more similar."""
        return self._after(sum(1 for *_, height in self.merges if height > similarity))

    def cut(self, speakers: int | None) -> Labels:
        """Merged until as many clusters that are not few windows are left, or as far as likely."""
        if speakers is None:
            return self.above(SAME_VOICE)
        sizes = self.counts.copy()
        large = int((sizes >= FEW).sum())
        steps = len(sizes) - speakers
        for step, (a, b, _) in enumerate(self.merges, start=1):
            large += int(sizes[a] + sizes[b] >= FEW) - int(sizes[a] >= FEW) - int(sizes[b] >= FEW)
            sizes[a] += sizes[b]
            if large == speakers:
                steps = step
        return self._after(max(0, steps))

    def _after(self, steps: int) -> Labels:
        parent = np.arange(len(self.counts))
        for a, b, _ in self.merges[:steps]:
            parent[b] = a
        for i in range(len(parent)):
            while parent[i] != parent[parent[i]]:
                parent[i] = parent[parent[i]]
        return np.unique(parent, return_inverse=True)[1]


def _settled(sums: Array, counts: Array, labels: Labels, speakers: int | None) -> Labels:
    """Small clusters given to larger ones they resemble, all of them if `speakers` are known."""
    top, sizes = _gathered(sums, labels)[0], np.bincount(labels, weights=counts)
    means = top / sizes[:, None]
    order = np.argsort(-sizes, kind="stable")
    least = max(LEAST, LEAST_SHARE * counts.sum())
    large = int((sizes >= max(FEW, least)).sum())
    kept = order[: max(1, large)] if speakers is None else order[:speakers]
    target = np.arange(len(sizes))
    for small in itertools.filterfalse(set(kept.tolist()).__contains__, order):
        similar = means[kept] @ means[small]
        is_chance = speakers is not None or sizes[small] < least
        if is_chance or similar.max() > FEW_SAME_VOICE:
            target[small] = kept[int(similar.argmax())]
    return np.unique(target[labels], return_inverse=True)[1]
