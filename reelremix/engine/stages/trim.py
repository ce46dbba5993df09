"""Openings without "so, um, yeah": words that lead into a thought and say nothing themselves.

Only where the next word can be reached without touching it: fillers often run into what follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.lexicon import tokenize
from reelremix.engine.stages.quotes import Spoken, silences_around
from reelremix.engine.stages.signals import choose_lexicon

BREATH_S = 0.05
"""Silence there must be between a filler and the next word."""
MOST_WORDS = 6
"""More than these is no filler but what somebody says."""
FEWEST_LEFT = 3
"""Words: what is left of a clip says something."""
PAUSE_S = 0.25
ALWAYS = {"um", "uh", "umm", "uhm", "er", "erm", "hmm", "mm", "yeah", "yep", "okay", "ok", "and"}
"""Fillers whatever follows."""
SET_OFF = {"so", "well", "right", "like", "now", "oh", "ah", "but", "yes", "actually", "anyway"}
"""Fillers where a comma or a pause sets them off from the sentence, or a clause begins after."""
PAIRS = {("you", "know"), ("i", "mean"), ("i", "guess")}
"""Fillers where they are set off."""
BEGINNINGS = frozenset(
    """i i'm i've i'd i'll we we're we've you you're you've they they're he he's she she's it it's
    the this that that's these those there there's what what's when where why how if my our your his
    her their a an one let's here here's everybody people nobody""".split()  # noqa: SIM905
)
"""Words that begin a clause: "so I said", but not "so many"."""


def trimmed(candidate: Candidate, spoken: Spoken, min_s: float) -> Candidate:
    """The candidate without the fillers it opens with; itself where there are none.

    English alone: other languages' fillers are not known. Never shorter than `min_s`, and never
    where words have no times.
    """
    sentences = spoken.sentences[candidate.first_sentence : candidate.last_sentence + 1]
    first, last = (sentences[0].first_word, sentences[-1].last_word) if sentences else (None, None)
    if first is None or last is None or not all(s.has_word_times for s in sentences):
        return candidate
    if choose_lexicon(spoken.transcript.language, [tokenize(candidate.text)]) is None:
        return candidate
    words = spoken.words
    while first < last and words[first].range.start < candidate.range.start:
        first += 1
    while first < last and words[last].range.end > candidate.range.end:
        last -= 1
    begin = first + _fillers(words[first : min(last, first + MOST_WORDS + 2) + 1])
    if begin == first or last - begin + 1 < FEWEST_LEFT:
        return candidate
    cut = silences_around(begin, last, spoken)
    if cut is None or not candidate.range.start < cut.start:
        return candidate
    if candidate.range.end_s - cut.start_s < min_s:
        return candidate
    number = next(
        n
        for n, sentence in enumerate(sentences, start=candidate.first_sentence)
        if sentence.last_word is not None and sentence.last_word >= begin
    )
    return replace(
        candidate,
        range=TimeRange(cut.start, candidate.range.end),
        text=join_words([word.text.strip() for word in words[begin : last + 1]]),
        first_sentence=number,
    )


def _fillers(words: Sequence[Word]) -> int:
    """How many of the first words can go."""
    gone = at = 0
    while at < min(MOST_WORDS, len(words) - 1):
        taken = _filler(words, at)
        if not taken or at + taken >= len(words):
            break
        at += taken
        if _gap_s(words, at - 1) >= BREATH_S:
            gone = at
    return gone


def _filler(words: Sequence[Word], at: int) -> int:
    """Words of the filler at a place; 0 where there is none."""
    here, after = _bare(words[at]), _bare(words[at + 1])
    if here in ALWAYS or (here in SET_OFF and (_is_set_off(words, at) or after in BEGINNINGS)):
        return 1
    if (here, after) in PAIRS and at + 2 < len(words) and _is_set_off(words, at + 1):
        return 2
    return 0


def _bare(word: Word) -> str:
    return word.text.strip().strip(".,!?;:…-–—\"'“”").lower().replace("’", "'")


def _is_set_off(words: Sequence[Word], at: int) -> bool:
    return words[at].text.strip()[-1:] in ",.;:…-–—" or _gap_s(words, at) >= PAUSE_S


def _gap_s(words: Sequence[Word], at: int) -> float:
    return words[at + 1].range.start_s - words[at].range.end_s
