from __future__ import annotations

import dataclasses
import json
from typing import get_args

import pytest

from reelremix.engine.codec import event_from_plain, event_to_plain
from reelremix.engine.domain import events
from reelremix.engine.domain.events import EVENT_TYPES, Event, LoggedEvent, is_fact
from tests.engine.examples import EVENTS

PUBLISHED = (
    "job_started stage_started stage_progress stage_finished candidate_scored clip_planned"
    " clip_rendered clip_failed waiting warning job_queued job_paused job_resumed job_retried"
    " job_dead job_finished job_failed job_cancelled"
)


def test_the_union_is_exactly_what_is_published() -> None:
    assert set(EVENT_TYPES) == set(PUBLISHED.split())


def test_every_event_class_belongs_to_the_union() -> None:
    declared = {c for c in vars(events).values() if isinstance(c, type) and "type" in vars(c)}
    assert declared == set(get_args(Event))


def test_there_is_an_example_of_every_event() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_events_round_trip_through_json(event: Event) -> None:
    logged = LoggedEvent("job", 7, 1_700_000_000.123, event)
    plain = json.loads(json.dumps(event_to_plain(logged)))
    assert event_from_plain(plain) == logged
    assert {"type", "version", "job_id", "seq", "at"} <= plain.keys()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_no_field_of_an_event_hides_the_envelope(event: Event) -> None:
    names = {field.name for field in dataclasses.fields(event)}
    assert not names & {"type", "version", "job_id", "seq", "at"}


def test_unknown_types_and_keys_are_ignored() -> None:
    envelope = {"version": 1, "job_id": "job", "seq": 1, "at": 0.0}
    assert event_from_plain({"type": "clip_danced", **envelope}) is None
    found = event_from_plain({"type": "waiting", "reason": "gpu", "mood": "calm", **envelope})
    assert found is not None and found.event == events.Waiting("gpu")


def test_only_progress_may_be_dropped() -> None:
    assert [event.type for event in EVENTS if not is_fact(event)] == ["stage_progress"]
