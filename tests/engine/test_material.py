from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from reelremix.engine.domain.events import Warned
from reelremix.engine.domain.time import Timestamp
from reelremix.engine.material import Frames
from reelremix.engine.pipeline import prepared
from tests.fakes import Recorder, run_context
from tests.media_factory import plain_film


def test_any_thread_may_ask_where_frames_begin(tmp_path: Path) -> None:
    ctx = run_context()
    with prepared(str(plain_film(tmp_path / "talk.mp4", 8, size=(64, 36))), None, ctx) as subject:
        source = {"id": subject.source.id, "frame_rate": "25"}
    moments = [Timestamp.from_seconds(n * 7.9 / 200) for n in range(200)]
    with closing(Frames(source, ctx)) as frames, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(frames.snap, moments[::-1]))[::-1]
    apart = [abs(at.exact - moment.exact) for at, moment in zip(found, moments, strict=True)]
    assert max(apart) <= Fraction(1, 50)  # half a frame
    assert all(at.exact * 25 % 1 == 0 for at in found)


def test_where_the_recording_is_gone_its_rate_tells_and_that_is_told() -> None:
    heard = Recorder()
    with closing(Frames({"id": "ab" * 32, "frame_rate": "25"}, run_context(reporter=heard))) as own:
        assert own.snap(Timestamp.from_seconds(1.01)) == Timestamp.from_seconds(1.0)
        assert own.snap(Timestamp.from_seconds(1.03)) == Timestamp.from_seconds(1.04)
    [warning] = [event for event in heard.events if isinstance(event, Warned)]
    assert "by the frame rate alone" in warning.message
