"""Which candidates become clips, and why the others do not.

The strongest candidates that do not get in each other's way, spread over the source's time and
subjects. How strong a candidate is was decided in `stages.score`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.candidate import Axis, Candidate, Rejection
from reelremix.engine.domain.request import MOST_CLIPS
from reelremix.engine.stages.lexicon import Lexicon, tokenize
from reelremix.engine.stages.signals import Floats, choose_lexicon

MOST_REJECTIONS = 20
NEAR_S = 90.0
"""Clips closer than this are told from the same minute of the talk."""
NEAR_PENALTY = 0.25
"""In standard deviations of the candidates' rank values; a mild preference, not a rule."""
ALIKE_PENALTY = 1.0
"""The same for the full likeness of words with a chosen clip."""
SAME_IOU = 0.4
"""Candidates that overlap this much tell the same moment."""
ABOUT = 0.2
"""Of the ranking's unit, log-odds where it is learned: by so much the better cut of two candidates
may be the weaker one."""
_SHORTLIST = 400
"""Local bests whose words are compared; the rest have no chance to be chosen."""
_LOCAL_IOU = 0.5
SAME_SHARE = 0.5
"""A candidate that lies so much in a chosen clip is told by it, not left out."""
_CLEARLY_AD = 0.06
"""Advertising and housekeeping phrases a word, above which a stretch sounds like either."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Selection:
    """What was kept, best first, and what was left out."""

    chosen: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    """The strongest first; each stands for its neighbourhood."""
    shortfall: str | None = None
    """Why there are fewer than asked for; None when there are not."""


@dataclass(frozen=True, slots=True)
class Variety:
    """How strictly clips keep apart."""

    max_iou: float = 0.0
    """Zero forbids any overlap; above it, chosen ranges stay under this IoU."""
    near_penalty: float = NEAR_PENALTY
    alike_penalty: float = ALIKE_PENALTY


class _Field:
    """The candidates as arrays, in a fixed order: by value, then time, then length."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = sorted(candidates, key=_order)
        self.start = np.array([c.range.start_s for c in self.candidates])
        self.end = np.array([c.range.end_s for c in self.candidates])
        values = np.array([_value(c) for c in self.candidates])
        self.value = values
        self.cut = np.array([_cut(c) for c in self.candidates])
        """Minus infinity where it is not known how well a candidate is cut."""
        self.is_moment = np.array([not (c.score and c.score.excluded) for c in self.candidates])
        """False for advertising and the like, which no editor keeps."""
        self._unit = float(values.std()) or 1.0
        self.scaled: Floats = values / self._unit
        self.chance = np.array([_chance(c) for c in self.candidates])
        """In percent; NaN where it is not known."""

    def reaches(self, floor: Floor) -> Flags:
        """Which candidates are good enough."""
        stands_out = self.value >= floor.deviations * self._unit
        likely = self.chance >= floor.chance_percent
        return np.where(np.isnan(self.chance), stands_out, likely)

    def iou(self, i: int) -> Floats:
        """Of candidate `i` with every candidate."""
        shared = np.minimum(self.end, self.end[i]) - np.maximum(self.start, self.start[i])
        shared = np.maximum(shared, 0.0)
        length = self.end - self.start
        return np.asarray(shared / (length + length[i] - shared))

    def shared(self, i: int) -> Floats:
        """How much of the shorter of the two lies in the other, for every candidate."""
        both = np.minimum(self.end, self.end[i]) - np.maximum(self.start, self.start[i])
        length = np.minimum(self.end - self.start, self.end[i] - self.start[i])
        return np.asarray(np.maximum(both, 0.0) / np.maximum(length, 1e-9))

    def clashes(self, i: int, max_iou: float) -> Flags:
        """Which candidates cannot stand beside candidate `i`."""
        iou = self.iou(i)
        return np.asarray(iou > 0 if max_iou <= 0 else iou >= max_iou)

    def gap_s(self, i: int) -> Floats:
        """Silence or speech between candidate `i` and every candidate."""
        apart = np.maximum(self.start - self.end[i], self.start[i] - self.end)
        return np.asarray(np.maximum(apart, 0.0))


@dataclass(frozen=True, slots=True)
class Floor:
    """What a clip has to reach: a chance, or where chances are not known a place in the source."""

    chance_percent: float = 20.0
    """About what a stretch taken anywhere has."""
    deviations: float = 0.0
    """Above the source's average stretch, in deviations of its stretches."""
    below: str = "no better than a stretch taken anywhere"
    """What is said of those that do not reach it."""


GOOD = Floor(50.0, 1.0, "less likely kept than not")
"""What `auto` counts as good: as likely kept as not, or well above the source's average stretch."""


