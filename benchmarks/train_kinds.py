"""Learn what kinds of moments there are from what editors wrote about them.

    python benchmarks/train_kinds.py [--write] [--shared DIR]

Editors gave a reason for every pick and every rejection; words in it say what kind it is. Prints
how well each kind is told from the other picks, and the excluded ones from everything else, in ten
folds over episodes: nothing of an episode is seen by the prototypes that judge it. `--write` keeps
the prototypes of all episodes in the package.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from episodes import episode_files
from measuring import SHARED, keep, model_folder, show
from train_ranker import data_hash, embedded, lines

from reelremix.engine.export.transcript import read_transcript
from reelremix.engine.models.sentences import MINILM, MiniLm
from reelremix.engine.stages.kinds import EXCLUDED, KINDS, Prototype, prototypes_to
from reelremix.engine.stages.learning import area_under_curve
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.signals import Floats, count_sentences

RIDGE = 30.0
FOLDS = 10
PICKS_OF_A_KIND = 0.15
"""Share of editors' picks that are said to be of one kind."""
PICKS_LOST = 0.01
"""Share of editors' picks that each excluded kind may cost."""
OTHERS = 20
"""Stretches of an episode, taken anywhere, that excluded kinds are told from."""
OTHER_S = 45.0
TARGET = Path(__file__).parents[1] / "reelremix/engine/stages/data/kinds.json"
SAID = {
    "story": r"\bstor(y|ies)\b|anecdote|\btale\b|war story",
    "claim": r"claim|contrarian|hot take|provocative|bold |opinion|thesis|\brant|manifesto|blunt"
    r"|aphorism|strong line|quotable",
    "fact": r"\bfact|statistic|surpris|\bnumbers?\b|reveal|stun|counterintuitive|mind-bending"
    r"|eye-opening",
    "advice": r"advice|\btips?\b|practical|actionable|framework|how[- ]to|\brules?\b|lesson"
    r"|takeaway|technique|habit|mental model|useful",
    "joke": r"joke|funny|laugh|banter|comic|humou?r|punchline|hilarious|deadpan|absurd|playful",
    "conflict": r"disagree|\bargu|conflict|debate|clash|pushback|tension|confront|versus|fight"
    r"|villain",
    "vulnerability": r"vulnerab|personal|emotional|burnout|fear|confess|grief|\bhonest|\braw\b"
    r"|imposter|heartfelt|touching|moving|tears|candid",
    "answer": r"question|\banswer",
    "advertising": r"\bplug|pitch|promo|sponsor|\bad\b|advert|subscri|sell|product feature"
    r"|feature list|discount",
    "housekeeping": r"housekeep|ticket|logistic|schedul|announc|rules of|category|link talk"
    r"|newsletter|recap|feedback|admin|explanations",
    "greeting": r"intro|outro|sign-off|introduc|greeting|welcome|biograph|small talk|goodbye|thank"
    r"|opening",
}
"""Words in an editor's reason that say what kind a stretch is."""


@dataclass(frozen=True)
class Stretches:
    """Stretches of all episodes; arrays of shape (stretches, ...)."""

    meaning: Floats
    episode: np.ndarray
    is_pick: np.ndarray
    is_never: np.ndarray
    reason: list[str]

    def of(self, name: str) -> np.ndarray:
        """Which are of a kind."""
        among = self.is_pick if name in KINDS else self.is_never
        return among & np.array([bool(re.search(SAID[name], text)) for text in self.reason])

    def against(self, name: str) -> np.ndarray:
        """What a kind is told from: other picks, or everything that no editor rejected."""
        return self.is_pick if name in KINDS else ~self.is_never


