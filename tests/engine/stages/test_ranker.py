"""The learned ranking: its features, its data file, and what changes the order."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import numpy as np
import pytest

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import SoundEvent, Transcript
from reelremix.engine.models.sentences import Vectors
from reelremix.engine.stages.propose import propose_candidates, split_sentences
from reelremix.engine.stages.ranker import (
    CANDIDATE_FEATURES,
    CURVE_FEATURES,
    CURVES,
    CUT_FEATURES,
    SHAPE_FEATURES,
    Linear,
    Ranker,
    SourceSpeech,
    counted_names,
    curve_features,
    load_ranker,
    ranker_from,
    ranker_to,
    sentence_features,
    shape_features,
    surroundings,
)
from reelremix.engine.stages.score import score_candidates
from reelremix.engine.stages.signals import Floats, Windows, count_sentences, windows_of
from tests.engine.stages.talk import dull, talk

SIZE = 384


def speech_of(transcript: Transcript, vectors: Vectors | None = None) -> SourceSpeech:
    sentences = split_sentences(transcript)
    if vectors is None:
        vectors = np.zeros((len(sentences), SIZE), np.float32)
        vectors[:, 0] = 1
    return SourceSpeech.of(
        sentences, count_sentences(sentences, transcript.language), transcript, vectors
    )


def windows(*spans: tuple[int, int]) -> Windows:
    first, last = (np.array(ends) for ends in zip(*spans, strict=True))
    return Windows(first, last, first * 5.0, last * 5.0 + 4.0)


def curves(speech: SourceSpeech, **given: Floats) -> dict[str, Floats]:
    return {name: given.get(name, np.zeros(len(speech.sentences))) for name in CURVES}


def curve_column(name: str, speech: SourceSpeech, own: Windows, **given: Floats) -> list[float]:
    rows = curve_features(speech, curves(speech, **given), own)
    return [round(value, 6) for value in rows[:, CURVE_FEATURES.index(name)].tolist()]


def shape_column(name: str, speech: SourceSpeech, own: Windows) -> list[float]:
    rows = shape_features(speech, own)
    return [float(value) for value in rows[:, SHAPE_FEATURES.index(name)]]


def scores(candidates: list[Candidate]) -> list[float]:
    return [c.score.rank_value for c in candidates if c.score is not None]


def test_surroundings_are_the_bell_weighted_mean_however_they_are_parted() -> None:
    chance = np.random.default_rng(3)
    at = np.sort(chance.uniform(0, 3000, 700))
    values = chance.normal(size=(700, 3))
    weights = np.exp(-0.5 * ((at[:, None] - at) / 9.0) ** 2)
    direct = weights @ values / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(surroundings(values, at, 9.0), direct, atol=2e-3)


def test_a_curve_is_averaged_inside_before_and_after_a_candidate() -> None:
    speech = speech_of(talk(dull(20)))
    keep = np.zeros(20)
    keep[8:11], keep[5:8], keep[11:14] = 3.0, 1.0, 2.0
    own = windows((8, 10))
    assert curve_column("keep", speech, own, keep=keep) == [3.0]
    assert curve_column("keep_before", speech, own, keep=keep) == [0.6]
    assert curve_column("keep_after", speech, own, keep=keep) == [1.2]


def test_nothing_before_the_first_and_after_the_last_sentence_counts_as_average() -> None:
    speech = speech_of(talk(dull(6)))
    keep = np.ones(6)
    own = windows((0, 5))
    assert curve_column("keep_before", speech, own, keep=keep) == [0.0]
    assert curve_column("keep_after", speech, own, keep=keep) == [0.0]


def test_openings_and_endings_are_read_at_the_edges() -> None:
    speech = speech_of(talk(dull(8)))
    steps = np.arange(8.0)
    own = windows((2, 4), (0, 7))
    assert curve_column("open_first", speech, own, open=steps) == [2.0, 0.0]
    assert curve_column("open_before", speech, own, open=steps) == [1.0, 0.0]
    assert curve_column("open_after", speech, own, open=steps) == [5.0, 0.0]
    assert curve_column("close_last", speech, own, close=steps) == [4.0, 7.0]
    assert curve_column("close_after", speech, own, close=steps) == [5.0, 0.0]


def test_laughter_is_counted_inside_and_at_the_end() -> None:
    laughs = [SoundEvent("laughter", TimeRange.from_seconds(t, t + 1)) for t in (11.0, 23.0, 60.0)]
    speech = speech_of(talk(dull(15), events=laughs))
    own = windows((2, 4))
    assert shape_column("laughter", speech, own) == [2.0]
    assert shape_column("laughter_at_end", speech, own) == [1.0]


def test_sentences_about_one_thing_cohere() -> None:
    vectors = np.zeros((6, SIZE), np.float32)
    vectors[:3, 0] = 1
    vectors[3, 1] = vectors[4, 2] = vectors[5, 3] = 1
    one, many = shape_column(
        "coherence", speech_of(talk(dull(6)), vectors), windows((0, 2), (3, 5))
    )
    assert one == pytest.approx(1.0)
    assert many == pytest.approx(3**-0.5)


def test_the_shipped_ranker_knows_the_features_of_this_version() -> None:
    ranker = load_ranker()
    assert ranker is not None
    speech = speech_of(talk(dull(30)))
    assert ranker.counted == tuple(counted_names(speech.counts))
    features = sentence_features(speech)
    for name, curve in ranker.curves.items():
        assert features.of(name).shape == (30, len(curve.weights))
    assert len(ranker.candidate.weights) == len(CANDIDATE_FEATURES)
    assert len(ranker.cut.weights) == len(CUT_FEATURES)


def test_the_data_file_says_what_it_was_trained_on() -> None:
    file = resources.files("reelremix.engine.stages") / "data" / "ranker.json"
    record = json.loads(file.read_text(encoding="utf-8"))["record"]
    assert record["episodes"] > 50
    assert len(record["data_sha256"]) == 64
    assert record["sentence_model"] == "minilm/int8"


def test_a_ranker_survives_its_data_file() -> None:
    ranker = load_ranker()
    assert ranker is not None
    again = ranker_from(json.loads(json.dumps(ranker_to(ranker))))
    speech = speech_of(talk(dull(30)))
    own = windows((0, 4), (3, 9), (20, 29))
    np.testing.assert_array_equal(again.features(speech, own), ranker.features(speech, own))


def test_a_ranker_of_other_features_is_refused() -> None:
    ranker = load_ranker()
    assert ranker is not None
    other = replace(ranker, counted=("something", *ranker.counted[1:]))
    with pytest.raises(ValueError, match="train it again"):
        other.features(speech_of(talk(dull(9))), windows((0, 4)))


def test_chances_rise_with_the_log_odds() -> None:
    nothing = Linear(0.0, np.zeros(0))
    ranker = Ranker((), {}, nothing, nothing, Linear(-0.3, np.array([1.0, -0.5])))
    chances = ranker.chance_percent(np.linspace(-3, 3, 9), 3600)
    assert np.all(np.diff(chances) > 0)
    assert 0 < chances.min() < chances.max() < 100


def test_a_story_ranks_above_housekeeping() -> None:
    lines = dull(80)
    lines[10:13] = [
        "I remember the night my mother called me and said, 'You have to come home, he is dying.'",
        "I was terrified, I cried the whole drive, and I realized I had never told him the truth.",
        "And that was the moment that changed everything I believe about work and love.",
    ]
    lines[28:31] = [
        "Welcome back to the show, please subscribe and leave us a review wherever you listen.",
        "This episode is brought to you by our sponsor, use the promo code to get a discount.",
        "You can find the links in the show notes, and join our newsletter at our website.",
    ]
    transcript = talk(lines)
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 10, 20)
    vectors = np.zeros((len(sentences), SIZE), np.float32)
    vectors[:, 0] = 1
    scored = score_candidates(candidates, sentences, transcript, vectors)
    values = {
        (c.first_sentence, c.last_sentence): v for c, v in zip(scored, scores(scored), strict=True)
    }
    assert values[10, 12] > values[28, 30]
    assert values[10, 12] > np.median(list(values.values()))


def test_meaning_changes_the_order() -> None:
    transcript = talk(dull(70))
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 15, 40)
    chance = np.random.default_rng(1)
    first, second = chance.normal(scale=0.05, size=(2, 70, SIZE)).astype(np.float32)
    one = scores(score_candidates(candidates, sentences, transcript, first))
    other = scores(score_candidates(candidates, sentences, transcript, second))
    assert np.argsort(one).tolist() != np.argsort(other).tolist()


def test_a_short_talk_is_ranked_without_learning() -> None:
    transcript = talk(dull(30))
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 10, 30)
    vectors = np.ones((30, SIZE), np.float32)
    assert scores(score_candidates(candidates, sentences, transcript, vectors)) == scores(
        score_candidates(candidates, sentences, transcript)
    )


def test_a_language_without_cues_is_ranked_without_learning() -> None:
    transcript = replace(talk(dull(80)), language="xx")
    sentences = split_sentences(transcript)
    candidates = propose_candidates(sentences, 10, 30)
    vectors = np.ones((80, SIZE), np.float32)
    assert scores(score_candidates(candidates, sentences, transcript, vectors)) == scores(
        score_candidates(candidates, sentences, transcript)
    )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_shortest_talks_are_ranked(count: int) -> None:
    speech = speech_of(talk(dull(count)))
    ranker = load_ranker()
    assert ranker is not None
    own = windows_of(propose_candidates(split_sentences(talk(dull(count))), 2, 60))
    assert np.isfinite(ranker.features(speech, own)).all()


def test_a_moment_of_a_longer_source_is_kept_less_often() -> None:
    ranker = load_ranker()
    assert ranker is not None
    same = np.zeros(1)
    short, hour, long, day = (
        float(ranker.chance_percent(same, s)[0]) for s in (2400, 3600, 4800, 86_400)
    )
    assert short > hour > long == day
    assert float(ranker.chance_percent(same, 600)[0]) == short