def select_clips(
    candidates: Sequence[Candidate],
    count: int | None,
    *,
    floor: Floor | None = None,
    variety: Variety | None = None,
    language: str | None = None,
) -> Selection:
    """The best set of at most `count` scored candidates, best first.

    With a `floor` fewer clips may be returned. Without one there are `count` wherever the material
    allows, with shorter clips if the best ones leave no room. A `count` of None takes as many as
    are good, and one where none is.
    """
    variety = variety or Variety()
    if not candidates or count == 0:
        return Selection((), (), _shortfall(0, count or 1, below=False))
    field = _Field(candidates)
    if count is None:
        good = field.is_moment & field.reaches(GOOD)
        count, floor = (MOST_CLIPS, GOOD) if good.any() else (1, floor)
        found = select_clips(candidates, count, floor=floor, variety=variety, language=language)
        return replace(found, shortfall=None) if found.chosen else found
    allowed = field.is_moment if floor is None else field.is_moment & field.reaches(floor)
    alike = _Likeness(field)
    chosen = _choose(field, allowed, count, variety, alike)
    if floor is None and len(chosen) < count:
        chosen = _make_room(field, allowed, chosen, count, variety, alike)
    cuts = _well_cut(field, allowed, chosen, variety)
    rejected = _rejections(field, cuts, floor, variety, language)
    return Selection(
        tuple(
            _as_moment(field.candidates[a], field.candidates[b])
            for a, b in zip(chosen, cuts, strict=True)
        ),
        rejected,
        _shortfall(len(chosen), count, below=_is_room_below(field, allowed, cuts, variety)),
    )


def _order(candidate: Candidate) -> tuple[float, float, float]:
    return -_value(candidate), candidate.range.start_s, candidate.range.end_s


def _value(candidate: Candidate) -> float:
    return candidate.score.rank_value if candidate.score else 0.0


def _chance(candidate: Candidate) -> float:
    total = candidate.score.total if candidate.score else None
    return math.nan if total is None else total


def _cut(candidate: Candidate) -> float:
    cut = candidate.score.cut_value if candidate.score else None
    return -math.inf if cut is None else cut


def _is_room_below(field: _Field, allowed: Flags, chosen: Sequence[int], variety: Variety) -> bool:
    """Whether there is room for what was not good enough."""
    open_ = ~allowed
    for i in chosen:
        open_ &= ~field.clashes(i, variety.max_iou)
    return bool(open_.any())


def _shortfall(found: int, count: int, *, below: bool) -> str | None:
    if found >= count:
        return None
    if below:
        return "nothing else is better than a stretch taken anywhere"
    return "there is no room for more clips of the asked length" if found else "nothing to choose"


def _choose(
    field: _Field, allowed: Flags, count: int, variety: Variety, alike: Callable[[int], Floats]
) -> list[int]:
    """Greedy choice: the best value less what the chosen ones already tell."""
    open_ = allowed.copy()
    nearness = np.zeros(len(open_))
    likeness = np.zeros(len(open_))
    chosen: list[int] = []
    while len(chosen) < count and open_.any():
        penalty = variety.near_penalty * nearness + variety.alike_penalty * likeness
        best = int(np.argmax(np.where(open_, field.scaled - penalty, -np.inf)))
        chosen.append(best)
        open_ &= ~field.clashes(best, variety.max_iou)
        nearness += np.maximum(0.0, 1.0 - field.gap_s(best) / NEAR_S)
        likeness = np.maximum(likeness, alike(best))
    return chosen


def _make_room(
    field: _Field,
    allowed: Flags,
    chosen: list[int],
    count: int,
    variety: Variety,
    alike: Callable[[int], Floats],
) -> list[int]:
    """Shorter and shorter clips until there are enough, or the set that has most."""
    length = field.end - field.start
    longest, most = float(length.max()), chosen
    while longest > length.min():
        longest *= 0.85
        found = _choose(field, allowed & (length <= longest), count, variety, alike)
        most = found if len(found) > len(most) else most
        if len(most) >= count:
            return most
    packed = _packed(field, allowed)[:count]
    return packed if len(packed) > len(most) else most


def _packed(field: _Field, allowed: Flags) -> list[int]:
    """As many disjoint candidates as possible, the best first."""
    found: list[int] = []
    free_from = -np.inf
    for i in np.lexsort((-field.start, field.end)).tolist():
        if allowed[i] and field.start[i] >= free_from:
            found.append(i)
            free_from = float(field.end[i])
    return sorted(found)


def _well_cut(field: _Field, allowed: Flags, chosen: Sequence[int], variety: Variety) -> list[int]:
    """For each choice the candidate that says much the same, is about as strong, and is best cut.

    Which moment it is was decided by then: what editors keep can be told from long candidates best,
    and those begin too early and end too late.
    """
    kept: list[int] = []
    for at, i in enumerate(chosen):
        near = allowed & (field.iou(i) >= SAME_IOU) & (field.value >= field.value[i] - ABOUT)
        for other in (*kept, *chosen[at + 1 :]):
            near &= ~field.clashes(other, variety.max_iou)
        found = np.where(near, field.cut, -np.inf)
        kept.append(int(found.argmax()) if np.isfinite(found.max()) else i)
    return kept