def read_stretches(shared: Path) -> Stretches:
    """Every pick, every rejection, and stretches taken anywhere."""
    embedder = MiniLm(Path(model_folder(MINILM)))
    chance = np.random.default_rng(0)
    rows: list[tuple[Floats, str, str, str]] = []
    for path in episode_files(shared):
        notes = sorted((shared / "transcripts" / "picks").glob(f"*/{path.stem}.json"))
        transcript = read_transcript(path)
        sentences = split_sentences(transcript)
        words = np.maximum(count_sentences(sentences, transcript.language).words, 1.0)
        vectors = embedded([s.text for s in sentences], embedder)
        middle = np.array([(s.range.start_s + s.range.end_s) / 2 for s in sentences])

        def mean(start_s: float, end_s: float, of=(words, vectors, middle)) -> Floats:
            words, vectors, middle = of
            inside = (middle >= start_s) & (middle <= end_s)
            inside[np.abs(middle - (start_s + end_s) / 2).argmin()] = True
            weights = words * inside
            return np.asarray(weights @ vectors / weights.sum())

        for note in notes:
            plain = json.loads(note.read_text(encoding="utf-8"))
            for clip in plain["clips"]:
                reason = f"{clip['why']} {clip['title']}".lower()
                rows.append((mean(*clip["range_s"]), path.stem, "pick", reason))
            for span in plain["never"]:
                rows.append((mean(*span["range_s"]), path.stem, "never", span["why"].lower()))
        for start_s in chance.uniform(0, middle[-1] - OTHER_S, OTHERS):
            rows.append((mean(start_s, start_s + OTHER_S), path.stem, "other", ""))
    meaning, episode, place, reason = zip(*rows, strict=True)
    where = np.array(place)
    return Stretches(
        np.array(meaning), np.array(episode), where == "pick", where == "never", list(reason)
    )


def direction(rows: Floats, is_kind: np.ndarray) -> Floats:
    """Ridge regression of membership on meaning, of length one."""
    centred = rows - rows.mean(axis=0)
    penalty = RIDGE * np.eye(rows.shape[1])
    found = np.linalg.solve(centred.T @ centred + penalty, centred.T @ (is_kind - is_kind.mean()))
    return np.asarray(found / np.linalg.norm(found))


def prototype(stretches: Stretches, name: str, trained: np.ndarray) -> Prototype:
    """A kind's prototype from the stretches in `trained`."""
    used = trained & (stretches.against(name) | stretches.of(name))
    way = direction(stretches.meaning[used], stretches.of(name)[used].astype(float))
    near = stretches.meaning[trained & stretches.is_pick] @ way
    usual, spread = float(near.mean()), float(near.std())
    share = PICKS_OF_A_KIND if name in KINDS else PICKS_LOST
    return Prototype(way, usual, spread, float(np.quantile((near - usual) / spread, 1 - share)))


def learn(stretches: Stretches, without: str | None = None) -> dict[str, Prototype]:
    """The prototypes of every kind, from all episodes but one."""
    used = stretches.episode != (without or "")
    return {name: prototype(stretches, name, used) for name in (*KINDS, *EXCLUDED)}


def held_out(stretches: Stretches, name: str) -> Floats:
    """How near each stretch is to a prototype that saw nothing of its episode, less the limit."""
    near = np.zeros(len(stretches.reason))
    names = np.unique(stretches.episode)
    for fold in np.array_split(np.random.default_rng(0).permutation(names), FOLDS):
        out = np.isin(stretches.episode, fold)
        learned = prototype(stretches, name, ~out)
        near[out] = learned.nearness(stretches.meaning[out]) - learned.limit
    return near


def main() -> None:
    """Measure, and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--shared", type=Path, default=SHARED)
    options = parser.parse_args()
    stretches = read_stretches(options.shared)
    result: dict[str, dict[str, float | None]] = {}
    rows: list[Sequence[str]] = []
    for name in (*KINDS, *EXCLUDED):
        near, is_kind = held_out(stretches, name), stretches.of(name)
        judged = stretches.against(name) | is_kind
        of_kind = is_kind[judged].astype(float)
        area = area_under_curve(near[judged], of_kind, np.ones(len(of_kind)))
        result[name] = {
            "stretches": int(is_kind.sum()),
            "auc": round(area, 3) if area is not None else None,
            "found": round(float((near[is_kind] > 0).mean()), 3),
            "of_picks": round(float((near[stretches.is_pick] > 0).mean()), 3),
        }
        rows.append((name, *(f"{value}" for value in result[name].values())))
    show("Kinds of moments", ["kind", "stretches", "AUC", "found", "of all picks"], rows)
    keep("kinds", result)
    if options.write:
        record = {
            "date": date.today().isoformat(),
            "data_sha256": data_hash(options.shared),
            "sentence_model": MiniLm.identity,
            "ridge": RIDGE,
            "held_out": result,
        }
        plain = {"record": record, "prototypes": prototypes_to(learn(stretches))}
        TARGET.write_text(lines(plain) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
