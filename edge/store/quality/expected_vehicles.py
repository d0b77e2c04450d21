"""Estimates how many vehicles crossed a floor's gates while they were blind, from the same hours of earlier weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from peewee import fn

from edge.store.counts.hourly_totals import HOUR, hour_of
from edge.store.schema.models import EventRow, HourRow
from edge.store.schema.quality_models import BlindRow
from edge.store.sql.query import fetch_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peewee import Database

# So many earlier weeks are averaged: enough to even out a holiday, few enough to follow the seasons.
WEEKS = 4
_WEEK = timedelta(weeks=1)
_DECIMALS = 1
# The share of a floor's vehicles that a camera counts is taken from its last events, at most so many.
_EVENTS_FOR_A_SHARE = 2000


class Span(NamedTuple):
    """A time from ``since`` until before ``until``."""

    since: datetime
    until: datetime


def merged(spans: Sequence[Span]) -> list[Span]:
    """The same time as spans that do not touch, in their order."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.since <= result[-1].until:
            result[-1] = Span(result[-1].since, max(result[-1].until, span.until))
        else:
            result.append(span)
    return result


class ExpectedVehicles:
    """The vehicles to be expected on floors."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def during(self, floor_id: int, cameras: Sequence[str], spans: Mapping[str, Sequence[Span]]) -> float | None:
        """Entries and exits that the cameras of a floor are expected to have missed in their spans.

        The mean of the same hours of up to four weeks before, without hours in which the camera was blind, or before
        the floor's first event; hours of the week are those of UTC. None where there is no such hour.
        """
        hours = sorted({hour for part in spans.values() for span in part for hour, _ in _hours_of(span)})
        if not hours:
            return 0.0 if spans else None
        totals, first = self._totals(floor_id, hours)
        if first is None:
            return None
        shares = self._shares(floor_id, cameras)
        blind = self._blind_spans(cameras, hours)
        expected = known = seconds = 0.0
        for camera, part in spans.items():
            for hour, share in (item for span in merged(part) for item in _hours_of(span)):
                seconds += share
                earlier = [week for week in (hour - n * _WEEK for n in range(1, WEEKS + 1)) if week >= first]
                counted = [totals.get(week, 0) for week in earlier if not _touched(blind[camera], week)]
                if counted:
                    known += share
                    expected += share * shares[camera] * sum(counted) / len(counted)
        # What is known stands for what is not: a time that is longer than the statistics.
        return round(expected * seconds / known, _DECIMALS) if known else None

    def _totals(self, floor_id: int, hours: Sequence[datetime]) -> tuple[dict[datetime, int], datetime | None]:
        """The vehicles by the hour, of the hours and the weeks before them, and the floor's first hour."""
        begin, end = hours[0] - WEEKS * _WEEK, hours[-1]
        floor = HourRow.floor == floor_id
        query = HourRow.select(HourRow.hour, HourRow.entries + HourRow.exits)
        rows = fetch_rows(self._db, query.where(floor, HourRow.hour >= begin, HourRow.hour < end))
        [(first,)] = fetch_rows(self._db, HourRow.select(fn.MIN(HourRow.hour)).where(floor))
        return {hour: int(vehicles) for hour, vehicles in rows}, first

    def _shares(self, floor_id: int, cameras: Sequence[str]) -> dict[str, float]:
        """The share of the floor's last events that each camera has; equal shares where there are none."""
        if len(cameras) == 1:
            return {cameras[0]: 1.0}
        last = EventRow.select(EventRow.camera_id).where(EventRow.floor == floor_id)
        last = last.order_by(EventRow.timestamp.desc()).limit(_EVENTS_FOR_A_SHARE)
        names = [name for (name,) in fetch_rows(self._db, last) if name in cameras]
        if not names:
            return dict.fromkeys(cameras, 1 / len(cameras))
        return {camera: names.count(camera) / len(names) for camera in cameras}

    def _blind_spans(self, cameras: Sequence[str], hours: Sequence[datetime]) -> dict[str, list[Span]]:
        """When each camera was blind in the weeks before the hours, also before the floor was counted last."""
        begin, end = hours[0] - WEEKS * _WEEK, hours[-1]
        lasted = BlindRow.ended_at.is_null() | (BlindRow.ended_at > begin)
        query = BlindRow.select(BlindRow.camera_id, BlindRow.began_at, BlindRow.ended_at)
        spans: dict[str, list[Span]] = {camera: [] for camera in cameras}
        for camera, began_at, ended_at in fetch_rows(self._db, query.where(BlindRow.began_at < end, lasted)):
            if camera in spans:
                spans[camera].append(Span(began_at, end if ended_at is None else ended_at))
        return spans


def _touched(spans: Sequence[Span], hour: datetime) -> bool:
    """Whether a part of the hour is in one of the spans."""
    return any(span.since < hour + HOUR and span.until > hour for span in spans)


def _hours_of(span: Span) -> list[tuple[datetime, float]]:
    """The hours that the span touches, each with the share of it that the span takes."""
    result = []
    hour = hour_of(span.since)
    while hour < span.until:
        part = min(span.until, hour + HOUR) - max(span.since, hour)
        result.append((hour, part / HOUR))
        hour += HOUR
    return result
