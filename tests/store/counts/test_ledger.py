"""Tests of the ledger against a model in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.config.schema import FloorConfig
from edge.core.events import Direction, Event, VehicleType
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.outbox import Outbox
from edge.store.sql.query import execute_sql, with_placeholders
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from peewee import Database

BEGINNING = datetime(2026, 5, 4, tzinfo=UTC)
NUMBERS = count()

# A floor is (slots, share of them that is taken at the opening).
FLOORS = st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1)), min_size=1, max_size=3)
# A step is one or two events (floor, direction, key) in one transaction; few keys, so that many come twice.
KEYS = st.integers(0, 12)
CROSSINGS = st.tuples(st.integers(0, 2), st.sampled_from(Direction), KEYS)
STEPS = st.lists(st.lists(CROSSINGS, min_size=1, max_size=2), max_size=30)


@pytest.fixture(scope="module")
def database(new_database: Callable[[], AbstractContextManager[Database]]) -> Iterator[Database]:
    """One database for all examples; each example creates floors of its own."""
    with new_database() as db:
        yield db


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=FLOORS, steps=STEPS)
def test_counts_and_ledger_agree_with_a_model(
    database: Database, shape: list[tuple[int, float]], steps: list[list[tuple[int, Direction, int]]]
) -> None:
    """For any crossings in any order, some of them twice, counts, clamps, events and outbox are those of a model."""
    check_with_model(database, shape, steps)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shape=FLOORS, steps=STEPS)
def test_counts_and_ledger_agree_with_a_model_a_thousand_times(
    database: Database, shape: list[tuple[int, float]], steps: list[list[tuple[int, Direction, int]]]
) -> None:
    """The same with many more examples."""
    check_with_model(database, shape, steps)


def check_with_model(
    database: Database, shape: list[tuple[int, float]], steps: list[list[tuple[int, Direction, int]]]
) -> None:
    """Record the steps on new floors, and compare all that is stored with sums in plain Python."""
    example = next(NUMBERS)
    names = [f"floor {example}.{index}" for index in range(len(shape))]
    slots = [total for total, _ in shape]
    counts = [int(total * share) for total, share in shape]
    Floors(database).create_missing(
        [
            FloorConfig(name=name, total_slots=total, opening_vehicles=opening)
            for name, total, opening in zip(names, slots, counts, strict=True)
        ],
        BEGINNING,
    )
    seen: set[tuple[Direction, int]] = set()
    changes = [1] * len(shape)
    clamps = 0
    events_before, waiting_before = Events(database).count(), Outbox(database).count()
    for step in steps:
        expected, events = [], []
        for choice, direction, key in step:
            index = choice % len(shape)
            events.append(_event(example, names[index], direction, key))
            new = (direction, key) not in seen
            seen.add((direction, key))
            clamped = False
            if new:
                moved = counts[index] + direction.delta
                clamped = not 0 <= moved <= slots[index]
                counts[index] = min(max(moved, 0), slots[index])
                changes[index] += 1
                clamps += clamped
            expected.append((new, clamped))
        results = Events(database).record_all(events, BEGINNING)
        assert [(item.inserted, item.clamp is not None) for item in results] == expected
    floors = [Floors(database).by_name(name) for name in names]
    assert [(floor.current_vehicles, floor.seq) for floor in floors] == list(zip(counts, changes, strict=True))
    assert Events(database).count() - events_before == len(seen)
    assert Outbox(database).count() - waiting_before == len(seen)
    query = "SELECT COUNT(*) FROM adjustments a JOIN floors f ON f.id = a.floor_id WHERE f.name LIKE ?"
    assert execute_sql(database, with_placeholders(database, query), (f"floor {example}.%",)) == [(clamps,)]
    assert verify(database) == []


def _event(example: int, floor: str, direction: Direction, key: int) -> Event:
    return Event(
        camera_id=f"camera-{example}",
        gate_id="gate",
        floor=floor,
        track_id=f"RUN-{key}",
        vehicle_type=VehicleType.CAR,
        direction=direction,
        confidence=0.5,
        timestamp=BEGINNING + timedelta(seconds=key),
    )
