"""What can be measured about a candidate, before anyone says what is good.

Each signal is one number a candidate, computed from sums over sentences, so that an hour of
speech takes about a second. Weights, axes and reasons belong to `stages.score`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.sound import SoundTrack
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.stages.delivery import (
    delivery_of,
    mean_over,
    spread_over,
    steps_between,
)
from reelremix.engine.stages.lexicon import Lexicon, load_lexicon, sounds_english, tokenize

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

REACTIONS = ("laughter", "applause", "cheering")
REACTION_REACH_S = 3.0
"""Laughter this long after the last word still answers it."""
REACTION_END_S = 10.0
"""Laughter this close to the end belongs to the ending."""
OPENING_WORDS = 25
"""About ten seconds of speech: what a viewer hears before deciding to stay."""
CLOSING_WORDS = 35
USUAL_LENGTH_S = 48.0
"""The median of moments that editors pick; half lie between 38 and 59 seconds."""
LENGTH_SPREAD = 0.5
"""How fast the liking for other lengths fades, in natural logarithms."""

_QUESTION = re.compile(r"[?？؟\u037e⁇⁈⁉፧][\"'”’»)\]]*$")
_UNFINISHED = re.compile(r"(\.{2,}|…|--|—|–|,|:|;|-)[\"'”’»)\]]*$")
_NUMBER = re.compile(r"\d")
_JARGON = re.compile(
    r"\b(?:[A-Z]{2,}\w*|\w+[a-z][A-Z]\w*|\w+[./_]\w+|[a-z]+\d+|\d+(?!(?:st|nd|rd|th|s|k|m|am|pm|x)\b)[a-z]+)\b"
)
_QUOTED = re.compile(r"[\"“”«»„「」]")


@dataclass(frozen=True)
class SentenceCounts:
    """What was counted in each sentence, by name."""

    tokens: list[list[str]]
    words: Floats
    lexicon: Lexicon | None
    """None when the language has no list of cues."""
    of: dict[str, Floats]


@dataclass(frozen=True)
class Windows:
    """Stretches of sentences as arrays: indexes and times."""

    first: Ints
    last: Ints
    start_s: Floats
    end_s: Floats

    @property
    def duration_s(self) -> Floats:
        """Length of each stretch."""
        return np.maximum(1e-3, self.end_s - self.start_s)

    def total(self, per_sentence: Floats) -> Floats:
        """Sum over each stretch's sentences."""
        sums = np.concatenate([[0.0], np.cumsum(per_sentence)])
        return np.asarray(sums[self.last + 1] - sums[self.first])

    def rate(self, per_sentence: Floats, words: Floats) -> Floats:
        """How often for each word; short stretches are not trusted fully."""
        return np.asarray(self.total(per_sentence) / (self.total(words) + 10.0))


def windows_of(candidates: Sequence[Candidate]) -> Windows:
    """The candidates as arrays."""
    return Windows(
        np.array([c.first_sentence for c in candidates], dtype=np.int64),
        np.array([c.last_sentence for c in candidates], dtype=np.int64),
        np.array([c.range.start_s for c in candidates]),
        np.array([c.range.end_s for c in candidates]),
    )


def openings(windows: Windows, words: Floats) -> Windows:
    """The first sentences of each window, up to the one that reaches `OPENING_WORDS`."""
    sums = np.concatenate([[0.0], np.cumsum(words)])
    reached = np.searchsorted(sums, sums[windows.first] + OPENING_WORDS) - 1
    last = np.clip(reached, windows.first, windows.last)
    return Windows(windows.first, last, windows.start_s, windows.end_s)


def closings(windows: Windows, words: Floats) -> Windows:
    """The last sentences of each window, back to the one within `CLOSING_WORDS`."""
    sums = np.concatenate([[0.0], np.cumsum(words)])
    reached = np.searchsorted(sums, sums[windows.last + 1] - CLOSING_WORDS)
    first = np.clip(reached, windows.first, windows.last)
    return Windows(first, windows.last, windows.start_s, windows.end_s)


def choose_lexicon(language: str | None, tokens: Iterable[Sequence[str]]) -> Lexicon | None:
    """The cues of the language; of English when an unnamed language reads like it."""
    if language:
        return load_lexicon(language)
    return load_lexicon("en") if sounds_english(tokens) else None


