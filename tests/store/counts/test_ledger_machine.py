"""Tests of everything that changes a count, in any order, against a model in plain Python."""

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
from edge.core.occupancy import Quality
from edge.store.counts.audit import Attribution
from edge.store.counts.configured_floors import apply_configuration
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.counts.ledger import Ledger
from edge.store.counts.outbox import Outbox
from edge.store.quality.blind_intervals import BlindIntervals
from edge.store.quality.clock_changes import ClockChange, ClockChanges
from edge.store.quality.floor_quality import floor_qualities
from edge.store.reports.occupancy_series import occupancy_over_time
from edge.store.reports.statistics import event_statistics
from edge.store.schema.quality_models import ClockChangeKind
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
class FloorModel:
    """A floor as the model knows it."""

    slots: int
    vehicles: int
    active: bool = True
    deleted: bool = False
    configured: bool = True
    rows: int = 0
    clamps: int = 0
    opening: int = 0
    deltas: int = 0
    blind: bool = False
    crossed: list[tuple[datetime, Direction]] = field(default_factory=list)

    def move(self, to: int) -> None:
        """Set the count; what exceeds the bounds is a clamp."""
        self.vehicles = min(max(to, 0), self.slots)
        self.clamps += self.vehicles != to
        self.deltas += self.vehicles - to


