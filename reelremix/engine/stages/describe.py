"""What a clip is called: title, description and hashtags, out of its own words.

Nothing is invented: a title is a phrase that was said, with false starts removed. Works for any
script; languages in `data/function_words.toml` also know which words leave a phrase hanging.
"""

from __future__ import annotations

import math
import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from reelremix.engine.domain.sentence import Sentence
from reelremix.engine.domain.spacing import join_words
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.lexicon import Lexicon, tokenize
from reelremix.engine.stages.signals import choose_lexicon

LONGEST_TITLE = 70
LONGEST_DESCRIPTION = 240
FEWEST_HASHTAGS, MOST_HASHTAGS = 3, 6
_NAME = 5.0
"""What a name weighs as a subject, about a rare word said twice."""

_GOOD_WORDS = (4, 11)
_GOOD_CHARACTERS = (18, 60)
_CLAUSE = re.compile(
    r"(?<=[,;:，、；：،])\s*|\s+[-–—]+\s+|\s*—\s*|\.{2,}\s*|…\s*|--\s*|(?<=[.!?。！？؟।])\s*(?=\S)"
)
_FALSE_START = re.compile(
    r"^(?:(?:so|and|but|or|well|yeah|yes|no|okay|ok|oh|um|uh|right|now|like|also|then|because|"
    r"i mean|you know|i think|i guess|actually|basically|anyway|look|listen|see)\b[\s,.…-]*)+",
    re.IGNORECASE,
)
_QUOTES = '"“”„«»「」『』'
_EDGES = " \t,;:，、；：،.。।…-–—·*_([{)]}" + _QUOTES
_FINAL_MARKS = "?!？！؟"
_CAPITALISED = re.compile(r"(?<=[\w,;:] )(?:[A-ZÀ-ÞА-Я][\w'’]+)(?: [A-ZÀ-ÞА-Я][\w'’]+){0,2}")
_SAME_HAN_OR_KANA = re.compile("[\u30a1-\u30ff]{2,10}|[\u4e00-\u9fff]{2,4}")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_CUT = 0.15
"""Whole sentences before their openings, openings before what follows."""
_WORTH = {"hook": 1.0, "claim": 0.7, "emotion": 0.7, "stakes": 0.5, "joke": 0.5, "contrast": 0.4,
          "needs_context": -1.5, "housekeeping": -1.5, "advert": -1.5, "hedge": -0.5,
          "backchannel": -0.5}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Description:
    """The words a clip is published under."""

    title: str
    """At most 70 characters."""
    text: str
    """One or two sentences from the clip."""
    hashtags: tuple[str, ...]
    """With the leading #, three to six where the text has as many subjects."""


@dataclass(frozen=True, slots=True)
class _Wording:
    """What is known about the source's words."""

    rarity: dict[str, float]
    """How much each word says about its sentence; near zero for those in every sentence."""
    dangling: frozenset[str]
    small: frozenset[str]
    """Function words, `dangling` included."""
    headless: frozenset[str]
    """Words that begin a phrase which lost its beginning."""
    lexicon: Lexicon | None


@dataclass(frozen=True, slots=True)
class _Function:
    dangling: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    headless: frozenset[str] = frozenset()


def describe_clips(
    spoken: Sequence[Sequence[str]], sentences: Sequence[Sentence], language: str | None
) -> list[Description]:
    """Titles, descriptions and hashtags in the same order; no title is used twice if avoidable.

    Args:
        spoken: the sentences of each clip, as far as they are heard in it.
        sentences: all of the source, which tell what is rare in it.
        language: of the source, as a code; None where it is not known.
    """
    wording = _wording(sentences, language)
    used: set[str] = set()
    described = []
    for texts in spoken:
        title = _title(texts, wording, used)
        used.add(title.casefold())
        text = _description(texts, title, wording)
        described.append(Description(title, text, _hashtags(" ".join(texts), wording)))
    return described


def as_heard(
    sentences: Sequence[Sentence],
    words: Sequence[Word],
    kept: Sequence[Word],
    ranges: Sequence[TimeRange],
) -> list[str]:
    """The sentences as far as they are heard in a clip; those that are not are left out.

    Args:
        sentences: of the clip; their edges may lie outside.
        words: all of the transcript's, which sentences count.
        kept: those that the clip keeps, perhaps shortened at their beginning or cut in phrases.
        ranges: the clip's. A sentence without times of its words is heard if more than half of it
            is in them.
    """
    ends = sorted(word.range.end for word in kept)
    texts = []
    for sentence in sentences:
        if sentence.first_word is None or sentence.last_word is None:
            kept_s = sum(sentence.range.overlap_s(span) for span in ranges)
            texts += [sentence.text] if kept_s > sentence.range.duration_s / 2 else []
            continue
        own = words[sentence.first_word : sentence.last_word + 1]
        heard = [word.text for word in own if _ends_within(word.range, ends)]
        texts += [join_words(heard)] if heard else []
    return texts