def count_sentences(sentences: Sequence[Sentence], language: str | None) -> SentenceCounts:
    """Count everything that is counted a sentence at a time."""
    texts = [s.text for s in sentences]
    tokens = [tokenize(t) for t in texts]
    words = np.array([float(len(t)) for t in tokens])
    lexicon = choose_lexicon(language, tokens)
    of = {
        "question": _array(bool(_QUESTION.search(t)) for t in texts),
        "unfinished": _array(bool(_UNFINISHED.search(t)) for t in texts),
        "exclaimed": _array(t.rstrip("\"'”’»)]").endswith(("!", "！")) for t in texts),
        "number": _array(bool(_NUMBER.search(t)) for t in texts),
        "jargon": _array(len(_JARGON.findall(t)) for t in texts),
        "quoted": _array(len(_QUOTED.findall(t)) for t in texts),
        "letters": _array(sum(map(len, t)) for t in tokens),
        "turn": _array([1.0] + [float(a.speaker != b.speaker) for a, b in pairwise(sentences)]),
        "rarity": _rarity(tokens),
    }
    if lexicon is not None:
        matrix = lexicon.count(tokens)
        of |= {cue: matrix[:, i] for i, cue in enumerate(lexicon.cues)}
    return SentenceCounts(tokens, words, lexicon, of)


def measure(
    names: Iterable[str],
    windows: Windows,
    counts: SentenceCounts,
    sentences: Sequence[Sentence],
    transcript: Transcript,
    track: SoundTrack | None = None,
) -> dict[str, Floats]:
    """The named signals that transcript and sound allow, raw; the others are left out."""
    places = {
        "whole": windows,
        "opening": openings(windows, counts.words),
        "closing": closings(windows, counts.words),
    }
    talk = _talk_signals(windows, counts, sentences, transcript)
    if transcript.events or track is not None:
        talk |= _reaction_signals(windows, transcript)
    if track is not None and track.steps:
        talk |= _sound_signals(windows, transcript, track)
    found: dict[str, Floats] = {}
    for name in names:
        place, what = name.split(".")
        if name in talk:
            found[name] = talk[name]()
        elif what in counts.of and place in places:
            found[name] = places[place].rate(counts.of[what], counts.words)
        elif what in counts.of:
            found[name] = _single(place, counts.of[what], windows)
    return found


def ranks(values: Floats) -> Floats:
    """Each value's rank among all, -0.5 to 0.5; equal values share the middle of theirs."""
    _, inverse, sizes = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2
    return np.asarray(middle[inverse] / len(values) - 0.5)


def _array(values: Iterable[float]) -> Floats:
    return np.array([float(v) for v in values])


def _single(place: str, per_sentence: Floats, windows: Windows) -> Floats:
    """The count in one sentence of each window."""
    if place == "first":
        return per_sentence[windows.first]
    if place == "last":
        return per_sentence[windows.last]
    return np.append(per_sentence, 0.0)[windows.last + 1]


def _rarity(tokens: Sequence[Sequence[str]]) -> Floats:
    """Sum over a sentence's words of how unusual each is in this source."""
    seen = Counter(t for s in tokens for t in set(s))
    weight = {t: float(np.log(len(tokens) / c)) for t, c in seen.items()}
    return np.array([sum(weight[t] for t in s) for s in tokens])


def _talk_signals(
    windows: Windows,
    counts: SentenceCounts,
    sentences: Sequence[Sentence],
    transcript: Transcript,
) -> dict[str, Callable[[], Floats]]:
    """Signals that are more than counts; those the transcript cannot give are missing."""
    words = counts.words
    talk: dict[str, Callable[[], Floats]] = {
        "talk.length": lambda: _length_liking(windows.duration_s),
        "talk.silence": lambda: _silence(windows, sentences),
        "talk.word_length": lambda: (
            windows.total(counts.of["letters"]) / np.maximum(1.0, windows.total(words))
        ),
        "talk.opening_turn": lambda: turn_words(counts)[windows.first],
    }
    if len({s.speaker for s in sentences}) > 1:
        talk["talk.dominance"] = lambda: _dominance(windows, words, sentences)
        share, asks = speaker_habits(words, counts.of["question"], sentences)
        talk["talk.main_speaker"] = lambda: windows.rate(words * share, words)
        talk["talk.asker"] = lambda: windows.rate(words * asks, words)
    if sentences and all(s.has_word_times for s in sentences):
        talk["delivery.pace"] = lambda: windows.total(words) / _speaking_s(windows, sentences)
        pauses = _long_pauses(transcript, sentences)
        talk["delivery.pauses"] = lambda: windows.total(pauses) / windows.duration_s
    return talk


