"""What steps of the schema ask of rows as earlier versions wrote them.

SQL functions over a stored detail. They read plain JSON, not domain types, because those go on
changing and a step must not; what another version wrote in another form gives nothing, since its
row counts as absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from reelremix.engine.domain.terms import terms_of
from reelremix.engine.store.packing import packed, unpacked

Stored = str | bytes | int | float | None
_FOREIGN = (LookupError, TypeError, ValueError, AttributeError, ZeroDivisionError)


def _source_length_s(detail: bytes) -> float | None:
    try:
        ticks, base = json.loads(detail)["duration"]
        return round(float(ticks * Fraction(base)), 6)
    except _FOREIGN:
        return None


def _clip_length_s(detail: bytes) -> float | None:
    spans = _spans(detail)
    return round(float(sum(end - start for start, end in spans)), 6) if spans else None


def _clip_start_s(detail: bytes) -> float | None:
    spans = _spans(detail)
    return round(float(spans[0][0]), 6) if spans else None


def _clip_total(detail: bytes) -> float | None:
    try:
        total = _read(detail)["score"]["total"]
        return None if total is None else float(total)
    except _FOREIGN:  # among others where there is no score at all
        return None


def _clip_ranges(detail: bytes) -> str:
    try:
        ranges = _read(detail)["ranges"]
        return json.dumps([[*r["start"], *r["end"]] for r in ranges])
    except _FOREIGN:
        return "[]"


def _clip_slug(detail: bytes) -> str:
    return _text(detail, "slug")


def _clip_text(detail: bytes) -> str:
    parts = (_text(detail, key) for key in ("title", "description", "text"))
    return "\n".join(parts)


def _clip_terms(detail: bytes) -> str:
    return " ".join(terms_of(_clip_text(detail)))


def _packed(detail: Stored) -> Stored:
    return packed(detail) if isinstance(detail, bytes) else detail


def _spans(detail: bytes) -> list[tuple[Fraction, Fraction]]:
    try:
        ranges = _read(detail)["ranges"]
        return [
            (r["start"][0] * Fraction(r["start"][1]), r["end"][0] * Fraction(r["end"][1]))
            for r in ranges
        ]
    except _FOREIGN:
        return []


def _text(detail: bytes, key: str) -> str:
    try:
        return str(_read(detail)[key])
    except _FOREIGN:
        return ""


def _read(detail: bytes) -> Any:
    return json.loads(unpacked(detail))


OLD_ROWS: dict[str, Callable[[Any], Stored]] = {
    "source_length_s": _source_length_s,
    "clip_total": _clip_total,
    "clip_length_s": _clip_length_s,
    "clip_start_s": _clip_start_s,
    "clip_ranges": _clip_ranges,
    "clip_slug": _clip_slug,
    "clip_text": _clip_text,
    "clip_terms": _clip_terms,
    "packed": _packed,
}
"""By the name that a step calls them by."""
