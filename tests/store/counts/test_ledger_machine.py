"""Everything that moves a count, in any order, against a model in plain Python."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from edge.config.schema import FloorConfig
from edge.core.errors import RefusedError
from edge.core.events import Direction, Event, VehicleType
from edge.store.counts.audit import Attribution
from edge.store.counts.configured_floors import apply_configuration
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.counts.outbox import Outbox
from edge.store.reports.occupancy_series import occupancy_over_time
from edge.store.reports.statistics import event_statistics
from edge.store.sql.query import execute_sql
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.repair import repair_ledger
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from peewee import Database

BEGINNING = datetime(2026, 5, 4, tzinfo=UTC)
NAMES = ("A", "B", "C")
FLOOR = st.sampled_from(NAMES)


@dataclass
class Sheet:
    """A floor as a person with pencil and paper keeps it."""

    slots: int
    vehicles: int
    active: bool = True
    deleted: bool = False
    configured: bool = True
    rows: int = 0
    clamps: int = 0
    opening: int = 0
    deltas: int = 0
    crossed: list[tuple[datetime, Direction]] = field(default_factory=list)

    def move(self, to: int) -> None:
        """The count moves, and what does not fit is a clamp."""
        self.vehicles = min(max(to, 0), self.slots)
        self.clamps += self.vehicles != to
        self.deltas += self.vehicles - to


class LedgerMachine(RuleBasedStateMachine):
    """The store does what the sheets say."""

    def __init__(self, new_database: Callable[[], AbstractContextManager[Database]]) -> None:
        super().__init__()
        self.keeping = ExitStack()
        self.db = self.keeping.enter_context(new_database())
        self.sheets: dict[str, Sheet] = {}
        self.keys: set[tuple[str, int, Direction]] = set()
        self.clock = BEGINNING + timedelta(days=10)

    def teardown(self) -> None:
        self.keeping.close()

    def act(self) -> Attribution:
        """Each is a second later than the last."""
        self.clock += timedelta(seconds=1)
        return Attribution("anna", self.clock)

    @initialize()
    def create(self) -> None:
        """Three floors from the configuration."""
        for name, slots, opening in zip(NAMES, (3, 1, 0), (1, 0, 0), strict=True):
            Floors(self.db).create_missing(
                [FloorConfig(name=name, total_slots=slots, opening_vehicles=opening)], BEGINNING
            )
            self.sheets[name] = Sheet(slots, opening, opening=opening)

    @rule(floor=FLOOR, number=st.integers(0, 400), way=st.sampled_from(Direction))
    def cross(self, floor: str, number: int, way: Direction) -> None:
        """A vehicle crosses; the same key again is the same event."""
        moment = BEGINNING + timedelta(minutes=31 * number)
        event = Event(
            camera_id=f"cam{floor}",
            gate_id="g",
            floor=floor,
            track_id=f"t{number}",
            vehicle_type=VehicleType.CAR,
            direction=way,
            confidence=0.5,
            timestamp=moment,
        )
        recorded = Events(self.db).record(event, self.act().at)
        new = (floor, number, way) not in self.keys
        assert recorded.inserted == new
        if new:
            self.keys.add((floor, number, way))
            sheet = self.sheets[floor]
            sheet.crossed.append((moment, way))
            sheet.move(sheet.vehicles + way.delta)

    @rule(floor=FLOOR, count=st.integers(-1, 5))
    def correct(self, floor: str, count: int) -> None:
        """A person counts; what cannot be is refused."""
        sheet = self.sheets[floor]
        if 0 <= count <= sheet.slots:
            Floors(self.db).correct(floor, count, self.act())
            sheet.rows += count != sheet.vehicles
            sheet.deltas += count - sheet.vehicles
            sheet.vehicles = count
        else:
            with pytest.raises(RefusedError, match="whole number from 0 to"):
                Floors(self.db).correct(floor, count, self.act())

    @rule(floor=FLOOR, delta=st.integers(-4, 4))
    def change(self, floor: str, delta: int) -> None:
        """Some come or go uncounted."""
        Floors(self.db).update_vehicle_count(floor, delta, self.act())
        sheet = self.sheets[floor]
        sheet.rows += delta != 0
        sheet.deltas += delta
        sheet.move(sheet.vehicles + delta)

    @rule(floor=FLOOR, slots=st.integers(0, 4))
    def rebuild(self, floor: str, slots: int) -> None:
        """Slots are built or taken away."""
        Floors(self.db).update(floor, self.act(), total_slots=slots)
        sheet = self.sheets[floor]
        sheet.slots = slots
        sheet.move(sheet.vehicles)

    @rule(floor=FLOOR, active=st.booleans())
    def switch(self, floor: str, active: bool) -> None:
        """A floor is opened or closed."""
        sheet = self.sheets[floor]
        if active and sheet.deleted:
            with pytest.raises(RefusedError, match="restore it first"):
                Floors(self.db).set_active(floor, self.act(), active=True)
        else:
            Floors(self.db).set_active(floor, self.act(), active=active)
            sheet.active = active

    @rule(floor=FLOOR)
    def hide(self, floor: str) -> None:
        """A floor is deleted."""
        Floors(self.db).delete(floor, self.act())
        self.sheets[floor].deleted = True

    @rule(floor=FLOOR)
    def show(self, floor: str) -> None:
        """A floor is restored."""
        Floors(self.db).restore(floor, self.act())
        self.sheets[floor].deleted = False

    @rule(named=st.sets(FLOOR), slots=st.integers(0, 4))
    def configure(self, named: set[str], slots: int) -> None:
        """A configuration with some of the floors, all of one size, is applied."""
        apply_configuration(self.db, [FloorConfig(name=name, total_slots=slots) for name in sorted(named)], self.act())
        for name, sheet in self.sheets.items():
            if name in named:
                sheet.slots, sheet.active, sheet.deleted, sheet.configured = slots, True, False, True
                sheet.move(sheet.vehicles)
            elif sheet.configured:
                sheet.active = sheet.configured = False

    @rule(days=st.integers(1, 12))
    def clean_up(self, days: int) -> None:
        """Old events go; those that the broker has not got stay."""
        remove_old_events(self.db, days, self.act(), lambda _: None)
        kept = {(e.floor, int(e.track_id[1:]), e.direction) for e in Events(self.db).newest(10_000)}
        assert {waiting.event_id for waiting in Outbox(self.db).pending(10_000)} <= {
            e.event_id for e in Events(self.db).newest(10_000)
        }
        # What is gone counts again when it comes again: the sheets know no better either.
        self.keys = kept

    @rule(share=st.integers(1, 3))
    def acknowledge(self, share: int) -> None:
        """The broker takes some of what waits."""
        waiting = Outbox(self.db).pending(1000)
        Outbox(self.db).acknowledge([stored.id for stored in waiting[::share]])

    @rule(floor=FLOOR, count=st.integers(0, 4))
    def tamper(self, floor: str, count: int) -> None:
        """Somebody writes a count past the ledger; a repair makes an adjustment of it."""
        sheet = self.sheets[floor]
        if count <= sheet.slots and count != sheet.vehicles:
            execute_sql(self.db, f"UPDATE floors SET current_vehicles = {count} WHERE name = '{floor}'")
            assert len(verify(self.db)) == 1
            assert len(repair_ledger(self.db, self.act())) == 1
            sheet.rows += 1
            sheet.deltas += count - sheet.vehicles
            sheet.vehicles = count

    @invariant()
    def agrees(self) -> None:
        """Floors, ledger, statistics and series are those of the sheets, and the database agrees with itself."""
        if not self.sheets:
            return
        assert verify(self.db) == []
        for balance in Ledger(self.db).balances():
            sheet, stored = self.sheets[balance.name], Floors(self.db).by_name(balance.name)
            assert (stored.total_slots, stored.current_vehicles) == (sheet.slots, sheet.vehicles)
            assert (stored.is_active, stored.deleted_at is not None) == (sheet.active, sheet.deleted)
            assert stored.is_configured == sheet.configured
            assert len(Ledger(self.db).adjustments(stored.floor_id, 10_000)) == sheet.rows + sheet.clamps
            assert (balance.adjusted, balance.ledger) == (sheet.deltas, sheet.vehicles)
            end = self.clock + timedelta(days=1)
            summary = event_statistics(self.db, BEGINNING, end, balance.name)
            assert summary.total == len(sheet.crossed)
            assert summary.net == sum(way.delta for _, way in sheet.crossed)
            first, *_, last = occupancy_over_time(self.db, balance.name, BEGINNING, end, timedelta(days=1))
            assert (first.vehicles, last.vehicles) == (sheet.opening, sheet.vehicles)


@pytest.mark.parametrize("examples", [6, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_the_store_agrees_with_a_model(
    new_database: Callable[[], AbstractContextManager[Database]], examples: int
) -> None:
    """After any changes in any order, floors, ledger, statistics and series are those of a model in plain Python."""
    run_state_machine_as_test(
        lambda: LedgerMachine(new_database),  # type: ignore[arg-type]  # its docstring allows a function
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
