from __future__ import annotations

import itertools

import pytest

from reelremix.engine.domain.shot import Shot
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.track import Box, Sighting, Talk, Track
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.look import Look
from reelremix.engine.stages.who_speaks import Attributed, attribute

LEFT, RIGHT = 100.0, 800.0


def said(start_s: float, end_s: float, voice: str | None = None, each_s: float = 0.4) -> list[Word]:
    """Words of `each_s`, one after another."""
    count = round((end_s - start_s) / each_s)
    return [
        Word("word", TimeRange.from_seconds(start_s + n * each_s, start_s + (n + 0.9) * each_s),
             0.9, voice)
        for n in range(count)
    ]  # fmt: skip


def face(
    number: int,
    x: float,
    odds: list[tuple[float, float]],
    *,
    shot: int = 0,
    start_s: float = 0.0,
    person: int | None = None,
) -> Track:
    """A face whose mouth says so much, for so many seconds each."""
    values = tuple(value for seconds, value in odds for _ in range(round(seconds * 25)))
    length_s = sum(seconds for seconds, _ in odds)
    sightings = tuple(
        Sighting(Timestamp.from_seconds(start_s + n / 6), Box(x, 100, 160, 160), 0.9)
        for n in range(round(length_s * 6))
    )
    talk = (Talk(Timestamp.from_seconds(start_s), values),) if any(values) else ()
    return Track(number, shot, sightings, person=number if person is None else person, talk=talk)


def looked(*tracks: Track, cuts: tuple[float, ...] = (0.0, 10.0)) -> Look:
    shots = tuple(Shot(TimeRange.from_seconds(a, b)) for a, b in itertools.pairwise(cuts))
    return Look(TimeRange.from_seconds(cuts[0], cuts[-1]), shots, tracks)


def turns(found: Attributed) -> list[tuple[float, float, int | None]]:
    return [(s.range.start_s, s.range.end_s, s.track) for s in found.speaking]


def test_the_moving_mouth_speaks() -> None:
    look = looked(face(0, LEFT, [(10, -3)]), face(1, RIGHT, [(10, 3)]))
    [entry] = attribute(look, said(0, 10)).speaking
    assert entry.track == 1 and entry.confidence > 0.95


def test_a_change_lands_just_before_the_first_word_of_whoever_begins() -> None:
    look = looked(face(0, LEFT, [(5, 3), (5, -3)]), face(1, RIGHT, [(5, -3), (5, 3)]))
    words = [*said(0, 4.4), *said(5.2, 10)]
    assert turns(attribute(look, words)) == [(0, 5.12, 0), (5.12, 10, 1)]


def test_without_a_pause_a_change_lands_on_the_word() -> None:
    look = looked(face(0, LEFT, [(5, 3), (5, -3)]), face(1, RIGHT, [(5, -3), (5, 3)]))
    words = [Word("w", TimeRange.from_seconds(n / 2, (n + 1) / 2)) for n in range(20)]
    assert turns(attribute(look, words))[0][1] == 5.0


def test_nobody_is_switched_to_for_a_syllable() -> None:
    flicker = [(4, 3.0), (0.2, -3.0), (5.8, 3.0)]
    look = looked(face(0, LEFT, flicker), face(1, RIGHT, [(s, -v) for s, v in flicker]))
    assert len(attribute(look, said(0, 10)).speaking) == 1


def test_when_all_mouths_are_still_nobody_in_the_picture_speaks() -> None:
    look = looked(face(0, LEFT, [(10, -4)]), face(1, RIGHT, [(10, -4)]))
    [entry] = attribute(look, said(0, 10)).speaking
    assert entry.track is None


def test_a_voice_is_bound_to_the_face_it_went_with_and_remembered() -> None:
    """In the second shot mouths say nothing; the voice does."""
    look = looked(
        face(0, LEFT, [(10, 3)]),
        face(1, RIGHT, [(10, -3)]),
        face(2, LEFT, [(10, 0.01)], shot=1, start_s=10, person=1),
        face(3, RIGHT, [(10, -0.01)], shot=1, start_s=10, person=0),
        cuts=(0.0, 10.0, 20.0),
    )
    found = attribute(look, [*said(0, 10, "S1"), *said(10, 20, "S1")])
    assert [t.speaker for t in found.tracks] == ["S1", None, None, "S1"]
    assert [(s.track, s.speaker) for s in found.speaking] == [(0, "S1"), (3, "S1")]


def test_a_voice_that_goes_with_two_faces_alike_is_bound_to_neither() -> None:
    look = looked(face(0, LEFT, [(10, 2.0)]), face(1, RIGHT, [(10, 1.8)]))
    assert {t.speaker for t in attribute(look, said(0, 10, "S1")).tracks} == {None}


def test_the_only_face_is_believed_less_when_the_voice_is_anothers() -> None:
    look = looked(
        face(0, LEFT, [(10, 3)]),
        face(1, RIGHT, [(10, -3)]),
        face(2, RIGHT, [(5, 0)], shot=1, start_s=10, person=1),
        face(3, LEFT, [(5, 0)], shot=2, start_s=15, person=0),
        cuts=(0.0, 10.0, 15.0, 20.0),
    )
    speaking = attribute(look, said(0, 20, "S1")).speaking
    assert [s.track for s in speaking] == [0, 2, 3]
    assert speaking[1].confidence < 0.5 < speaking[2].confidence


def test_a_face_that_left_does_not_speak() -> None:
    look = looked(face(0, LEFT, [(4, 3)]), face(1, RIGHT, [(10, -2)]))
    assert turns(attribute(look, said(0, 10)))[-1][2] in (1, None)


@pytest.mark.parametrize("words", [[], said(30, 40)])
def test_without_words_mouths_alone_decide(words: list[Word]) -> None:
    look = looked(face(0, LEFT, [(10, -3)]), face(1, RIGHT, [(10, 3)]))
    assert [s.track for s in attribute(look, words).speaking] == [1]


def test_a_shot_without_faces_has_no_speaker() -> None:
    assert attribute(looked(), said(0, 10)).speaking == ()


def test_a_change_in_the_silence_before_a_cut_stays_in_its_shot() -> None:
    """The next word is said in the next shot."""
    look = looked(
        face(0, LEFT, [(8.5, 3), (1.5, -3)]),
        face(1, RIGHT, [(8.5, -3), (1.5, 3)]),
        face(2, LEFT, [(10, 3)], shot=1, start_s=10),
        face(3, RIGHT, [(10, -3)], shot=1, start_s=10),
        cuts=(0.0, 10.0, 20.0),
    )
    speaking = attribute(look, [*said(0, 8), *said(11.6, 20)]).speaking
    assert all(a.range.end <= b.range.start for a, b in itertools.pairwise(speaking))
    for entry in speaking:
        shot = 0 if entry.track in (0, 1) else 1
        within = look.shots[shot].range
        assert within.start <= entry.range.start and entry.range.end <= within.end
    assert [s.track for s in speaking] == [0, 1, 2]


def test_words_that_overlap_are_heard_in_order() -> None:
    look = looked(face(0, LEFT, [(5, 3), (5, -3)]), face(1, RIGHT, [(5, -3), (5, 3)]))
    words = [Word("w", TimeRange.from_seconds(n / 2, n / 2 + 0.7)) for n in range(19)]
    assert [t for _, _, t in turns(attribute(look, words))] == [0, 1]
