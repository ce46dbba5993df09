"""Candidates on a subject."""

from __future__ import annotations

from reelremix.engine.stages.narrow import narrow
from reelremix.engine.stages.propose import split_sentences
from reelremix.engine.stages.relevance import RELEVANT, read_question
from tests.engine.stages.talk import dull, scored, talk

LINES = [*dull(8), "We hired far too fast and every mistake was mine.", *dull(8)]
TALK = talk(LINES)
SENTENCES = split_sentences(TALK)
HIRING = read_question("hiring mistakes", "--about")


def test_only_moments_about_the_question_are_left_with_their_evidence() -> None:
    found = narrow(scored(TALK), SENTENCES, HIRING)
    assert found.candidates
    for candidate in found.candidates:
        assert candidate.first_sentence <= 8 <= candidate.last_sentence
        assert candidate.match is not None and candidate.match.score >= RELEVANT
        assert candidate.match.quote == LINES[8]
        assert candidate.match.words == ("hired", "mistake")
        assert candidate.score is not None and candidate.score.rank_value >= 0


def test_where_nothing_is_about_it_the_nearest_is_told() -> None:
    found = narrow(scored(TALK), SENTENCES, read_question("signature pasta bread", "--about"))
    assert found.candidates == []
    assert found.nearest is not None and "signature" in found.nearest.words


def test_without_candidates_nothing_is_near() -> None:
    found = narrow([], SENTENCES, HIRING)
    assert (found.candidates, found.nearest) == ([], None)


def test_of_moments_that_are_as_near_the_better_one_comes_first() -> None:
    candidates = scored(TALK)
    before = {(c.first_sentence, c.last_sentence): c.score for c in candidates}
    kept = narrow(candidates, SENTENCES, HIRING).candidates
    alike = [c for c in kept if c.match and c.match.score == kept[0].match.score]  # type: ignore[union-attr]
    by_value = sorted(alike, key=lambda c: -(c.score.rank_value if c.score else 0))
    old = [before[c.first_sentence, c.last_sentence] for c in by_value]
    values = [s.rank_value for s in old if s]
    assert values == sorted(values, reverse=True) and len(values) > 1
