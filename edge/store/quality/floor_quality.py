"""Finds how far the count of each floor can be trusted: by the blind intervals of its cameras since its correction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from edge.core.occupancy import FloorQuality, Quality
from edge.store.quality.blind_intervals import BlindInterval
from edge.store.quality.expected_vehicles import ExpectedVehicles, Span, merged
from edge.store.schema.models import FloorRow
from edge.store.schema.quality_models import BlindRow
from edge.store.sql.query import fetch_rows, read_transaction
from edge.store.sql.times import to_utc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from peewee import Database

# Of the reasons of a degraded floor, the longest are named.
_REASONS_NAMED = 3


class _Counted(NamedTuple):
    """When a person counted a floor, and the last interval that had ended then; None and 0 if nobody did."""

    at: datetime | None
    interval: int


def floor_qualities(
    db: Database,
    cameras: Mapping[str, Sequence[str]],
    now: datetime,
    blind: Sequence[BlindInterval] | None = None,
) -> dict[str, FloorQuality]:
    """The quality of each floor that is not deleted, by its name.

    ``cameras`` has the ids of the cameras with a gate of a floor, by the floor's name; a floor without cameras is live.
    ``blind`` are the intervals that last, as the daemon knows them before they are stored; None: those of the database.
    """
    now = to_utc(now)
    with read_transaction(db):
        columns = (FloorRow.id, FloorRow.name, FloorRow.counted_at, FloorRow.counted_interval)
        floors = fetch_rows(db, FloorRow.select(*columns).where(FloorRow.deleted_at.is_null()))
        intervals = _intervals_since(db, min((int(row[3]) for row in floors), default=0))
        open_here = [interval for interval in intervals if interval.ended_at is None]
        if blind is None:
            blind = open_here
        stored = {interval.camera_id for interval in open_here}
        intervals += [interval for interval in blind if interval.camera_id not in stored]
        reasons = {interval.camera_id: interval.reason for interval in blind}
        expected = ExpectedVehicles(db)
        return {
            name: _quality(expected, floor_id, cameras.get(name, ()), intervals, _Counted(at, int(last)), reasons, now)
            for floor_id, name, at, last in floors
        }


def _intervals_since(db: Database, counted: int) -> list[BlindInterval]:
    """The intervals after the earliest count of a floor, which had ``counted`` as the last interval before it."""
    columns = (BlindRow.id, BlindRow.camera_id, BlindRow.began_at, BlindRow.ended_at, BlindRow.reason)
    query = BlindRow.select(*columns).where(BlindRow.id > counted).order_by(BlindRow.id)
    return [BlindInterval(*row) for row in fetch_rows(db, query)]


def _quality(
    expected: ExpectedVehicles,
    floor_id: int,
    cameras: Sequence[str],
    intervals: Sequence[BlindInterval],
    counted: _Counted,
    blind: Mapping[str, str],
    now: datetime,
) -> FloorQuality:
    spans: dict[str, list[Span]] = {}
    seconds_by_reason: dict[str, float] = {}
    open_since: list[datetime] = []
    for interval in intervals:
        if interval.camera_id not in cameras:
            continue
        if interval.camera_id in blind and interval.ended_at is None:
            open_since.append(interval.began_at)
        span = _span_since(interval, counted, now)
        if span is not None:
            spans.setdefault(interval.camera_id, []).append(span)
            reason = f"camera {interval.camera_id}: {interval.reason}"
            seconds = (span.until - span.since).total_seconds()
            seconds_by_reason[reason] = seconds_by_reason.get(reason, 0.0) + seconds
    blind_here = {camera: blind[camera] for camera in cameras if camera in blind}
    if not spans and not blind_here:
        return FloorQuality()
    every_span = merged([span for part in spans.values() for span in part])
    longest = sorted(seconds_by_reason, key=lambda reason: -seconds_by_reason[reason])[:_REASONS_NAMED]
    return FloorQuality(
        quality=Quality.UNKNOWN if blind_here else Quality.DEGRADED,
        blind_since=min(open_since, default=now) if blind_here else every_span[0].since,
        blind_seconds=sum((span.until - span.since).total_seconds() for span in every_span),
        expected_missed=expected.during(floor_id, cameras, spans),
        reason="; ".join(f"camera {camera}: {why}" for camera, why in blind_here.items()) or "; ".join(longest),
    )


def _span_since(interval: BlindInterval, counted: _Counted, now: datetime) -> Span | None:
    """The part of the interval after the floor was counted; None if there is none.

    The ids decide and not the times, because the clock may have been set: a count gives the intervals that last then
    new ids. The id 0 is that of an interval that is not recorded yet. An interval that ends in the two seconds before a
    count, and is recorded as ended after it, is taken to be after it: better degraded than wrong.
    """
    if 0 < interval.id <= counted.interval:
        return None
    until = now if interval.ended_at is None else interval.ended_at
    since = min(interval.began_at, until)
    # With a clock that was set back since the count, the whole interval is before the count by its times.
    return Span(max(since, counted.at) if counted.at is not None and counted.at < until else since, until)
