"""This module reads what a status shows of the database: floors, the outbox, sizes, and the disk that it is on."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING

from edge.core.device_health import FloorHealth, StoredHealth
from edge.core.occupancy import FloorQuality, Occupancy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge.store import BlindInterval, Store

_OCCUPANCY_FIELDS = tuple(field.name for field in fields(Occupancy))


def read_stored_health(
    store: Store,
    path: Path,
    cameras: Mapping[str, Sequence[str]],
    now: datetime,
    blind: Sequence[BlindInterval] | None = None,
    *,
    count_events: bool = False,
) -> StoredHealth:
    """The state of the database file ``path``, which is open as ``store``.

    ``cameras`` and ``blind`` are those of ``Store.floor_qualities``. With ``count_events`` all events are counted,
    which takes long where there are millions. Raises ``StoreError`` and ``OSError``.
    """
    qualities = store.floor_qualities(cameras, now, blind)
    return stored_health(store, path, qualities, now, count_events=count_events)


def stored_health(
    store: Store, path: Path, qualities: Mapping[str, FloorQuality], now: datetime, *, count_events: bool
) -> StoredHealth:
    """The state of the database file with these qualities of its floors, by their names."""
    floors = [
        FloorHealth(
            Occupancy(**{name: getattr(floor, name) for name in _OCCUPANCY_FIELDS}),
            qualities.get(floor.name, FloorQuality()),
        )
        for floor in store.floors.all()
    ]
    oldest, last = store.outbox.pending(1), store.events.newest(1)
    path = path.absolute()
    disk = os.statvfs(path.parent)
    return StoredHealth(
        read_at=now,
        path=os.fsencode(path).decode(errors="replace"),
        schema_version=store.version,
        bytes=_size(path) + _size(path.with_name(path.name + "-wal")),
        disk_bytes=disk.f_blocks * disk.f_frsize,
        disk_free_bytes=disk.f_bavail * disk.f_frsize,
        floors=tuple(floors),
        waiting=store.outbox.count(),
        oldest_at=oldest[0].created_at if oldest else None,
        events=store.events.count() if count_events else None,
        last_event=last[0] if last else None,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
