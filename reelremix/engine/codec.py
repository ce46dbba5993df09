"""Domain objects to plain JSON values and back, without loss.

Used for artifacts, requests and events. Published formats (manifest, transcript) have their own
modules in `export/`, because their keys are a contract and these are not.
"""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from reelremix.engine.domain.edit import OPERATIONS, Operation
from reelremix.engine.domain.events import EVENT_TYPES, EVENT_VERSION, Event, LoggedEvent
from reelremix.engine.domain.time import Timestamp

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


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


def to_plain(value: object) -> Any:
    """Domain object to dicts, lists, strings and numbers."""
    return _converter().unstructure(value)


def from_plain(plain: Any, kind: type[T]) -> T:
    """The inverse of `to_plain`. Raises ValueError for anything that is not a `kind`."""
    try:
        return _converter().structure(plain, kind)
    except Exception as exc:  # cattrs raises exception groups of many kinds
        raise ValueError(f"not a {getattr(kind, '__name__', kind)}: {exc}") from exc


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
