from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box
from reelremix.engine.models.active_speaker import CROP_PX, REACH, Crops, Features, LogOdds
from reelremix.engine.models.speech import Speech
from reelremix.engine.stages.mouths import (
    EYES,
    MOUTH,
    FaceReels,
    MouthMotion,
    crop_face,
    tick_after,
    ticks_of,
)

FACE = Box(40, 40, 60, 60)


@dataclass
class Counting:
    """`ActiveSpeaker` whose feature is the brightness of a picture's neighbourhood."""

    batches: list[int] = field(default_factory=list)

    def see(self, crops: Crops) -> Features:
        """The mean of all pictures within reach."""
        self.batches.append(len(crops))
        grey = crops.mean(axis=(1, 2))
        near = [grey[max(0, n - REACH) : n + REACH + 1].mean() for n in range(len(grey))]
        return np.array(near, np.float32)[:, None]

    def judge(self, features: Features, sound: Speech) -> LogOdds:
        """The feature, as long as there is sound for it."""
        assert len(sound) == len(features) * 640
        odds: LogOdds = features[:, 0]
        return odds


def luma(value: int) -> np.typing.NDArray[np.uint8]:
    return np.full((180, 320), value, np.uint8)


def silence(wanted: TimeRange) -> Speech:
    return np.zeros(round(wanted.duration_s * 16_000), np.float32)


def second(start_s: float, end_s: float) -> TimeRange:
    return TimeRange.from_seconds(start_s, end_s)


def test_a_long_reel_is_judged_as_if_it_were_seen_at_once() -> None:
    judge = Counting()
    reels = FaceReels(judge)
    for tick in range(300):
        reels.add(7, tick, luma(tick % 200), FACE)
    [talk] = reels.talks(7, second(0, 12), silence)
    expected = Counting().see(np.stack([crop_face(luma(t % 200), FACE) for t in range(300)]))
    np.testing.assert_allclose(talk.log_odds, expected[:, 0], atol=0.01)
    assert max(judge.batches) < 200


def test_a_gap_makes_two_stretches() -> None:
    reels = FaceReels(Counting())
    for tick in (*range(0, 20), *range(30, 60)):
        reels.add(0, tick, luma(50), FACE)
    found = [(t.start.seconds, len(t.log_odds)) for t in reels.talks(0, second(0, 9), silence)]
    assert found == [(0.0, 20), (1.2, 30)]


def test_only_what_lies_in_the_shot_is_told() -> None:
    reels = FaceReels(Counting())
    for tick in range(100):
        reels.add(0, tick, luma(50), FACE)
    [talk] = reels.talks(0, second(1, 2.5), silence)
    assert (talk.range.start_s, talk.range.end_s) == (1.0, 2.52)


def test_too_little_is_not_judged() -> None:
    reels = FaceReels(Counting())
    for tick in range(4):
        reels.add(0, tick, luma(50), FACE)
    assert list(reels.talks(0, second(0, 1), silence)) == []


def test_a_crop_holds_the_lower_face() -> None:
    picture = luma(0)
    picture[int(FACE.y + 0.7 * FACE.height) - 3 : int(FACE.y + 0.7 * FACE.height) + 3, 60:80] = 255
    crop = crop_face(picture, FACE)
    assert crop.shape == (CROP_PX, CROP_PX)
    assert crop[MOUTH].max() == 255 and crop[EYES].max() == 0


@pytest.mark.parametrize("box", [Box(-30, -30, 60, 60), Box(300, 160, 90, 90), FACE])
def test_a_face_at_the_edge_is_cropped_all_the_same(box: Box) -> None:
    assert crop_face(luma(9), box).shape == (CROP_PX, CROP_PX)


def test_ticks_belong_to_the_picture_that_is_on_screen() -> None:
    third = Timestamp.from_seconds(1 / 30)
    assert [tick_after(Timestamp(0)), tick_after(third)] == [0, 1]
    pictures = [Timestamp.from_seconds(n / 30) for n in range(31)]
    ticks = [t for a, b in itertools.pairwise(pictures) for t in ticks_of(a, b)]
    assert ticks == list(range(25))


def moving(region: tuple[slice, slice], count: int = 100) -> Crops:
    crops = np.full((count, CROP_PX, CROP_PX), 100, np.uint8)
    rows, columns = region
    height = (rows.stop - rows.start) // 2
    crops[::2, rows.start : rows.start + height, columns] = 160
    return crops


def speech(loud: bool) -> Speech:
    noise = np.random.default_rng(0).normal(0, 0.1, 64_000).astype(np.float32)
    noise[:32_000] *= 1.0 if loud else 1e-4
    return noise


def test_a_mouth_that_moves_while_it_is_loud_speaks() -> None:
    judge = MouthMotion()
    odds = judge.judge(judge.see(moving(MOUTH)), speech(loud=True))
    assert odds.shape == (100,) and odds.min() > 0


def test_a_head_that_moves_does_not_speak() -> None:
    judge = MouthMotion()
    face = np.kron(
        np.random.default_rng(0).integers(60, 200, (28, 28)).astype(np.uint8),
        np.ones((4, 4), np.uint8),
    )
    nodding: Crops = np.stack([np.roll(face, n % 2 * 4, axis=0) for n in range(100)])
    assert judge.judge(judge.see(nodding), speech(loud=True)).max() < 0


def test_a_mouth_that_moves_in_silence_does_not_speak() -> None:
    judge = MouthMotion()
    odds = judge.judge(judge.see(moving(MOUTH)), speech(loud=False))
    assert odds[:20].max() < 0 < odds[-20:].min()


def test_a_long_stretch_is_judged_minute_by_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def counted(wanted: TimeRange) -> Speech:
        asked.append(wanted.duration_s)
        return silence(wanted)

    whole = FaceReels(Counting())
    for tick in range(400):
        whole.add(0, tick, luma(tick % 200), FACE)
    [expected] = whole.talks(0, second(0, 16), silence)
    monkeypatch.setattr("reelremix.engine.stages.mouths.AT_ONCE", 100)
    monkeypatch.setattr("reelremix.engine.stages.mouths.AROUND", 25)
    [talk] = whole.talks(0, second(0, 16), counted)
    assert talk == expected and len(asked) == 4 and max(asked) == 6.0