def _ends_within(span: TimeRange, ends: Sequence[Timestamp]) -> bool:
    """Whether one of the sorted moments lies in `(start, end]`."""
    index = bisect_right(ends, span.start) if span.start < span.end else bisect_left(ends, span.end)
    return index < len(ends) and ends[index] <= span.end


@cache
def _function_words() -> dict[str, _Function]:
    file = resources.files("reelremix.engine.stages") / "data" / "function_words.toml"
    lists = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        language: _Function(**{name: frozenset(text.split()) for name, text in words.items()})
        for language, words in lists.items()
    }


def small_words(language: str | None) -> frozenset[str]:
    """Words of a language that say nothing by themselves; empty where they are not known."""
    words = _function_words().get((language or "")[:2].lower(), _Function())
    return words.dangling | words.others


@cache
def all_small_words() -> frozenset[str]:
    """Those of every language that is known, for text of an unknown one."""
    return frozenset().union(*(small_words(language) for language in _function_words()))


def _wording(sentences: Sequence[Sentence], language: str | None) -> _Wording:
    tokens = [tokenize(s.text) for s in sentences]
    lexicon = choose_lexicon(language, tokens)
    code = (language or ("en" if lexicon else ""))[:2].lower()
    words = _function_words().get(code, _Function())
    seen = Counter(t for s in tokens for t in set(s))
    rarity = {t: math.log((len(tokens) + 1) / n) for t, n in seen.items()}
    frequent = {t for t, n in seen.items() if n > max(4, 0.08 * len(tokens)) and len(t) <= 4}
    dangling = words.dangling or frozenset(frequent)
    small = words.dangling | words.others | frequent
    return _Wording(rarity, dangling, small, words.headless, lexicon)


def _title(texts: Sequence[str], wording: _Wording, used: set[str]) -> str:
    """The best phrase of the clip, earlier ones winning ties; a cut sentence when none fits."""
    phrases = [
        (_appeal(phrase, at / max(1, len(texts) - 1), wording) - cut * _CUT, -at, phrase)
        for at, text in enumerate(texts)
        for cut, phrase in enumerate(_phrases(text))
        if len(phrase) <= LONGEST_TITLE and _last_token(phrase) not in wording.dangling
    ]
    ranked = [phrase for _, _, phrase in sorted(phrases, reverse=True)]
    ranked += [_shortened(text, wording) for text in sorted(texts, key=len, reverse=True)]
    fresh = next((p for p in ranked if p and p.casefold() not in used), ranked[0])
    return fresh or " ".join(texts)[:LONGEST_TITLE].strip()


def _phrases(text: str) -> Iterator[str]:
    """The sentence, and its clauses alone and in neighbouring pairs, tidied."""
    clauses = [c for c in _CLAUSE.split(text) if c and c.strip(_EDGES)]
    spans = [text, *clauses, *(text[: text.find(c) + len(c)] for c in clauses[1:-1])]
    for span in dict.fromkeys(spans):
        if tidy := tidy_phrase(span):
            yield tidy


def tidy_phrase(text: str) -> str:
    """Without false starts, unbalanced quotes and loose punctuation; first letter large."""
    flat = " ".join(text.split()).lstrip(_EDGES)
    flat = _FALSE_START.sub("", flat) or flat
    mark = next((c for c in reversed(flat.rstrip(_EDGES)[-1:]) if c in _FINAL_MARKS), "")
    bare = flat.rstrip(_EDGES + _FINAL_MARKS).lstrip(_EDGES)
    if any(bare.count(q) for q in _QUOTES):
        bare = "".join(c for c in bare if c not in _QUOTES)
    if bare.split(" ", 1)[0].islower():
        bare = bare[:1].upper() + bare[1:]
    return bare + mark if bare else ""


def _appeal(phrase: str, place: float, wording: _Wording) -> float:
    """How well a phrase would do as a title."""
    tokens = tokenize(phrase)
    if not tokens:
        return -100.0
    score = _fit(len(phrase), _GOOD_CHARACTERS, 12.0) + _fit(len(tokens), _GOOD_WORDS, 2.0)
    subjects = [wording.rarity.get(t, 0.0) for t in tokens if t not in wording.small]
    score += min(2.5, sum(sorted(subjects)[-3:]) / 5.0) - 1.5 * (not subjects)
    score -= 0.3 * place
    if phrase[-1:] in _FINAL_MARKS:
        score += 0.3
    elif tokens[0] in wording.headless:
        score -= 2.0
    if wording.lexicon is not None:
        score += _cue_appeal(tokens, wording.lexicon)
    return score


