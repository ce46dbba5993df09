"""Domain objects to plain JSON values and back, without loss.

Used for artifacts, requests and events. Published formats (manifest, transcript) have their own
modules in `export/`, because their keys are a contract and these are not.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from reelremix.engine.domain.edit import OPERATIONS, Operation
from reelremix.engine.domain.events import EVENT_TYPES, EVENT_VERSION, Event, LoggedEvent
from reelremix.engine.domain.time import Timestamp

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")
LONGEST_SHOWN = 60
"""Of what somebody else wrote, in a message."""


@cache
def _converter() -> Converter:
    from cattrs import Converter  # deferred: 75 ms

    converter = Converter()
    converter.register_unstructure_hook(Fraction, str)
    converter.register_structure_hook(Fraction, lambda value, _: Fraction(value))
    converter.register_unstructure_hook(Timestamp, lambda t: [t.ticks, str(t.time_base)])
    converter.register_structure_hook(
        Timestamp, lambda value, _: Timestamp(int(value[0]), Fraction(value[1]))
    )
    converter.register_structure_hook_func(lambda kind: kind == str | int, _text_or_number)
    return converter


def _text_or_number(value: object, _: object) -> str | int:
    if isinstance(value, str | int):
        return value
    raise ValueError(f"neither text nor a whole number: {value!r}")


@cache
def _exact_converter() -> Converter:
    """Takes nothing for what it is not, where `_converter` makes the best of it."""
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True)
    for kind in _KINDS:
        converter.register_structure_hook(kind, _exact)
    converter.register_structure_hook(Timestamp, lambda value, _: _exact_time(value))
    converter.register_structure_hook_func(
        _is_row, lambda value, kind: _exact_row(value, get_args(kind)[0], converter)
    )
    return converter


_KINDS: dict[type, str] = {
    str: "text", bool: "true or false", int: "a whole number", float: "a number",
}  # fmt: skip
_TIME_BASE = re.compile(r"\d{1,9}(/\d{1,9})?")


def _exact(value: Any, kind: type) -> Any:
    if issubclass(kind, Enum):
        words = [str(each.value) for each in kind]
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return kind(value)
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise ValueError(f"must be {_KINDS[kind]}")


def _is_row(kind: Any) -> bool:
    """Whether a type is a tuple of any length."""
    return get_origin(kind) is tuple and get_args(kind)[-1] is ...


def _exact_row(value: Any, of: Any, converter: Converter) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")
    rows: Any = list[of]
    return tuple(converter.structure(value, rows))


def _exact_time(value: Any) -> Timestamp:
    match value:
        case [int(ticks), str(base)] if type(ticks) is int and _TIME_BASE.fullmatch(base):
            above, _, below = base.partition("/")
            if int(above) and int(below or 1):
                return Timestamp(ticks, Fraction(int(above), int(below or 1)))
    raise ValueError("must be a time: ticks, and seconds a tick such as 1/1000000")


def to_plain(value: object) -> Any:
    """Domain object to dicts, lists, strings and numbers."""
    return _converter().unstructure(value)


def from_plain(plain: Any, kind: type[T]) -> T:
    """The inverse of `to_plain`. Raises ValueError for anything that is not a `kind`."""
    try:
        return _converter().structure(plain, kind)
    except Exception as exc:  # cattrs raises exception groups of many kinds
        raise ValueError(f"not a {getattr(kind, '__name__', kind)}: {exc}") from exc


def from_plain_exactly(plain: Any, kind: type[T], name: str) -> T:
    """A request that somebody else wrote: nothing is ignored, nothing taken for what it is not.

    Raises ValueError that says which field of `name` is wrong, and how.
    """
    try:
        return _exact_converter().structure(plain, kind)
    except Exception as exc:  # cattrs raises exception groups of many kinds
        from cattrs.v import transform_error

        first = transform_error(exc, path=name, format_exception=_fault)[0]
        said, _, place = first.rpartition(" @ ")
        raise ValueError(f"{place} {said}") from exc


def _fault(exc: BaseException, kind: type | None) -> str:
    """What is wrong, for the end of a sentence that begins with where."""
    from cattrs.errors import ForbiddenExtraKeysError

    match exc:
        case ForbiddenExtraKeysError():
            unknown = min(map(str, exc.extra_fields))
            known = [field.name for field in fields(exc.cl)] if is_dataclass(exc.cl) else []
            near = get_close_matches(unknown, known, n=1)
            return f"has no {unknown[:LONGEST_SHOWN]!r}" + (
                f"; did you mean {near[0]!r}?" if near else ""
            )
        case KeyError():
            return "is missing"
        case ValueError() if str(exc).startswith("must"):
            return str(exc)
        case _:
            return "must be an object"


def to_bytes(value: object) -> bytes:
    """Canonical JSON: the same object always gives the same bytes."""
    return json.dumps(
        to_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()


def from_bytes(content: bytes, kind: type[T]) -> T:
    """The inverse of `to_bytes`. Raises ValueError for damaged or foreign content."""
    return from_plain(json.loads(content), kind)


def event_to_plain(logged: LoggedEvent) -> dict[str, Any]:
    """One published event line."""
    return {
        "type": logged.event.type,
        "version": EVENT_VERSION,
        "job_id": logged.job_id,
        "seq": logged.seq,
        "at": logged.at,
        **to_plain(logged.event),
    }


def event_from_plain(plain: dict[str, Any]) -> LoggedEvent | None:
    """The inverse of `event_to_plain`; None for a type this version does not know."""
    kind = EVENT_TYPES.get(plain["type"])
    if kind is None:
        return None
    event: Event = from_plain(plain, kind)
    return LoggedEvent(plain["job_id"], plain["seq"], plain["at"], event)


def operation_to_plain(operation: Operation) -> dict[str, Any]:
    """An operation as a manifest and the library name it."""
    return {"op": operation.op, **to_plain(operation)}


def operation_from_plain(plain: dict[str, Any]) -> Operation:
    """The inverse of `operation_to_plain`. Raises ValueError for one that is not known."""
    kind = OPERATIONS.get(plain.get("op", ""))
    if kind is None:
        raise ValueError(f"no edit is called {plain.get('op')!r}")
    operation: Operation = from_plain(plain, kind)
    return operation