class LedgerMachine(RuleBasedStateMachine):
    """Makes the same changes in the store and in the model."""

    def __init__(self, new_database: Callable[[], AbstractContextManager[Database]]) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.db = self.resources.enter_context(new_database())
        self.models: dict[str, FloorModel] = {}
        self.keys: set[tuple[str, int, Direction]] = set()
        self.clock = BEGINNING + timedelta(days=10)
        self.dark: set[str] = set()

    def teardown(self) -> None:
        self.resources.close()

    def by(self) -> Attribution:
        """An attribution a second later than the last one."""
        self.clock += timedelta(seconds=1)
        return Attribution("anna", self.clock)

    @initialize()
    def create(self) -> None:
        """Create three floors from the configuration."""
        for name, slots, opening in zip(NAMES, (3, 1, 0), (1, 0, 0), strict=True):
            Floors(self.db).create_missing(
                [FloorConfig(name=name, total_slots=slots, opening_vehicles=opening)], BEGINNING
            )
            self.models[name] = FloorModel(slots, opening, opening=opening)

    @rule(floor=FLOOR, number=st.integers(0, 400), way=st.sampled_from(Direction))
    def cross(self, floor: str, number: int, way: Direction) -> None:
        """Record an event; the same key again is the same event."""
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
        recorded = Events(self.db).record(event, self.by().at)
        new = (floor, number, way) not in self.keys
        assert recorded.inserted == new
        if new:
            self.keys.add((floor, number, way))
            model = self.models[floor]
            model.crossed.append((moment, way))
            model.move(model.vehicles + way.delta)

    @rule(floor=FLOOR, count=st.integers(-1, 5))
    def correct(self, floor: str, count: int) -> None:
        """Correct a count; an impossible one is refused."""
        model = self.models[floor]
        if 0 <= count <= model.slots:
            Floors(self.db).correct(floor, count, self.by())
            model.rows += count != model.vehicles
            model.deltas += count - model.vehicles
            model.vehicles = count
            model.blind = False
        else:
            with pytest.raises(RefusedError, match="whole number from 0 to"):
                Floors(self.db).correct(floor, count, self.by())

    @rule(floor=FLOOR, delta=st.integers(-4, 4))
    def change(self, floor: str, delta: int) -> None:
        """Change a count by vehicles that were not counted."""
        Floors(self.db).update_vehicle_count(floor, delta, self.by())
        model = self.models[floor]
        model.rows += delta != 0
        model.deltas += delta
        model.move(model.vehicles + delta)

    @rule(floor=FLOOR, slots=st.integers(0, 4))
    def change_slots(self, floor: str, slots: int) -> None:
        """Change the number of slots."""
        Floors(self.db).update(floor, self.by(), total_slots=slots)
        model = self.models[floor]
        model.slots = slots
        model.move(model.vehicles)

    @rule(floor=FLOOR, active=st.booleans())
    def set_active(self, floor: str, active: bool) -> None:
        """Activate or deactivate a floor."""
        model = self.models[floor]
        if active and model.deleted:
            with pytest.raises(RefusedError, match="restore it first"):
                Floors(self.db).set_active(floor, self.by(), active=True)
        else:
            Floors(self.db).set_active(floor, self.by(), active=active)
            model.active = active

    @rule(floor=FLOOR)
    def delete(self, floor: str) -> None:
        """Delete a floor."""
        Floors(self.db).delete(floor, self.by())
        self.models[floor].deleted = True

    @rule(floor=FLOOR)
    def restore(self, floor: str) -> None:
        """Restore a floor."""
        Floors(self.db).restore(floor, self.by())
        self.models[floor].deleted = False

    @rule(named=st.sets(FLOOR), slots=st.integers(0, 4))
    def configure(self, named: set[str], slots: int) -> None:
        """Apply a configuration that has some of the floors, all with the same number of slots."""
        apply_configuration(self.db, [FloorConfig(name=name, total_slots=slots) for name in sorted(named)], self.by())
        for name, model in self.models.items():
            if name in named:
                model.slots, model.active, model.deleted, model.configured = slots, True, False, True
                model.move(model.vehicles)
            elif model.configured:
                model.active = model.configured = False

    @rule(days=st.integers(1, 12))
    def clean_up(self, days: int) -> None:
        """Remove old events; those in the outbox stay."""
        remove_old_events(self.db, days, self.by(), lambda _: None)
        kept = {(e.floor, int(e.track_id[1:]), e.direction) for e in Events(self.db).newest(10_000)}
        assert {waiting.event_id for waiting in Outbox(self.db).pending(10_000)} <= {
            e.event_id for e in Events(self.db).newest(10_000)
        }
        # An event that was removed is counted again if it is recorded again.
        self.keys = kept

    @rule(share=st.integers(1, 3))
    def acknowledge(self, share: int) -> None:
        """Acknowledge some of the events in the outbox."""
        waiting = Outbox(self.db).pending(1000)
        Outbox(self.db).acknowledge([stored.id for stored in waiting[::share]])

    @rule(floor=FLOOR)
    def go_blind_or_see_again(self, floor: str) -> None:
        """A floor's camera becomes blind, or gives usable frames again."""
        before, after = self.by().at, self.by().at
        if floor in self.dark:
            BlindIntervals(self.db).end(f"cam{floor}", before, after, "dark")
        else:
            BlindIntervals(self.db).begin(f"cam{floor}", before, "dark")
        self.dark ^= {floor}
        self.models[floor].blind = True

    @rule(seconds=st.sampled_from([-1_000_000, -20, 1200]))
    def set_the_clock(self, seconds: int) -> None:
        """The wall clock is set, forward or back; what was recorded keeps its order."""
        listed = [event.id for event in Events(self.db).newest(10_000)]
        step = timedelta(seconds=seconds)
        self.clock += step
        change = ClockChange(ClockChangeKind.STEP, self.clock, "boot", self.clock - BEGINNING, step)
        assert ClockChanges(self.db).record(change) == 0
        assert [event.id for event in Events(self.db).newest(10_000)] == listed
        self.clock = max(self.clock, BEGINNING + timedelta(days=9))

    @rule(floor=FLOOR, count=st.integers(0, 4))
    def change_count_in_sql(self, floor: str, count: int) -> None:
        """Change a count without the ledger, and repair the ledger."""
        model = self.models[floor]
        if count <= model.slots and count != model.vehicles:
            execute_sql(self.db, f"UPDATE floors SET current_vehicles = {count} WHERE name = '{floor}'")
            assert len(verify(self.db)) == 1
            assert len(repair_ledger(self.db, self.by())) == 1
            model.rows += 1
            model.deltas += count - model.vehicles
            model.vehicles = count

    @invariant()
    def check_against_the_model(self) -> None:
        """Floors, ledger, statistics and series are those of the model, and the database verifies."""
        if not self.models:
            return
        assert verify(self.db) == []
        cameras = {name: (f"cam{name}",) for name in NAMES}
        qualities = floor_qualities(self.db, cameras, self.clock)
        assert qualities.keys() == {name for name, model in self.models.items() if not model.deleted}
        for balance in Ledger(self.db).balances():
            model, stored = self.models[balance.name], Floors(self.db).by_name(balance.name)
            assert (stored.total_slots, stored.current_vehicles) == (model.slots, model.vehicles)
            assert (stored.is_active, stored.deleted_at is not None) == (model.active, model.deleted)
            assert stored.is_configured == model.configured
            assert len(Ledger(self.db).adjustments(stored.floor_id, 10_000)) == model.rows + model.clamps
            assert (balance.adjusted, balance.ledger) == (model.deltas, model.vehicles)
            end = BEGINNING + timedelta(days=400)
            summary = event_statistics(self.db, BEGINNING, end, balance.name)
            assert summary.total == len(model.crossed)
            assert summary.net == sum(way.delta for _, way in model.crossed)
            quality = qualities.get(balance.name)
            if quality is not None:
                dark, blind = balance.name in self.dark, model.blind or balance.name in self.dark
                expected = Quality.UNKNOWN if dark else Quality.DEGRADED if blind else Quality.LIVE
                assert quality.quality is expected
            first, *_, last = occupancy_over_time(self.db, balance.name, BEGINNING, end, timedelta(days=1))
            assert (first.vehicles, last.vehicles) == (model.opening, model.vehicles)


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