def _as_moment(moment: Candidate, cut: Candidate) -> Candidate:
    """The better cut of a moment, with the moment's chance: that is what was learned."""
    if cut is moment or cut.score is None or moment.score is None:
        return cut
    return replace(cut, score=replace(cut.score, total=moment.score.total))


class _Likeness:
    """How much of a chosen clip's vocabulary each shortlisted candidate repeats."""

    def __init__(self, field: _Field) -> None:
        self._size = len(field.value)
        self._rows = np.arange(min(_SHORTLIST, self._size))
        bags = [Counter(tokenize(field.candidates[i].text)) for i in self._rows]
        seen = Counter(token for bag in bags for token in bag)
        kept = {t: k for k, t in enumerate(t for t, n in seen.items() if 1 < n <= len(bags) / 4)}
        matrix = np.zeros((len(bags), max(1, len(kept))), dtype=np.float32)
        for row, bag in enumerate(bags):
            for token, times in bag.items():
                if token in kept:
                    weight = np.log(len(bags) / seen[token])
                    matrix[row, kept[token]] = min(times, 3) * weight
        norm = np.linalg.norm(matrix, axis=1, keepdims=True)
        self._matrix = matrix / np.where(norm > 0, norm, 1.0)

    def __call__(self, i: int) -> Floats:
        """Cosine of words with candidate `i`; zero outside the shortlist."""
        likeness = np.zeros(self._size)
        if i < len(self._matrix):
            likeness[self._rows] = self._matrix @ self._matrix[i]
        return likeness


def _rejections(
    field: _Field,
    chosen: Sequence[int],
    floor: Floor | None,
    variety: Variety,
    language: str | None,
) -> tuple[Rejection, ...]:
    """The strongest candidate of each neighbourhood that was not chosen, with a reason."""
    open_ = np.ones(len(field.value), bool)
    for i in chosen:
        open_ &= field.shared(i) < SAME_SHARE
    found: list[Rejection] = []
    lexicon = choose_lexicon(language, [tokenize(c.text) for c in field.candidates[:20]])
    while len(found) < MOST_REJECTIONS and open_.any():
        best = int(np.argmax(open_))
        candidate = field.candidates[best]
        reason = _why_not(best, field, chosen, floor, variety, lexicon)
        total = candidate.score.total if candidate.score else None
        found.append(Rejection(candidate.range, total, reason))
        open_ &= field.iou(best) < _LOCAL_IOU
        open_[best] = False
    return tuple(found)


def _why_not(
    i: int,
    field: _Field,
    chosen: Sequence[int],
    floor: Floor | None,
    variety: Variety,
    lexicon: Lexicon | None,
) -> str:
    """One short reason, the most telling first."""
    candidate = field.candidates[i]
    if candidate.score is not None and candidate.score.excluded:
        return candidate.score.excluded
    if spoken := _sounds_wrong(candidate, lexicon):
        return spoken
    clashing = field.clashes(i, variety.max_iou)
    if any(clashing[c] for c in chosen):
        return "overlaps a stronger clip"
    if floor is not None and not field.reaches(floor)[i]:
        return floor.below
    if chosen and min(float(field.gap_s(i)[c]) for c in chosen) < NEAR_S / 2:
        return "too close to a stronger clip"
    return _weakest(candidate)


def _sounds_wrong(candidate: Candidate, lexicon: Lexicon | None) -> str | None:
    if lexicon is None:
        return None
    tokens = tokenize(candidate.text)
    counts = dict(zip(lexicon.cues, lexicon.count([tokens])[0], strict=True))
    words = len(tokens) + 10
    if counts["advert"] / words > _CLEARLY_AD:
        return "sounds like advertising"
    if counts["housekeeping"] / words > _CLEARLY_AD:
        return "greetings or the show's own business"
    if _opens_back(tokens, lexicon) and _axis(candidate, Axis.HOOK) < 50:
        return "starts mid-thought"
    if candidate.text.rstrip("\"'”’»)").endswith("?"):
        return "ends on a question without its answer"
    return None


def _opens_back(tokens: Sequence[str], lexicon: Lexicon) -> bool:
    return bool(lexicon.starts_with([tokens], "leans_back")[0] > 0)


_WEAK = {
    Axis.HOOK: "weaker opening than the chosen clips",
    Axis.PAYOFF: "no clear ending",
    Axis.STANDALONE: "needs what came before",
    Axis.EMOTION: "less lively than the chosen clips",
    Axis.DELIVERY: "slow delivery",
}


def _axis(candidate: Candidate, axis: Axis) -> float:
    value = candidate.score.axes.get(axis) if candidate.score else None
    return 100.0 if value is None else value


def _weakest(candidate: Candidate) -> str:
    axis = min(_WEAK, key=lambda a: _axis(candidate, a))
    return _WEAK[axis] if _axis(candidate, axis) < 60 else "others are stronger"
