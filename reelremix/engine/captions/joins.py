"""Which neighbouring words belong together, so that no line or cue ends between them.

Names, titles and initials, numbers with what they count, phrases of scripts without spaces. Rules
of spelling alone: nothing here knows a language but by lists of its small words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from reelremix.engine.domain.spacing import needs_space
from reelremix.engine.domain.transcript import Word

if TYPE_CHECKING:
    from budoux.parser import Parser

TOGETHER = 40.0
"""A break that is taken only where there is no other."""
AT_SENTENCE = 0.0
AT_CLAUSE = 0.15

_SENTENCE_END = re.compile(r"[.!?…。！？؟।۔][\"'”’»)\]]*$")
_CLAUSE_END = re.compile(r"[,;:،؛，、；：–—-][\"'”’»)\]]*$")
_TITLE = re.compile(
    r"^([A-Z]\.)+$|^(Mr|Mrs|Ms|Dr|St|Prof|Sr|Jr|Mme|Herr|Frau|Gen|Sen|Rep|vs|No)\.$"
)
_NUMBER = re.compile(r"^[^\w\s]*\d[\d.,:/'’]*(st|nd|rd|th|k|m|bn|x)?$", re.IGNORECASE)
_CURRENCY = re.compile(r"^[#№$€£¥₹₽₩]+$")
_MEASURE = re.compile(
    r"^(%|°|percent|prozent|million(s|en)?|billion(s)?|milliard(e|en|s)?|thousand|hundred|mio\.?|"
    r"dollars?|euros?|pounds?|cents?|bucks|years?|months?|weeks?|days?|hours?|minutes?|seconds?|"
    r"degrees?|miles?|meters?|metres?|kilometers?|kilometres?|pounds?|kilos?|times|[ap]\.?m\.?)"
    r"[.,!?;:]*$",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(
    r"^(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|\w+ty-\w+|"
    r"hundred|thousand|million|billion|half|few|several|many|"
    r"zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|\w+zehn|\w+zig|hundert|tausend)$",
    re.IGNORECASE,
)
_SHORT_WORD = re.compile(r"^[a-zà-öø-ÿа-яёα-ω']{1,3}$")
_KANA = re.compile("[\u3040-\u30ff]")
_HAN = re.compile("[\u3400-\u9fff]")
_THAI = re.compile("[\u0e00-\u0e7f]")
MOSTLY_CAPITALS = 0.6
"""From this share of words on, capitals say nothing about names."""


def split_costs(words: Sequence[Word], small_words: Collection[str]) -> tuple[float, ...]:
    """How much a break before each word hurts the reader, from 0 to `TOGETHER`."""
    texts = [word.text for word in words]
    capitals = sum(text[:1].isupper() for text in texts) / max(1, len(texts))
    names = capitals < MOSTLY_CAPITALS or len(texts) < 4
    inside = inside_phrases(texts)
    costs = [0.0]
    for index in range(1, len(texts)):
        cost = _cost(texts, index, small_words, names=names)
        if index in inside and cost > AT_CLAUSE:
            cost = TOGETHER / 8  # a guess of a model: worth less than a rule
        silence = float(words[index].range.start.exact - words[index - 1].range.end.exact)
        costs.append(cost if cost in (AT_SENTENCE, AT_CLAUSE) or cost >= TOGETHER
                     else cost - min(0.4, max(0.0, silence)))  # fmt: skip
    return tuple(costs)


def ends_sentence(text: str) -> bool:
    """Whether a sentence ends with the word."""
    return bool(_SENTENCE_END.search(text)) and not _TITLE.match(text)


def is_number(text: str) -> bool:
    """Whether the word is a number in digits, currency and counting letters included."""
    return bool(_NUMBER.match(text.rstrip(".,!?;:%")))


def is_measure(text: str) -> bool:
    """Whether the word counts or measures what stands before it."""
    return bool(_MEASURE.match(text))


def is_name_part(text: str, small_words: Collection[str] = ()) -> bool:
    """Whether the word is spelled as part of a name.

    Where a sentence begins, every word has a capital: there `small_words` are none.
    """
    bare = text.strip("\"'“”‘’«»()[]").rstrip(".,!?;:")
    plain = bare.removesuffix("'s").removesuffix("’s").lower()
    return bare[:1].isupper() and plain not in small_words and plain.partition("'")[0] != "i"


def _cost(texts: Sequence[str], index: int, small_words: Collection[str], *, names: bool) -> float:
    left, right = texts[index - 1], texts[index]
    opens = index == 1 or ends_sentence(texts[index - 2])
    if _TITLE.match(left) and right[:1].isupper():
        return TOGETHER
    if ends_sentence(left):
        return AT_SENTENCE
    if _CLAUSE_END.search(left):
        return AT_CLAUSE
    if _CURRENCY.match(left) or _is_counted(left, right, small_words):
        return TOGETHER
    if names and is_name_part(right) and is_name_part(left, small_words if opens else ()):
        return TOGETHER
    return 1.1 if _SHORT_WORD.match(left) else 0.6


def _is_counted(left: str, right: str, small_words: Collection[str]) -> bool:
    """Whether the right word says what the left one counts."""
    if _MEASURE.match(right) and (is_number(left) or _NUMBER_WORD.match(left)):
        return True
    bare = right.rstrip(".,!?;:").lower()
    is_unit = right[:1].isalpha() and bare not in small_words
    return is_number(left) and (is_number(right) or is_unit)


def inside_phrases(texts: Sequence[str]) -> set[int]:
    """Words that do not begin a phrase, in scripts without spaces."""
    inside: set[int] = set()
    start = 0
    for end in range(1, len(texts) + 1):
        if end == len(texts) or needs_space(texts[end - 1], texts[end]):
            inside |= _not_beginning(texts, start, end)
            start = end
    return inside


def _not_beginning(texts: Sequence[str], start: int, end: int) -> set[int]:
    text = "".join(texts[start:end])
    parser = _parser_for(text) if end - start > 1 else None
    if parser is None:
        return set()
    begins = {0, *accumulate(len(phrase) for phrase in parser.parse(text))}
    places = (0, *accumulate(len(t) for t in texts[start : end - 1]))
    return {start + i for i, at in enumerate(places) if at not in begins}


def phrases_of(text: str) -> list[str]:
    """A text without spaces cut between phrases; whole where its script is not known."""
    parser = _parser_for(text)
    return list(parser.parse(text)) if parser is not None else [text]


def _parser_for(text: str) -> Parser | None:
    """Where phrases end in Japanese, Chinese and Thai; None for other scripts."""
    if _KANA.search(text):
        return _parser("japanese")
    if _HAN.search(text):
        return _parser("simplified_chinese")
    return _parser("thai") if _THAI.search(text) else None


@cache
def _parser(language: str) -> Parser:
    import budoux

    load = {
        "japanese": budoux.load_default_japanese_parser,
        "simplified_chinese": budoux.load_default_simplified_chinese_parser,
        "thai": budoux.load_default_thai_parser,
    }
    return load[language]()
