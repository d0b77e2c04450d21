"""The floors of the car park and how full they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.core.errors import RefusedError
from edge.core.occupancy import floor_slug, recommended_floor
from edge.store.counts.audit import Audit
from edge.store.counts.ledger import note_adjustment
from edge.store.counts.stored_floor import FLOOR_COLUMNS, OCCUPANCY_COLUMNS, StoredFloor, occupancy, stored_floor
from edge.store.counts.validation import checked_note, checked_number, checked_text, is_text
from edge.store.schema.models import AdjustmentReason, Floor
from edge.store.sql.prepared import Prepared, slot
from edge.store.sql.query import execute, first, rows, write_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.occupancy import Occupancy
    from edge.store.counts.audit import Act

# The handful of rows is chosen from in Python: an index in the order of free places would have to be written with every
# event, and databases differ in how they sort names.
_OPEN = Prepared(
    Floor.select(*OCCUPANCY_COLUMNS).where(Floor.is_active == slot("active"), Floor.deleted_at.is_null()),
    OCCUPANCY_COLUMNS,
)


_NAMED = Floor.select(*FLOOR_COLUMNS).where(Floor.name == slot("name"))
_BY_NAME = Prepared(_NAMED, FLOOR_COLUMNS)
_TAKE = Prepared(_NAMED, FLOOR_COLUMNS, lock=True)


class Floors:
    """The floors of one database. Used in the thread that opened the handle.

    What changes a floor takes an ``Act`` and leaves a line in the audit log, in the same transaction, unless nothing
    changed. A floor is named by its exact name. RefusedError for an unknown floor or an impossible value, with nothing
    changed.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- reading ---------------------------------------------------------------------------------------------------

    def all(self) -> list[Occupancy]:
        """Every floor that is not deleted, in the order in which they were created."""
        query = Floor.select(*OCCUPANCY_COLUMNS).where(Floor.deleted_at.is_null()).order_by(Floor.id)
        return [occupancy(row) for row in rows(self._db, query)]

    def active(self) -> list[Occupancy]:
        """The active ones, in the order in which they were created."""
        return sorted((occupancy(row) for row in _OPEN.rows(self._db, active=True)), key=lambda floor: floor.floor_id)

    def recommended(self) -> Occupancy | None:
        """Where to send the next vehicle: active, not full, most free places, ties by name; None if all are full."""
        found = _OPEN.raw(self._db, active=True)
        most = max((total - current for _, _, _, total, current, *_ in found), default=0)
        # Only those that tie become records: this is asked for with every vehicle that comes.
        best = [_OPEN.python(row) for row in found if row[3] - row[4] == most]
        return recommended_floor([occupancy(row) for row in best])

    def get(self, name: str) -> Occupancy | None:
        """The floor of that name if it is there and not deleted, else None."""
        if not is_text(name):
            return None
        query = Floor.select(*OCCUPANCY_COLUMNS).where(Floor.name == name, Floor.deleted_at.is_null())
        row = first(self._db, query)
        return occupancy(row) if row else None

    def by_id(self, floor_id: int) -> StoredFloor | None:
        """The floor of that id, deleted or not, or None."""
        row = first(self._db, Floor.select(*FLOOR_COLUMNS).where(Floor.id == floor_id))
        return stored_floor(row) if row else None

    def stored(self) -> list[StoredFloor]:
        """Every floor, deleted or not, in the order in which they were created."""
        return [stored_floor(row) for row in rows(self._db, Floor.select(*FLOOR_COLUMNS).order_by(Floor.id))]

    def find(self, name: str) -> StoredFloor:
        """The floor of that name, deleted or not; RefusedError, with the names that there are, if there is none."""
        return self._named(_BY_NAME, name)

    def _named(self, query: Prepared, name: str) -> StoredFloor:
        row = query.first(self._db, name=name) if is_text(name) else None
        if row is None:
            known = ", ".join(repr(floor) for (floor,) in rows(self._db, Floor.select(Floor.name).order_by(Floor.id)))
            shown = name if len(name) <= 80 else f"{name[:77]}..."
            raise RefusedError(f"there is no floor {shown!r} in the database (it has {known or 'none'})")
        return stored_floor(row)

    # -- making ----------------------------------------------------------------------------------------------------

    def ensure(self, floors: Sequence[FloorConfig], now: datetime) -> list[str]:
        """Create those that are missing, with their opening count; the names created.

        A floor that is there stays as it is, whatever the configuration says now. RefusedError for a name that
        cannot be stored; nothing is created then.
        """
        for floor in floors:
            checked_text("the floor's name", floor.name)
        created: list[str] = []
        with write_transaction(self._db):
            known = {name for (name,) in rows(self._db, Floor.select(Floor.name))}
            for floor in floors:
                if floor.name in known:
                    continue
                self._insert(floor.name, floor.total_slots, floor.description, floor.opening_vehicles, now, floor)
                known.add(floor.name)
                created.append(floor.name)
        return created

    def create(
        self,
        name: str,
        total_slots: int,
        act: Act,
        *,
        description: str = "",
        opening_vehicles: int = 0,
        is_active: bool = True,
    ) -> StoredFloor:
        """A new floor. RefusedError for a name, or a topic made of it, that another floor has, deleted or not."""
        checked_text("the floor's name", name)
        checked_note("the description", description)
        checked_number("total_slots", total_slots)
        checked_number("opening_vehicles", opening_vehicles, most=total_slots)
        with write_transaction(self._db):
            self._refuse_taken(name)
            self._insert(name, total_slots, description, opening_vehicles, act.at, is_active=is_active)
            floor = self.find(name)
            Audit(self._db).write(act, "create", f"floor {name}", None, floor.values())
            return floor

    # -- changing --------------------------------------------------------------------------------------------------

    def update(
        self,
        name: str,
        act: Act,
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
            floor = self._take(name)
            if new_name is not None and new_name != name:
                self._refuse_taken(new_name, apart_from=floor.id)
            return self.change(floor, act, "update", values)

    def correct(
        self, name: str, count: int, act: Act, reason: AdjustmentReason = AdjustmentReason.CORRECTION
    ) -> StoredFloor:
        """Set the count to what a person counted, by an adjustment. RefusedError for more than the floor has slots."""
        with write_transaction(self._db):
            floor = self._take(name)
            total, before = floor.occupancy.total_slots, floor.occupancy.current_vehicles
            checked_number(f"the count of floor {floor.name!r}", count, most=total)
            if count != before:
                self._adjust(floor, act, reason, before, count)
            return self.change(floor, act, reason.value, {"current_vehicles": count}, always=True)

    def update_vehicle_count(self, name: str, delta: int, act: Act) -> StoredFloor:
        """So many vehicles came, or went if negative, uncounted. What does not fit is clamped, as with events."""
        checked_number("the change", delta, least=-1_000_000)
        with write_transaction(self._db):
            floor = self._take(name)
            before = floor.occupancy.current_vehicles
            counted = before + delta
            after = min(max(counted, 0), floor.occupancy.total_slots)
            if delta:
                self._adjust(floor, act, AdjustmentReason.CHANGE, before, counted)
            if after != counted:
                clamp = AdjustmentReason.UNDERFLOW if counted < 0 else AdjustmentReason.OVERFLOW
                self._adjust(floor, act, clamp, counted, after)
            return self.change(floor, act, "change", {"current_vehicles": after}, always=bool(delta))

    def set_active(self, name: str, act: Act, *, active: bool) -> StoredFloor:
        """Whether vehicles are sent there. An inactive floor goes on counting."""
        with write_transaction(self._db):
            floor = self._take(name)
            if active and floor.deleted_at is not None:
                raise RefusedError(f"floor {name!r} is deleted; restore it first")
            return self.change(floor, act, "activate" if active else "deactivate", {"is_active": active})

    def delete(self, name: str, act: Act) -> StoredFloor:
        """Hide the floor: no list and no board shows it. All of it stays, and ``restore`` brings it back."""
        with write_transaction(self._db):
            floor = self._take(name)
            return self.change(floor, act, "delete", {"deleted_at": floor.deleted_at or act.at})

    def restore(self, name: str, act: Act) -> StoredFloor:
        """Bring a deleted floor back as it was."""
        with write_transaction(self._db):
            return self.change(self._take(name), act, "restore", {"deleted_at": None})

    def change(
        self, floor: StoredFloor, act: Act, action: str, values: dict[str, object], *, always: bool = False
    ) -> StoredFloor:
        """Write columns that differ, with the audit line; the floor after it. Inside the caller's transaction.

        ``always`` writes the audit line even if nothing differs: somebody looked, and it was right.
        """
        slots = values.get("total_slots")
        count = floor.occupancy.current_vehicles
        if isinstance(slots, int) and slots < count:
            self._adjust(floor, act, AdjustmentReason.OVERFLOW, count, slots, f"{slots} slots left")
            values = {**values, "current_vehicles": slots}
        now = {**floor.values(), "deleted_at": floor.deleted_at}
        changes = {getattr(Floor, key): value for key, value in values.items() if now[key] != value}
        if changes:
            changes |= {Floor.seq: floor.occupancy.seq + 1, Floor.updated_at: act.at}
            execute(self._db, Floor.update(changes).where(Floor.id == floor.id))
        after = self.by_id(floor.id) if changes else floor
        assert after is not None
        if changes or always:
            was, is_now = floor.values(), after.values()
            keys = [key for key in was if was[key] != is_now[key]] or ["current_vehicles"]
            Audit(self._db).write(
                act, action, f"floor {floor.name}", {key: was[key] for key in keys}, {key: is_now[key] for key in keys}
            )
        return after

    # -- with the transaction of the caller ------------------------------------------------------------------------

    def _take(self, name: str) -> StoredFloor:
        """``find``, for a change that depends on what it finds."""
        return self._named(_TAKE, name)

    def _insert(
        self,
        name: str,
        total_slots: int,
        description: str,
        opening: int,
        now: datetime,
        configured: FloorConfig | None = None,
        *,
        is_active: bool = True,
    ) -> None:
        values = {
            Floor.name: name,
            Floor.description: description,
            Floor.total_slots: total_slots,
            Floor.current_vehicles: opening,
            Floor.opening_vehicles: opening,
            Floor.is_active: configured.is_active if configured else is_active,
            Floor.is_configured: configured is not None,
            Floor.seq: 1,
            Floor.created_at: now,
            Floor.updated_at: now,
        }
        execute(self._db, Floor.insert(values))

    def _refuse_taken(self, name: str, apart_from: int | None = None) -> None:
        topic = floor_slug(name)
        if not topic:
            raise RefusedError(f"the name {name!r} has neither letter nor digit; name the floor")
        for floor_id, other, deleted in rows(self._db, Floor.select(Floor.id, Floor.name, Floor.deleted_at)):
            if floor_id != apart_from and floor_slug(other) == topic:
                remedy = "restore that one, or choose another name" if deleted else "choose another name"
                raise RefusedError(f"floor {other!r} has that name, or a name with the same topic, already; {remedy}")

    def _adjust(
        self, floor: StoredFloor, act: Act, reason: AdjustmentReason, before: int, after: int, note: str = ""
    ) -> None:
        note_adjustment(
            self._db,
            floor.id,
            reason,
            before=before,
            after=after,
            at=act.at,
            actor=act.actor,
            note=act.note or note,
        )
