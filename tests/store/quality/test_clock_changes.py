"""Tests of clock changes: what is recorded, how lists keep their order, and how times are corrected once."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.events import CORRECTED_KEY, ClockState, Direction
from edge.store.counts.audit import Audit
from edge.store.counts.events import Cursor, Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChange, ClockChanges
from edge.store.reports.export import export_events
from edge.store.reports.statistics import event_statistics
from edge.store.schema.quality_models import ClockChangeKind
from edge.store.sql.query import execute_sql
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event
    from edge.store.counts.audit import Attribution

START, STEP, SYNCHRONISED = ClockChangeKind.START, ClockChangeKind.STEP, ClockChangeKind.SYNCHRONISED
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
FORTNIGHT = timedelta(days=14)
NONE = timedelta(0)


class Machine:
    """A machine whose wall clock can be set, which records its events and clock changes as the daemon does."""

    def __init__(self, db: Database, make_event: Callable[..., Event], wall: datetime) -> None:
        self.db = db
        self.wall = wall
        self.boot = "boot-1"
        self.offset = timedelta(days=20_000)
        self.state = ClockState.UNSYNCHRONISED
        self.order_from: datetime | None = None
        self._make_event = make_event
        self._number = 0

    def change(self, kind: ClockChangeKind, step: timedelta = NONE) -> int:
        """Record a change; the number of corrected events."""
        if step < NONE:
            self.order_from = max(filter(None, (self.order_from, self.wall)))
        self.wall += step
        self.offset += step
        return ClockChanges(self.db).record(ClockChange(kind, self.wall, self.boot, self.offset, step))

    def count(self, events: int = 1, **fields: object) -> None:
        """Record live events, one each second."""
        for _ in range(events):
            self.wall += SECOND
            self._number += 1
            order_at = self.order_from if self.order_from and self.wall < self.order_from else None
            live = {"timestamp": self.wall, "clock_state": self.state, "order_at": order_at, **fields}
            Events(self.db).record(self._make_event(self._number, **live), self.wall)


@pytest.fixture
def machine(db: Database, make_event: Callable[..., Event], now: datetime) -> Machine:
    """A machine that was not yet synchronised since its boot."""
    return Machine(db, make_event, now)


def numbers(db: Database) -> list[int]:
    """The numbers of the events in the order of the list, the newest first."""
    return [int(event.track_id.partition("-")[2]) for event in Events(db).newest(1000)]


@pytest.mark.parametrize("step", [-FORTNIGHT, HOUR])
def test_a_step_loses_doubles_and_reorders_nothing(machine: Machine, step: timedelta) -> None:
    """List, pages, both ways of reading and the export have the order in which the events were recorded."""
    db = machine.db
    machine.change(START)
    machine.count(5)
    machine.change(STEP, step)
    machine.state = ClockState.STEPPED
    machine.count(5)
    machine.change(STEP, -step)
    machine.count(5)
    expected = list(range(15, 0, -1))
    assert numbers(db) == expected
    assert [change.step for change in ClockChanges(db).newest()] == [-step, step, NONE]
    page: list[int] = []
    before = None
    while found := Events(db).newest(4, before=before, floor="Ground"):
        page += [int(event.track_id[4:]) for event in found]
        before = Cursor(found[-1].listed_at, found[-1].id)
    assert page == expected
    assert [event.id for event in Events(db).stream(camera="ramp")] == expected[::-1]
    out = io.StringIO()
    assert export_events(db, out) == 15
    assert [int(line.partition(",")[0]) for line in out.getvalue().splitlines()[1:]] == expected[::-1]
    since = min(event.timestamp for event in Events(db).newest(10))
    assert [event.id for event in Events(db).newest(100, since=since)] == [
        event.id for event in Events(db).newest(100) if event.timestamp >= since
    ]
    assert Floors(db).by_name("Ground").current_vehicles == 25
    assert verify(db) == []


def test_a_clip_that_is_replayed_stands_where_its_time_is(machine: Machine, make_event: Callable[..., Event]) -> None:
    """Only events of this machine's clock are ordered by their ids after a step."""
    machine.count(3)
    machine.change(STEP, -FORTNIGHT)
    machine.count(2)
    long_ago = machine.wall - FORTNIGHT
    Events(machine.db).record(make_event(99, timestamp=long_ago), machine.wall)
    assert numbers(machine.db) == [5, 4, 3, 2, 1, 99]


