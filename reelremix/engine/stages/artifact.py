"""How a stage finds or makes its artifact."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from reelremix.engine import codec
from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageFinished, StageStarted
from reelremix.engine.domain.source import Presentation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredArray:
    """Numbers in half precision, as an artifact keeps them."""

    shape: tuple[int, ...]
    numbers: str
    """Base64 of little-endian bytes."""

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> StoredArray:
        """Keep an array."""
        return cls(array.shape, base64.b64encode(array.astype("<f2").tobytes()).decode())

    def array(self) -> npt.NDArray[np.float32]:
        """The array again. Raises ValueError for numbers that do not fill its shape."""
        rows = np.frombuffer(base64.b64decode(self.numbers), "<f2")
        return rows.reshape(self.shape).astype(np.float32)


def key_for(ctx: RunContext, stage: str, version: int, **inputs: object) -> ArtifactKey:
    """The key of a stage's result: raise `version` whenever the stage's answers change."""
    digest = hashlib.sha256(codec.to_bytes({"version": version, **inputs})).hexdigest()
    return ArtifactKey(ctx.owner, stage, digest)


def sound_of(presentation: Presentation) -> dict[str, object]:
    """What a key says of the chosen audio stream."""
    assert presentation.audio is not None
    return {
        "source": presentation.source.id,
        "audio": presentation.audio.index,
        "origin": presentation.origin,
    }


def load(ctx: RunContext, key: ArtifactKey, kind: type[T]) -> T | None:
    """The stored result; None when absent, damaged or written by something incompatible."""
    content = ctx.artifacts.get(key)
    if content is None:
        return None
    try:
        return codec.from_bytes(content, kind)
    except ValueError:
        ctx.artifacts.delete(key)
        return None


def save(ctx: RunContext, key: ArtifactKey, value: Any) -> None:
    """Store a result."""
    ctx.artifacts.put(key, codec.to_bytes(value))


def staged(
    ctx: RunContext,
    stage: str,
    key: ArtifactKey,
    kind: type[T],
    compute: Callable[[], T],
    *,
    detail: str = "",
    aside: Callable[[], float] = lambda: 0.0,
) -> T:
    """The stage's result, from the store or computed and stored, with its events.

    `aside` are the seconds so far that another stage's work took: they are not this one's.
    """
    began = time.monotonic() - aside()
    ctx.cancel.raise_if_set()
    ctx.reporter.emit(StageStarted(stage, detail))
    result = load(ctx, key, kind)
    cached = result is not None
    if result is None:
        result = compute()
        save(ctx, key, result)
    ctx.reporter.emit(StageFinished(stage, round(time.monotonic() - aside() - began, 3), cached))
    return result


@contextmanager
def stage(ctx: RunContext, name: str, detail: str = "") -> Iterator[None]:
    """Tell when a stage that keeps no artifact starts and ends; `detail` is for people."""
    ctx.cancel.raise_if_set()
    began = time.monotonic()
    ctx.reporter.emit(StageStarted(name, detail))
    yield
    ctx.reporter.emit(StageFinished(name, round(time.monotonic() - began, 3), False))
