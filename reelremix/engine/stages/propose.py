"""Stretches of whole sentences that could become clips.

Here transcripts become sentences and sentences become candidates; nothing here judges whether a
candidate is good (`stages.score`) or which of them to keep (`stages.select`). Boundaries lie in
silence between words, so a clip never starts or ends inside one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from reelremix.engine.domain.candidate import Candidate
from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.spacing import join_words, needs_space
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Transcript

PAUSE_S = 1.0
"""A silence this long ends a sentence whatever the punctuation says."""
LONGEST_UNPUNCTUATED_S = 15.0
LONGEST_PUNCTUATED_S = 45.0
LEAD_IN_S = 0.15
"""Silence kept before the first word, at most half of what there is."""
LEAD_OUT_S = 0.25
"""Silence kept after the last word, at most half of what there is."""
MOST_ENDS = 32
"""Ends considered for one start; neighbouring ends differ by a sentence and score much alike."""
MOST_CANDIDATES = 60_000
"""For a source of many hours, fewer ends a start: 60 000 are about 40 MB of text."""
FEWEST_ENDS = 5
LONGEST_QUOTATION = 8
FEWEST_CLEAN = 0.2
"""Share of boundaries in silence, below which word times are too rough to choose by."""

_TICKS = 1_000_000
_FINAL = ".!?…。！？｡．।॥؟۔‽⁇⁈⁉։።፧។៕။᠃"
_CLOSERS = "\"'”’»)]}」』】）›*_"
_ELLIPSIS = re.compile(r"(\.{2,}|…|--|—)$")
_TITLES = re.compile(
    r"(?:dr|mr|mrs|ms|prof|st|mt|gen|sen|rep|lt|col|capt|cmdr|sgt|rev|hon|figs?|approx|vs|e\.g|i\.e|"
    r"cf|al|z\.b|d\.h|bzw|bzgl|ca|u\.a|p\.ej|sra|dra|mme|mlle|nr|vol|pp|ed|dept|est)"
)
_SOFT = re.compile(r"(?:etc|inc|ltd|co|corp|jr|sr|a\.m|p\.m|bros|ph\.d|m\.d)")
"""Abbreviations that often end a sentence too: a pause decides."""
_ORDINAL_LANGUAGES = re.compile(r"(?:de|da|no|nb|nn|fi|cs|sk|hu|pl|et|lv|sl|hr|sr|tr|is)\b")
"""Languages that write "3." for "third"."""
_QUOTE = re.compile(r"[\"“”]")
"""Quotation marks of English; others are used both ways round."""
_ORDINAL = re.compile(r"\d{1,3}\.$")
_ACRONYM = re.compile(r"(?:[^\W\d_]\.)+$")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What cannot be cut: a word, or a segment without word times."""

    text: str
    start: int
    """Microseconds."""
    end: int
    speaker: str | None
    word: int | None


def split_sentences(transcript: Transcript) -> tuple[Sentence, ...]:
    """The transcript's sentences in order of time."""
    pieces = _without_small_overlaps(sorted(_pieces(transcript), key=lambda p: (p.start, p.end)))
    sentences: list[Sentence] = []
    for run in _runs(pieces, transcript.language or ""):
        sentences.extend(_sentence(part) for part in _parts(run))
    return tuple(sentences)