def _fit(value: float, good: tuple[int, int], per: float) -> float:
    """Zero inside the good range, falling by one for each `per` outside."""
    return -max(good[0] - value, value - good[1], 0.0) / per


def _cue_appeal(tokens: Sequence[str], lexicon: Lexicon) -> float:
    counts = dict(zip(lexicon.cues, lexicon.count([tokens])[0], strict=True))
    appeal = sum(worth * min(2.0, counts.get(cue, 0.0)) for cue, worth in _WORTH.items())
    return float(appeal) - 1.2 * float(lexicon.starts_with([tokens], "leans_back")[0])


def _last_token(phrase: str) -> str:
    tokens = tokenize(phrase)
    return tokens[-1] if tokens else ""


def _shortened(text: str, wording: _Wording) -> str:
    """A long sentence cut to a title at a word that does not hang."""
    text = tidy_phrase(text)
    if len(text) <= LONGEST_TITLE:
        return text
    kept = text[: LONGEST_TITLE + 1]
    if " " not in kept:
        return text[:LONGEST_TITLE].rstrip(_EDGES)
    words = kept.rsplit(" ", 1)[0].split()
    while len(words) > 2 and _last_token(words[-1]) in wording.dangling:
        words.pop()
    return " ".join(words)[:LONGEST_TITLE].rstrip(_EDGES)


def _description(texts: Sequence[str], title: str, wording: _Wording) -> str:
    """The opening and the sentence that says most, as they were said."""
    full = [" ".join(t.split()) for t in texts if len(tokenize(t)) >= 4] or [" ".join(texts)]
    opening = full[0]
    others = [t for t in full[1:] if tidy_phrase(t) != title or tidy_phrase(opening) == title]
    best = max(others, key=lambda t: _appeal(t, 0.0, wording), default="")
    room = LONGEST_DESCRIPTION - len(best) - 1
    if best and len(opening) <= room:
        return _sentence_case(f"{opening} {best}")
    return _sentence_case(_clipped(opening, LONGEST_DESCRIPTION))


def _sentence_case(text: str) -> str:
    text = text.lstrip(" ….,;:-–—")
    return text[:1].upper() + text[1:]


def _clipped(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    cut = text[:longest].rfind(" ")
    return text[: cut if cut > longest // 2 else longest - 1].rstrip(_EDGES) + "…"


def _hashtags(text: str, wording: _Wording) -> tuple[str, ...]:
    """The clip's subjects: names first, then words it repeats that the source uses rarely."""
    weights: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for phrase, weight in _subjects(text, wording):
        parts = phrase.split("-")
        joined = phrase if len(parts) == 1 else "".join(p[:1].upper() + p[1:] for p in parts)
        tag = "".join(c for c in joined if c.isalnum() or _is_mark(c))
        if 2 <= len(tag) <= 30 and not tag.isdigit():
            shown.setdefault(tag.casefold(), tag)
            weights[tag.casefold()] += weight  # type: ignore[assignment]
    ranked = sorted(weights, key=lambda t: -weights[t])
    strong = [t for t in ranked if weights[t] >= _NAME and 2 * weights[t] >= weights[ranked[0]]]
    kept = ranked[: min(MOST_HASHTAGS, max(FEWEST_HASHTAGS, len(strong)))]
    return tuple("#" + shown[t] for t in kept)


def _is_mark(character: str) -> bool:
    """Vowel signs and the like, which belong to the letter before."""
    return not character.isascii() and bool(re.match(r"[\u0300-\u0fff\u1000-\u17ff]", character))


def _subjects(text: str, wording: _Wording) -> Iterator[tuple[str, float]]:
    """Words and names with how much they stand for the text."""
    for name in _CAPITALISED.findall(text):
        words = [w.strip("'’") for w in name.split()]
        if all(w.lower() not in wording.small and len(w) > 2 for w in words):
            yield "".join(w[:1].upper() + w[1:] for w in words), _NAME
    if _UNSPACED.search(text):
        for run in _SAME_HAN_OR_KANA.findall(text):
            yield run, 3.0
        return
    for token in tokenize(text):
        word = token.removesuffix("'s")
        if len(word) >= 4 and word not in wording.small and "'" not in word:
            yield word, wording.rarity.get(token, 1.0) * min(1.0, len(word) / 7.0)
