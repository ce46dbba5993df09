"""Who meets whom, and what order follows from who won.

The Bradley-Terry model (R. A. Bradley and M. E. Terry, "Rank Analysis of Incomplete Block Designs",
Biometrika 1952): the chance that one beats another is the logistic function of the difference of
their strengths. With few comparisons the likelihood alone has no maximum, so each strength gets a
normal prior around its place in the ranking that was there before; the posterior is concave and
Newton's method finds its top. Language models favour a side whatever stands there (P. Wang et al.,
"Large Language Models are not Fair Evaluators", 2023), so sides are dealt evenly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STEP = 0.4
"""Between neighbours in the ranking before: it expects the better one to win 6 times in 10."""
SPREAD = 1.0
"""Standard deviation of the prior: a judge that is sure moves a clip by several places."""
MOST_DISTANCE = 3
"""In places, of those that meet; further apart the ranking seldom errs."""
_ROUNDS = 50

Meeting = tuple[int, int]
"""The places of the one on the left and of the one on the right."""
Floats = npt.NDArray[np.float64]


def meetings(size: int, most: int) -> list[Meeting]:
    """Who meets whom, neighbours first: nobody stands on one side more than once too often.

    At each distance everybody in the middle is once on either side; at even distances the weaker
    one is on the left, so that neither the strong nor the weak own a side.
    """
    found: list[Meeting] = []
    for distance in range(1, MOST_DISTANCE + 1):
        pairs = [(place, place + distance) for place in range(size - distance)]
        found += pairs if distance % 2 else [(b, a) for a, b in pairs]
    return found[: max(0, most)]


def order(size: int, results: Sequence[tuple[int, int]]) -> list[int]:
    """Places, the strongest first; each result is a winner and a loser."""
    strengths = _strengths(size, results)
    return sorted(range(size), key=lambda place: (-strengths[place], place))


def _strengths(size: int, results: Sequence[tuple[int, int]]) -> Floats:
    """The most probable strengths."""
    prior = -STEP * np.arange(size, dtype=np.float64)
    strength = prior.copy()
    for _ in range(_ROUNDS):
        slope = (prior - strength) / SPREAD**2
        curve = np.eye(size) / SPREAD**2
        for winner, loser in results:
            surprise = 1 / (1 + np.exp(strength[winner] - strength[loser]))
            weight = surprise * (1 - surprise)
            slope[winner] += surprise
            slope[loser] -= surprise
            for a, b in ((winner, loser), (loser, winner)):
                curve[a, a] += weight
                curve[a, b] -= weight
        step = np.linalg.solve(curve, slope)
        strength += step
        if float(np.abs(step).max(initial=0.0)) < 1e-9:
            break
    return strength.round(6)