def propose_candidates(
    sentences: Sequence[Sentence],
    min_s: float,
    max_s: float,
    *,
    duration_s: float | None = None,
) -> list[Candidate]:
    """Every stretch of whole sentences between the two lengths, in order of time.

    A very long source gets fewer ends for each start, spread evenly over the allowed lengths.
    `duration_s` is the length of the source; None keeps to the last word.
    """
    if not sentences:
        return []
    starts, clean_starts, ends, clean_ends = _bounds(sentences, duration_s)
    end_index = np.flatnonzero(clean_ends)
    end_ticks = ends[end_index]
    most = max(FEWEST_ENDS, min(MOST_ENDS, MOST_CANDIDATES // len(sentences)))
    shortest, longest = round(min_s * _TICKS), round(max_s * _TICKS)
    text = _RunningText(sentences)
    found: list[Candidate] = []
    for first in np.flatnonzero(clean_starts).tolist():
        start = int(starts[first])
        low = int(np.searchsorted(end_ticks, start + shortest, side="left"))
        low = max(low, int(np.searchsorted(end_index, first)))
        high = int(np.searchsorted(end_ticks, start + longest, side="right"))
        for last in _thinned(end_index[low:high], most):
            bounds = TimeRange(Timestamp(start), Timestamp(int(ends[last])))
            found.append(Candidate(bounds, text.between(first, last), first, last))
    return found


def _thinned(ends: Ints, most: int) -> list[int]:
    """At most `most` of the ends, evenly spread, the outermost kept."""
    if len(ends) > most:
        ends = ends[np.unique(np.linspace(0, len(ends) - 1, most).round().astype(np.int64))]
    return [int(end) for end in ends]


class _RunningText:
    """The whole source as one text, so that a candidate's is a slice of it."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        parts: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        at = 0
        for sentence in sentences:
            if parts and needs_space(parts[-1], sentence.text):
                parts.append(" ")
                at += 1
            parts.append(sentence.text)
            self._starts.append(at)
            at += len(sentence.text)
            self._ends.append(at)
        self._text = "".join(parts)

    def between(self, first: int, last: int) -> str:
        """What the sentences say, both included."""
        return self._text[self._starts[first] : self._ends[last]]


def _bounds(
    sentences: Sequence[Sentence], duration_s: float | None
) -> tuple[Ints, npt.NDArray[np.bool_], Ints, npt.NDArray[np.bool_]]:
    """Where a clip may start and end at each sentence, and whether that is in silence."""
    first = np.array([_ticks(s.range.start) for s in sentences], dtype=np.int64)
    last = np.array([_ticks(s.range.end) for s in sentences], dtype=np.int64)
    timed = np.array([s.has_word_times for s in sentences])
    before = np.concatenate([[0], np.maximum.accumulate(last)[:-1]])
    end_of_all = last.max() if duration_s is None else max(last.max(), round(duration_s * _TICKS))
    after = np.concatenate([np.minimum.accumulate(first[::-1])[::-1][1:], [end_of_all]])
    lead_in = np.minimum(round(LEAD_IN_S * _TICKS), (first - before) // 2)
    lead_out = np.minimum(round(LEAD_OUT_S * _TICKS), (after - last) // 2)
    starts = first - np.where(timed, np.maximum(lead_in, 0), 0)
    ends = last + np.where(timed, np.maximum(lead_out, 0), 0)
    begins_inside, ends_inside = quotations(sentences)
    clean_starts = _usable(_usable(first >= before) & ~np.array(begins_inside))
    clean_ends = _usable(_usable(after >= last) & ~np.array(ends_inside))
    return starts, clean_starts, ends, clean_ends


def quotations(sentences: Sequence[Sentence]) -> tuple[list[bool], list[bool]]:
    """For each sentence, whether it begins inside somebody's quoted words, and whether it ends so.

    A quotation that does not end within `LONGEST_QUOTATION` sentences of one speaker was none.
    """
    begins, ends = [False] * len(sentences), [False] * len(sentences)
    opened: int | None = None
    for i, sentence in enumerate(sentences):
        if opened is not None and (
            i - opened > LONGEST_QUOTATION or sentence.speaker != sentences[opened].speaker
        ):
            opened = None
        for mark in _QUOTE.finditer(sentence.text):
            if not _is_closing(sentence.text, mark.start()):
                opened = i
                continue
            first = i if opened is None else opened + 1
            begins[first : i + 1] = [True] * (i + 1 - first)
            if opened is not None:
                ends[opened:i] = [True] * (i - opened)
            opened = None
    return begins, ends


def _is_closing(text: str, at: int) -> bool:
    """Curly quotes say so themselves; a straight one closes where no space is before it."""
    if text[at] != '"':
        return text[at] == "”"
    return at > 0 and not text[at - 1].isspace() and text[at - 1] not in "([—–-"


def _usable(clean: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The clean boundaries; all of them when times overlap nearly everywhere and mean little."""
    return clean if clean.mean() >= FEWEST_CLEAN else np.ones_like(clean)


def _ticks(moment: Timestamp) -> int:
    base = moment.time_base
    return round(moment.ticks * base.numerator * _TICKS / base.denominator)


def _pieces(transcript: Transcript) -> Iterator[_Piece]:
    word_index = 0
    for segment in transcript.segments:
        for word in segment.words:
            if text := word.text.strip():
                speaker = word.speaker or segment.speaker
                bounds = _ticks(word.range.start), _ticks(word.range.end)
                yield _Piece(text, *bounds, speaker, word_index)
            word_index += 1
        if not segment.words and (text := " ".join(segment.text.split())):
            bounds = _ticks(segment.range.start), _ticks(segment.range.end)
            yield _Piece(text, *bounds, segment.speaker, None)


def _without_small_overlaps(pieces: list[_Piece]) -> list[_Piece]:
    """Subtitles that overlap the next by the same voice end where that begins; words are kept."""
    trimmed = list(pieces)
    for i, (piece, following) in enumerate(pairwise(pieces)):
        same_voice = piece.word is None and piece.speaker == following.speaker
        if same_voice and piece.start < following.start < piece.end:
            trimmed[i] = _Piece(piece.text, piece.start, following.start, piece.speaker, None)
    return trimmed


def _runs(pieces: Sequence[_Piece], language: str) -> Iterator[list[_Piece]]:
    """Pieces up to each end of a thought."""
    run: list[_Piece] = []
    for i, piece in enumerate(pieces):
        run.append(piece)
        if i + 1 == len(pieces) or _ends_thought(piece, pieces[i + 1], language):
            yield run
            run = []


def _ends_thought(piece: _Piece, following: _Piece, language: str) -> bool:
    gap_s = (following.start - piece.end) / _TICKS
    if gap_s > PAUSE_S or (
        piece.speaker != following.speaker and None not in (piece.speaker, following.speaker)
    ):
        return True
    return _is_final(piece.text, following.text, gap_s, language)


def _is_final(text: str, following: str, gap_s: float, language: str) -> bool:
    """Whether the punctuation at the end of `text` closes a sentence before `following`."""
    bare = text.rstrip(_CLOSERS)
    if not bare or bare[-1] not in _FINAL:
        return False
    new_start = not following.lstrip("\"'“‘«([¿¡-").strip()[:1].islower()
    last = bare.split()[-1]
    if _ELLIPSIS.search(last):
        return new_start
    if last[-1] != ".":
        return True
    return new_start and not _is_abbreviation(last, following, gap_s, language)


def _is_abbreviation(last: str, following: str, gap_s: float, language: str) -> bool:
    stem = last[:-1].strip("\"'“‘«([").lower()
    if _TITLES.fullmatch(stem):
        return True
    if _ORDINAL.search(last):
        return bool(_ORDINAL_LANGUAGES.match(language.lower()))
    if stem == "no":
        return following[:1].isdigit()
    if _SOFT.fullmatch(stem) or _ACRONYM.match(last):
        return stem != "i" and gap_s < 0.3
    return False


def _parts(run: list[_Piece]) -> Iterator[list[_Piece]]:
    """The run, cut at its widest pauses while it is longer than a sentence can be."""
    pending = [run]
    while pending:
        part = pending.pop()
        cut = _widest_pause(part) if _is_too_long(part) else None
        if cut is None:
            yield part
        else:
            pending += [part[cut:], part[:cut]]


def _is_too_long(run: Sequence[_Piece]) -> bool:
    closed = run[-1].text.rstrip(_CLOSERS)[-1:] in tuple(_FINAL)
    longest_s = LONGEST_PUNCTUATED_S if closed else LONGEST_UNPUNCTUATED_S
    return (run[-1].end - run[0].start) / _TICKS > longest_s


def _widest_pause(run: Sequence[_Piece]) -> int | None:
    """Index to cut before, in the middle half so that cutting ends soon; None if there is none."""
    span = run[-1].end - run[0].start
    low, high = run[0].start + span / 4, run[0].start + span * 3 / 4
    cuts = [i for i in range(1, len(run)) if low <= run[i].start <= high]
    if not cuts:
        return None
    middle = (low + high) / 2

    def quality(i: int) -> tuple[float, float]:
        comma = 200_000 if run[i - 1].text[-1] in ",;:，、；،" else 0
        return run[i].start - run[i - 1].end + comma, -abs(run[i].start - middle)

    return max(cuts, key=quality)


def _sentence(pieces: Sequence[_Piece]) -> Sentence:
    words = [p.word for p in pieces]
    timed = None not in words
    start, end = pieces[0].start, max(p.end for p in pieces)
    return Sentence(
        text=join_words([p.text for p in pieces]),
        range=TimeRange(Timestamp(start), Timestamp(end)),
        speaker=pieces[0].speaker,
        first_word=words[0] if timed else None,
        last_word=words[-1] if timed else None,
    )