def test_the_first_synchronisation_corrects_each_event_by_the_clock_it_was_dated_with(machine: Machine) -> None:
    """Ids, counts and the ledger stay; hours, clamps, list and statistics follow; it is audited, and published again.

    The daemon was started twice in the boot, and the clock was set by hand between them.
    """
    db, true = machine.db, machine.wall
    machine.wall, machine.offset = true - FORTNIGHT, timedelta(days=20_000) - FORTNIGHT
    machine.change(START)
    machine.count(4)
    machine.count(1, floor="Roof", direction=Direction.EXIT)  # of an empty floor: a clamp
    machine.change(STEP, timedelta(days=1))
    machine.state = ClockState.STEPPED
    machine.count(3)
    machine.change(START)
    machine.count(2)
    Outbox(db).acknowledge([1, 2, 3])
    before = {event.id: event for event in Events(db).newest(100)}
    vehicles = Floors(db).by_name("Ground").current_vehicles
    machine.change(STEP, timedelta(days=13))
    assert machine.change(SYNCHRONISED) == 10
    after = {event.id: event for event in Events(db).newest(100)}
    assert [event.event_id for event in after.values()] == [event.event_id for event in before.values()]
    for number in range(1, 11):
        event = after[number]
        assert event.timestamp == true + number * SECOND
        assert event.created_at == true + number * SECOND
        assert event.timestamp - event.correction == before[number].timestamp
        assert (event.clock_state, event.order_at) == (ClockState.SYNCHRONISED, None)
    assert Floors(db).by_name("Ground").current_vehicles == vehicles
    [clamp] = Ledger(db).adjustments()
    assert (clamp.event_id, clamp.at) == (after[5].event_id, after[5].timestamp)
    assert event_statistics(db, true, true + HOUR).total == 10
    assert event_statistics(db, true - FORTNIGHT - HOUR, true - HOUR).total == 0
    assert verify(db) == []
    entries = Audit(db).newest(action="correct times")
    assert sum(int(str((entry.after or {})["events"])) for entry in entries) == 10
    assert [event.id for event in Outbox(db).pending(100)] == list(range(1, 11))
    machine.state = ClockState.SYNCHRONISED
    machine.order_from = None
    machine.count(1)
    assert numbers(db) == list(range(11, 0, -1))


def test_times_are_corrected_once(machine: Machine) -> None:
    """A second synchronisation of the boot changes nothing, nor does that of the next boot."""
    db = machine.db
    machine.change(START)
    machine.count(2)
    machine.change(STEP, HOUR)
    assert machine.change(SYNCHRONISED) == 2
    corrected = Events(db).newest(10)
    machine.change(STEP, HOUR)
    assert machine.change(SYNCHRONISED) == 0
    machine.boot = "boot-2"
    machine.change(START)
    machine.change(STEP, HOUR)
    assert machine.change(SYNCHRONISED) == 0
    assert Events(db).newest(10) == corrected


def test_what_was_dated_rightly_or_by_another_clock_is_not_corrected(
    machine: Machine, make_event: Callable[..., Event]
) -> None:
    """Events of a synchronised clock, of a replay, of an earlier boot, and those from before this version."""
    db = machine.db
    machine.count(1)
    machine.change(START)
    machine.boot = "boot-2"
    machine.change(START)
    machine.state = ClockState.SYNCHRONISED
    machine.count(1)
    machine.state = ClockState.UNKNOWN
    machine.count(1)
    machine.change(STEP, HOUR)
    assert machine.change(SYNCHRONISED) == 0
    assert all(event.correction == NONE for event in Events(db).newest(10))


def test_a_right_clock_needs_no_correction(machine: Machine) -> None:
    """The events become synchronised, and are not published again."""
    db = machine.db
    machine.change(START)
    machine.count(2)
    Outbox(db).acknowledge([1, 2])
    assert machine.change(SYNCHRONISED) == 0
    assert [event.clock_state for event in Events(db).newest(10)] == [ClockState.SYNCHRONISED] * 2
    assert Outbox(db).count() == 0