def _reaction_signals(windows: Windows, transcript: Transcript) -> dict[str, Callable[[], Floats]]:
    """How often people react, where somebody listened for that."""
    times = reaction_times(transcript)
    return {
        "reaction.inside": lambda: reactions_inside(windows, transcript),
        "reaction.at_end": lambda: _events_between(
            times, windows.end_s - REACTION_END_S, windows.end_s + REACTION_REACH_S
        ),
    }


def reactions_inside(windows: Windows, transcript: Transcript) -> Floats:
    """How often people laugh or clap in each window or right behind it."""
    times = reaction_times(transcript)
    return _events_between(times, windows.start_s, windows.end_s + REACTION_REACH_S)


def _sound_signals(
    windows: Windows, transcript: Transcript, track: SoundTrack
) -> dict[str, Callable[[], Floats]]:
    """How each window is said, against its speakers' own norm; unknown counts as usual."""
    delivery = delivery_of(track, transcript)
    steps = steps_between(track, windows.start_s, windows.end_s)
    return {
        "delivery.loudness": lambda: np.nan_to_num(mean_over(delivery.loudness_db, steps)),
        "delivery.pitch": lambda: np.nan_to_num(mean_over(delivery.pitch_semitones, steps)),
        "delivery.liveliness": lambda: np.nan_to_num(spread_over(delivery.pitch_semitones, steps)),
    }


def reaction_times(transcript: Transcript) -> Floats:
    """When people laughed or clapped, in order."""
    return np.array(sorted(e.range.start_s for e in transcript.events if e.kind in REACTIONS))


def _length_liking(duration_s: Floats) -> Floats:
    """1 for the length editors pick most, falling off to both sides."""
    return np.asarray(np.exp(-((np.log(duration_s / USUAL_LENGTH_S) / LENGTH_SPREAD) ** 2)))


def _speaking_s(windows: Windows, sentences: Sequence[Sentence]) -> Floats:
    return np.maximum(0.1, windows.total(_array(s.range.duration_s for s in sentences)))


def _silence(windows: Windows, sentences: Sequence[Sentence]) -> Floats:
    """Share of each window in which nobody speaks."""
    return np.maximum(0.0, 1.0 - _speaking_s(windows, sentences) / windows.duration_s)


def turn_words(counts: SentenceCounts) -> Floats:
    """For each sentence, the words in the whole turn it belongs to."""
    turn = np.cumsum(counts.of["turn"]).astype(np.int64)
    return np.asarray(np.bincount(turn, weights=counts.words)[turn])


def _by_speaker(words: Floats, sentences: Sequence[Sentence]) -> dict[str | None, Floats]:
    """Words of each sentence, an array for each speaker, zero where another speaks."""
    spoken: dict[str | None, Floats] = defaultdict(lambda: np.zeros(len(sentences)))
    for i, sentence in enumerate(sentences):
        spoken[sentence.speaker][i] = words[i]
    return spoken


def _dominance(windows: Windows, words: Floats, sentences: Sequence[Sentence]) -> Floats:
    """Share of the words that come from whoever speaks most in the window."""
    most = np.zeros(len(windows.first))
    for spoken in _by_speaker(words, sentences).values():
        most = np.maximum(most, windows.total(spoken))
    return most / np.maximum(1.0, windows.total(words))


def speaker_habits(
    words: Floats, asked: Floats, sentences: Sequence[Sentence]
) -> tuple[Floats, Floats]:
    """For each sentence, its speaker's share of all words, and how often they ask a question."""
    total = max(1.0, float(words.sum()))
    share: dict[str | None, float] = {}
    habit: dict[str | None, float] = {}
    for speaker, spoken in _by_speaker(words, sentences).items():
        own = float(spoken.sum())
        share[speaker] = own / total
        habit[speaker] = float(asked[spoken > 0].sum()) / (own + 50.0)
    speakers = [s.speaker for s in sentences]
    return _array(share[s] for s in speakers), _array(habit[s] for s in speakers)


def _events_between(times: Floats, start_s: Floats, end_s: Floats) -> Floats:
    return (np.searchsorted(times, end_s) - np.searchsorted(times, start_s)).astype(np.float64)


def _long_pauses(transcript: Transcript, sentences: Sequence[Sentence]) -> Floats:
    """Seconds of pauses above 0.6 s between the words of each sentence."""
    words = transcript.words
    paused = np.zeros(len(sentences))
    for i, sentence in enumerate(sentences):
        if sentence.first_word is None or sentence.last_word is None:
            continue
        spoken = words[sentence.first_word : sentence.last_word + 1]
        gaps = (b.range.start_s - a.range.end_s for a, b in pairwise(spoken))
        paused[i] = sum(gap for gap in gaps if gap > 0.6)
    return paused
