"""Reads and changes the floors of the car park."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peewee import fn

from edge.core.errors import RefusedError
from edge.core.occupancy import floor_slug, recommended_floor
from edge.store.counts.audit import Attribution, Audit
from edge.store.counts.floor_changes import adjust_count, change_floor, insert_floor
from edge.store.counts.stored_floor import (
    FLOOR_COLUMNS,
    OCCUPANCY_COLUMNS,
    floor_from_row,
    occupancy_from_row,
    unknown_floor,
)
from edge.store.counts.validation import MOST_VEHICLES, checked_note, checked_number, checked_text, is_text
from edge.store.schema.models import AdjustmentReason, FloorRow
from edge.store.schema.quality_models import BlindRow
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.query import execute, fetch_rows, write_transaction
from edge.store.sql.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.occupancy import Occupancy
    from edge.store.counts.stored_floor import StoredFloor

# Few rows, so the fullest is found in Python: an index by free slots would have to be written with every event, and
# databases differ in how they sort names.
_ACTIVE = Prepared(
    FloorRow.select(*OCCUPANCY_COLUMNS).where(FloorRow.is_active == slot("active"), FloorRow.deleted_at.is_null()),
    OCCUPANCY_COLUMNS,
)
_NAMED = FloorRow.select(*FLOOR_COLUMNS).where(FloorRow.name == slot("name"))
_BY_NAME = Prepared(_NAMED, FLOOR_COLUMNS)
_BY_NAME_LOCKED = Prepared(_NAMED, FLOOR_COLUMNS, lock=True)


class Floors:
    """The floors of one database. Used in the thread that opened the handle.

    A method that changes a floor writes an entry of the audit log in the same transaction, unless nothing changed;
    ``by`` says who makes the change, when and why: by default the account that runs the program, now. A floor is named
    by its exact name. RefusedError for an unknown floor or an impossible value, with nothing changed.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- reading ---------------------------------------------------------------------------------------------------

    def all(self, *, deleted: bool = False) -> list[StoredFloor]:
        """Every floor in the order in which they were created; with ``deleted`` also the deleted ones."""
        query = FloorRow.select(*FLOOR_COLUMNS).order_by(FloorRow.id)
        if not deleted:
            query = query.where(FloorRow.deleted_at.is_null())
        return [floor_from_row(row) for row in fetch_rows(self._db, query)]

    def active(self) -> list[Occupancy]:
        """The active floors in the order in which they were created."""
        floors = [occupancy_from_row(row) for row in _ACTIVE.rows(self._db, active=True)]
        return sorted(floors, key=lambda floor: floor.floor_id)

    def recommended(self) -> Occupancy | None:
        """Where to send the next vehicle: active, not full, most free slots, ties by name; None if all are full."""
        rows = _ACTIVE.raw_rows(self._db, active=True)
        most = max((total - current for _, _, _, total, current, *_ in rows), default=0)
        # Only the rows of a tie are converted: this is asked for with every vehicle that comes.
        best = [_ACTIVE.to_python(row) for row in rows if row[3] - row[4] == most]
        return recommended_floor([occupancy_from_row(row) for row in best])

    def by_name(self, name: str) -> StoredFloor:
        """The floor of that name, deleted or not. RefusedError, with the names that there are, if there is none."""
        return self._named(_BY_NAME, name)

    def by_id(self, floor_id: int) -> StoredFloor:
        """The floor of that id, deleted or not. RefusedError if there is none."""
        rows = fetch_rows(self._db, FloorRow.select(*FLOOR_COLUMNS).where(FloorRow.id == floor_id))
        if not rows:
            raise RefusedError(f"there is no floor with the id {floor_id!r}")
        return floor_from_row(rows[0])

    def _named(self, query: Prepared, name: str) -> StoredFloor:
        row = query.first(self._db, name=name) if isinstance(name, str) and is_text(name) else None
        if row is None:
            raise unknown_floor(self._db, name)
        return floor_from_row(row)

    # -- creating --------------------------------------------------------------------------------------------------

    def create_missing(self, floors: Sequence[FloorConfig], now: datetime | None = None) -> list[str]:
        """Create the floors of the configuration that are missing, with their opening count; the names of those.

        A floor that exists stays as it is, also if the configuration differs now. RefusedError for a name that cannot
        be stored; nothing is created then.
        """
        for floor in floors:
            checked_text("the floor's name", floor.name)
        created: list[str] = []
        with write_transaction(self._db):
            known = {name for (name,) in fetch_rows(self._db, FloorRow.select(FloorRow.name))}
            for floor in floors:
                if floor.name not in known:
                    insert_floor(
                        self._db,
                        now or utc_now(),
                        name=floor.name,
                        total_slots=floor.total_slots,
                        description=floor.description,
                        opening_vehicles=floor.opening_vehicles,
                        is_active=floor.is_active,
                        is_configured=True,
                    )
                    known.add(floor.name)
                    created.append(floor.name)
        return created

    def create(
        self,
        name: str,
        total_slots: int,
        by: Attribution | None = None,
        *,
        description: str = "",
        opening_vehicles: int = 0,
        is_active: bool = True,
    ) -> StoredFloor:
        """Create a floor. RefusedError if another floor, deleted or not, has the name, or a name of the same topic."""
        checked_text("the floor's name", name)
        checked_note("the description", description)
        checked_number("total_slots", total_slots)
        checked_number("opening_vehicles", opening_vehicles, most=total_slots)
        by = by or Attribution()
        with write_transaction(self._db):
            self._require_free_name(name)
            insert_floor(
                self._db,
                by.at,
                name=name,
                total_slots=total_slots,
                description=description,
                opening_vehicles=opening_vehicles,
                is_active=is_active,
                is_configured=False,
            )
            created = self.by_name(name)
            Audit(self._db).write(by, "create", f"floor {name}", None, created.audited_values())
            return created

    # -- changing --------------------------------------------------------------------------------------------------

    def update(
        self,
        name: str,
        by: Attribution | None = None,
        *,
        new_name: str | None = None,
        description: str | None = None,
        total_slots: int | None = None,
    ) -> StoredFloor:
        """Change what is given. Slots below the count clamp it, with an adjustment of the reason ``overflow``."""
        values: dict[str, object] = {}
        if new_name is not None:
            values["name"] = checked_text("the floor's name", new_name)
        if description is not None:
            values["description"] = checked_note("the description", description)
        if total_slots is not None:
            values["total_slots"] = checked_number("total_slots", total_slots)
        with write_transaction(self._db):
            floor = self._locked(name)
            if new_name is not None and new_name != name:
                self._require_free_name(new_name, apart_from=floor.floor_id)
            return change_floor(self._db, floor, by or Attribution(), "update", values)

    def correct(
        self,
        name: str,
        count: int,
        by: Attribution | None = None,
        reason: AdjustmentReason = AdjustmentReason.CORRECTION,
    ) -> StoredFloor:
        """Set the count to what a person counted, by an adjustment. RefusedError for more than the floor has slots.

        Blind intervals before it make the floor no longer degraded, unless the count was only read from a file.
        """
        by = by or Attribution()
        with write_transaction(self._db):
            floor = self._locked(name)
            checked_number(f"the count of floor {floor.name!r}", count, most=floor.total_slots)
            if count != floor.current_vehicles:
                adjust_count(self._db, floor, by, reason, floor.current_vehicles, count)
            values: dict[str, object] = {"current_vehicles": count}
            if reason in (AdjustmentReason.CORRECTION, AdjustmentReason.RESET):
                values |= {"counted_at": by.at, "counted_interval": self._number_open_intervals_anew()}
            return change_floor(self._db, floor, by, reason.value, values, always_audit=True)

    def update_vehicle_count(self, name: str, delta: int, by: Attribution | None = None) -> StoredFloor:
        """Add vehicles that came uncounted, or subtract those that left. The result is clamped, as with events."""
        checked_number("the change", delta, least=-MOST_VEHICLES)
        by = by or Attribution()
        with write_transaction(self._db):
            floor = self._locked(name)
            counted = floor.current_vehicles + delta
            after = min(max(counted, 0), floor.total_slots)
            if delta:
                adjust_count(self._db, floor, by, AdjustmentReason.CHANGE, floor.current_vehicles, counted)
            if after != counted:
                clamp = AdjustmentReason.UNDERFLOW if counted < 0 else AdjustmentReason.OVERFLOW
                adjust_count(self._db, floor, by, clamp, counted, after)
            values: dict[str, object] = {"current_vehicles": after}
            return change_floor(self._db, floor, by, "change", values, always_audit=bool(delta))

    def set_active(self, name: str, by: Attribution | None = None, *, active: bool) -> StoredFloor:
        """Set whether the floor is ever recommended. Events of an inactive floor are counted too."""
        with write_transaction(self._db):
            floor = self._locked(name)
            if active and floor.deleted_at is not None:
                raise RefusedError(f"floor {name!r} is deleted; restore it first")
            action = "activate" if active else "deactivate"
            return change_floor(self._db, floor, by or Attribution(), action, {"is_active": active})

    def delete(self, name: str, by: Attribution | None = None) -> StoredFloor:
        """Hide the floor: no list and no board shows it. Everything of it stays stored, and ``restore`` undoes it."""
        by = by or Attribution()
        with write_transaction(self._db):
            floor = self._locked(name)
            return change_floor(self._db, floor, by, "delete", {"deleted_at": floor.deleted_at or by.at})

    def restore(self, name: str, by: Attribution | None = None) -> StoredFloor:
        """Bring a deleted floor back as it was."""
        with write_transaction(self._db):
            return change_floor(self._db, self._locked(name), by or Attribution(), "restore", {"deleted_at": None})

    # -- inside the transaction of the caller ----------------------------------------------------------------------

    def _number_open_intervals_anew(self) -> int:
        """Give the blind intervals that last new ids, above the highest id so far, which is returned.

        So a count divides the intervals by their ids into those that had ended and those that are after it, whatever
        the wall clock does in between.
        """
        [(last,)] = fetch_rows(self._db, BlindRow.select(fn.MAX(BlindRow.id)))
        columns = (BlindRow.camera_id, BlindRow.began_at, BlindRow.reason, BlindRow.began_clock)
        lasting = BlindRow.select(BlindRow.id, *columns).where(BlindRow.ended_at.is_null()).order_by(BlindRow.id)
        for row_id, *values in fetch_rows(self._db, lasting):
            execute(self._db, BlindRow.delete().where(BlindRow.id == row_id))
            execute(self._db, BlindRow.insert(dict(zip(columns, values, strict=True))))
        return int(last or 0)

    def _locked(self, name: str) -> StoredFloor:
        """``by_name``, for a change that depends on the values that are read."""
        return self._named(_BY_NAME_LOCKED, name)

    def _require_free_name(self, name: str, apart_from: int | None = None) -> None:
        topic = floor_slug(name)
        if not topic:
            raise RefusedError(f"the name {name!r} has neither letter nor digit; choose a name that has one")
        for floor in self.all(deleted=True):
            if floor.floor_id != apart_from and floor.slug == topic:
                remedy = "restore that floor, or choose another name" if floor.deleted_at else "choose another name"
                raise RefusedError(
                    f"floor {floor.name!r} has that name, or a name with the same topic, already; {remedy}"
                )