def test_the_acknowledgement_of_a_wrong_time_does_not_remove_the_corrected_event(machine: Machine) -> None:
    """It may come after the correction; the corrected event has another key."""
    outbox = Outbox(machine.db)
    machine.change(START)
    machine.count(2)
    keys = [event.outbox_key for event in outbox.pending(9)]
    machine.change(STEP, HOUR)
    machine.change(SYNCHRONISED)
    assert outbox.acknowledge(keys) == 0
    corrected = outbox.pending(9)
    assert [event.outbox_key for event in corrected] == [1 + CORRECTED_KEY, 2 + CORRECTED_KEY]
    assert outbox.acknowledge([event.outbox_key for event in corrected[:1]]) == 1
    assert [event.id for event in outbox.pending(9)] == [2]


def test_blind_intervals_keep_their_length_and_are_corrected(machine: Machine) -> None:
    """One that lasts during a step is as long as it was; the end of an earlier boot's run is not corrected."""
    blind, true = BlindIntervals(machine.db), machine.wall
    machine.wall, machine.offset = true - FORTNIGHT, timedelta(days=20_000) - FORTNIGHT
    machine.change(START)
    ended = true - HOUR  # of the boot before, by a clock that was right
    blind.start_run(["ramp", "street"], ended)
    blind.end("street", ended, machine.wall + SECOND, "the daemon was not running")
    blind.begin("street", machine.wall + 2 * SECOND, "dark")
    machine.change(STEP, HOUR)
    [street] = blind.newest(1, camera="street")
    assert street.began_at == machine.wall + 2 * SECOND
    machine.change(STEP, FORTNIGHT - HOUR)
    machine.change(SYNCHRONISED)
    blind.end("street", true + 2 * SECOND, true + 5 * SECOND, "dark")
    assert [(item.camera_id, item.began_at, item.ended_at) for item in reversed(blind.newest(9))] == [
        ("ramp", ended, None),
        ("street", ended, true + SECOND),
        ("street", true + 2 * SECOND, true + 5 * SECOND),
    ]


def test_the_latest_time_is_that_before_a_step_back(machine: Machine) -> None:
    """A new run sorts its events behind it; steps that a synchronisation followed in their boot were corrected."""
    changes = ClockChanges(machine.db)
    machine.change(START)
    machine.change(STEP, HOUR)
    assert changes.latest_time() is None
    latest = machine.wall
    machine.change(STEP, -FORTNIGHT)
    machine.change(STEP, -SECOND)
    assert changes.latest_time() == latest
    machine.change(SYNCHRONISED)
    assert changes.latest_time() is None
    machine.change(STEP, -SECOND)
    assert changes.latest_time() == machine.wall + SECOND


def test_old_changes_go_with_the_events_but_those_of_the_last_boot(machine: Machine, by: Attribution) -> None:
    """By those of the last boot times may still be corrected."""
    db = machine.db
    machine.wall -= timedelta(days=100)
    machine.change(START)
    machine.change(STEP, HOUR)
    machine.boot = "boot-2"
    machine.change(START)
    remove_old_events(db, 30, by, lambda _: None)
    assert [change.boot_id for change in ClockChanges(db).newest()] == ["boot-2"]
    [cleanup] = Audit(db).newest(action="cleanup")
    assert (cleanup.after or {})["clock_changes"] == 2


def test_a_correction_that_fails_changes_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row of the synchronisation is not stored either, so that the correction is tried again."""
    db = machine.db
    machine.change(START)
    machine.count(3)
    machine.change(STEP, HOUR)
    before = Events(db).newest(9)

    def fail(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr("edge.store.quality.time_correction.Audit.write", fail)
        with pytest.raises(RuntimeError):
            machine.change(SYNCHRONISED)
    assert (Events(db).newest(9), verify(db)) == (before, [])
    assert execute_sql(db, "SELECT count(*) FROM clock_changes")[0][0] == 2
    assert machine.change(SYNCHRONISED) == 3
