from __future__ import annotations

import pytest

from reelremix.engine.domain.context import ArtifactKey, RunContext
from reelremix.engine.domain.events import StageFinished, StageStarted
from reelremix.engine.domain.transcript import Transcript
from reelremix.engine.stages.artifact import key_for, load, save, staged
from reelremix.errors import Cancelled
from tests.engine.examples import TRANSCRIPT
from tests.fakes import Recorder, run_context


def key(ctx: RunContext, **inputs: object) -> ArtifactKey:
    return key_for(ctx, "transcribe", 1, **inputs)


def test_the_same_inputs_in_any_order_have_one_key() -> None:
    ctx = run_context()
    assert key(ctx, a=1, b=TRANSCRIPT) == key(ctx, b=TRANSCRIPT, a=1)


def test_every_input_version_stage_and_owner_matters() -> None:
    ctx = run_context()
    keys = {
        key(ctx, a=1),
        key(ctx, a=2),
        key(ctx, b=1),
        key_for(ctx, "transcribe", 2, a=1),
        key_for(ctx, "look", 1, a=1),
        key(run_context(owner="ada"), a=1),
    }
    assert len(keys) == 6


def test_what_was_saved_is_loaded() -> None:
    ctx = run_context()
    assert load(ctx, key(ctx), Transcript) is None
    save(ctx, key(ctx), TRANSCRIPT)
    assert load(ctx, key(ctx), Transcript) == TRANSCRIPT


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff"])
def test_what_is_damaged_or_foreign_is_dropped(content: bytes) -> None:
    ctx = run_context()
    ctx.artifacts.put(key(ctx), content)
    assert load(ctx, key(ctx), Transcript) is None
    assert ctx.artifacts.get(key(ctx)) is None


def test_a_stage_computes_once_and_tells_so() -> None:
    ctx = run_context()
    made: list[int] = []

    def compute() -> Transcript:
        made.append(1)
        return TRANSCRIPT

    for _ in range(2):
        found = staged(ctx, "transcribe", key(ctx), Transcript, compute, detail="base")
        assert found == TRANSCRIPT
    assert isinstance(ctx.reporter, Recorder) and made == [1]
    started = [e.detail for e in ctx.reporter.events if isinstance(e, StageStarted)]
    cached = [e.cached for e in ctx.reporter.events if isinstance(e, StageFinished)]
    assert (started, cached) == (["base", "base"], [False, True])


def test_a_cancelled_run_begins_no_stage() -> None:
    ctx = run_context()
    ctx.cancel.set()
    with pytest.raises(Cancelled):
        staged(ctx, "transcribe", key(ctx), Transcript, lambda: TRANSCRIPT)
    assert isinstance(ctx.reporter, Recorder) and ctx.reporter.events == []


def test_a_stage_that_fails_leaves_no_artifact() -> None:
    ctx = run_context()

    def fail() -> Transcript:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        staged(ctx, "transcribe", key(ctx), Transcript, fail)
    assert ctx.artifacts.size_bytes() == 0
