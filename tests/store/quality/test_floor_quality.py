"""Tests of the quality of floors: live, degraded since a blind interval, unknown during it; and what is expected."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from edge.core.occupancy import FloorQuality, Quality
from edge.store.counts.audit import Attribution
from edge.store.counts.events import Events
from edge.store.counts.floors import Floors
from edge.store.quality.blind_intervals import BlindInterval, BlindIntervals
from edge.store.quality.floor_quality import floor_qualities
from edge.store.schema.models import AdjustmentReason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from peewee import Database

    from edge.core.events import Event

CAMERAS = {"Ground": ("ramp", "street"), "Roof": ("ramp",)}
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


def test_without_blind_intervals_every_floor_is_live(db: Database, now: datetime) -> None:
    """So is a floor that no camera counts."""
    BlindIntervals(db).begin("elsewhere", now, "dark")
    assert floor_qualities(db, CAMERAS, now) == {"Ground": FloorQuality(), "Roof": FloorQuality()}
    assert floor_qualities(db, {}, now)["Roof"].is_known


def test_a_floor_is_unknown_while_a_gate_is_blind_and_degraded_afterwards(db: Database, now: datetime) -> None:
    """Since when and for how long, over all of its cameras together, with the reason."""
    blind = BlindIntervals(db)
    blind.begin("street", now, "dark")
    during = floor_qualities(db, CAMERAS, now + MINUTE)
    assert during["Roof"] == FloorQuality()
    assert during["Ground"] == FloorQuality(Quality.UNKNOWN, now, 60.0, None, "camera street: dark")
    blind.end("street", now, now + 2 * MINUTE, "dark")
    blind.end("ramp", now + MINUTE, now + 4 * MINUTE, "no frames")
    after = floor_qualities(db, CAMERAS, now + HOUR)
    reasons = "camera ramp: no frames; camera street: dark"
    assert after["Ground"] == FloorQuality(Quality.DEGRADED, now, 240.0, None, reasons)
    assert after["Roof"].blind_seconds == 180.0
    assert after["Roof"].quality is Quality.DEGRADED


def test_what_the_daemon_knows_goes_before_what_is_stored(db: Database, now: datetime) -> None:
    """An interval that is not stored yet makes the floor unknown; one whose end is not stored yet, degraded."""
    lasting = [BlindInterval(0, "ramp", now, None, "no frames")]
    assert floor_qualities(db, CAMERAS, now + MINUTE, lasting)["Roof"].blind_since == now
    BlindIntervals(db).begin("ramp", now, "no frames")
    assert floor_qualities(db, CAMERAS, now + MINUTE, [])["Roof"].quality is Quality.DEGRADED
    assert floor_qualities(db, CAMERAS, now + MINUTE, lasting)["Roof"].quality is Quality.UNKNOWN


@pytest.mark.parametrize("reason", [AdjustmentReason.CORRECTION, AdjustmentReason.RESET, AdjustmentReason.REPAIR])
def test_a_count_by_a_person_makes_the_floor_live_again(
    db: Database, now: datetime, by: Attribution, reason: AdjustmentReason
) -> None:
    """Also where the count was right; a count that was only read from a file does not."""
    BlindIntervals(db).end("ramp", now - 2 * HOUR, now - HOUR, "no frames")
    seq = Floors(db).by_name("Roof").seq
    Floors(db).correct("Roof", 0, by, reason)
    quality = floor_qualities(db, CAMERAS, now)["Roof"].quality
    assert quality is (Quality.DEGRADED if reason is AdjustmentReason.REPAIR else Quality.LIVE)
    assert (Floors(db).by_name("Roof").seq > seq) is (quality is Quality.LIVE)
    BlindIntervals(db).begin("ramp", now + HOUR, "no frames")
    assert floor_qualities(db, CAMERAS, now + 2 * HOUR)["Roof"].quality is Quality.UNKNOWN


def test_only_the_blind_time_after_the_count_matters(db: Database, now: datetime, by: Attribution) -> None:
    """Of an interval that lasted when the floor was counted, the rest."""
    blind = BlindIntervals(db)
    blind.begin("ramp", now - HOUR, "no frames")
    Floors(db).correct("Roof", 1, by)
    assert floor_qualities(db, CAMERAS, now + MINUTE)["Roof"].quality is Quality.UNKNOWN
    blind.end("ramp", now - HOUR, now + 3 * MINUTE, "no frames")
    after = floor_qualities(db, CAMERAS, now + HOUR)
    assert (after["Roof"].blind_since, after["Roof"].blind_seconds) == (now, 180.0)
    assert after["Ground"].blind_seconds == 3780.0


def test_an_interval_after_the_count_matters_though_the_clock_was_set_back(
    db: Database, now: datetime, by: Attribution
) -> None:
    """Its time is a fortnight before that of the count."""
    Floors(db).correct("Roof", 1, by)
    back = now - 2 * WEEK
    BlindIntervals(db).end("ramp", back, back + MINUTE, "no frames")
    after = floor_qualities(db, CAMERAS, back + HOUR)["Roof"]
    assert (after.quality, after.blind_since, after.blind_seconds) == (Quality.DEGRADED, back, 60.0)


@pytest.mark.parametrize("step", [-2 * WEEK, -20 * MINUTE, 2 * WEEK])
def test_a_count_divides_the_intervals_whatever_the_clock_does(
    db: Database, now: datetime, by: Attribution, step: timedelta
) -> None:
    """What had ended before the count is over, and the rest of what lasted then is not, though the clock was set."""
    blind = BlindIntervals(db)
    blind.end("street", now - HOUR, now, "dark")
    blind.begin("ramp", now, "no frames")
    Floors(db).correct("Ground", 1, Attribution("anna", now + step))
    Floors(db).correct("Roof", 1, Attribution("anna", now + step))
    counted = floor_qualities(db, {"Ground": ("street",), "Roof": ("ramp",)}, now + step)
    assert (counted["Ground"].quality, counted["Roof"].quality) == (Quality.LIVE, Quality.UNKNOWN)
    assert [(interval.camera_id, interval.began_at) for interval in blind.open()] == [("ramp", now)]
    blind.end("ramp", now, now + 2 * step, "no frames")
    after = floor_qualities(db, {"Ground": ("street",), "Roof": ("ramp",)}, now + 2 * step)
    assert (after["Ground"].quality, after["Roof"].quality) == (Quality.LIVE, Quality.DEGRADED)


def test_expected_are_the_vehicles_of_the_same_hours_of_earlier_weeks(
    db: Database, now: datetime, make_event: Callable[..., Event]
) -> None:
    """The mean of the weeks that were counted, by the share of the hour, and of the camera among the floor's."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    numbers = iter(range(1000))

    def count(week: int, vehicles: int, camera: str = "ramp", floor: str = "Roof") -> None:
        events = [
            make_event(n, camera_id=camera, floor=floor, timestamp=hour - week * WEEK + timedelta(seconds=n))
            for n in (next(numbers) for _ in range(vehicles))
        ]
        Events(db).record_all(events, now)

    blind = BlindIntervals(db)
    blind.end("ramp", hour, hour + 30 * MINUTE, "no frames")
    assert floor_qualities(db, CAMERAS, now)["Roof"].expected_missed is None
    count(3, 12)
    count(1, 24)
    # Three weeks of statistics: 12, 0 and 24 vehicles in the hour, of which a half was blind.
    assert floor_qualities(db, CAMERAS, now)["Roof"].expected_missed == 6.0
    # A week in which the camera was blind in that hour does not count; that minute has its own week before it.
    blind.end("ramp", hour - 2 * WEEK + MINUTE, hour - 2 * WEEK + 2 * MINUTE, "no frames")
    assert floor_qualities(db, {"Roof": ("ramp",)}, now)["Roof"].expected_missed == 9.2
    # Nor does it after a count, from which on that week's interval does not make the floor degraded any more.
    Floors(db).correct("Roof", 0, Attribution("anna", hour))
    blind.end("ramp", hour, hour + 30 * MINUTE, "no frames")
    assert floor_qualities(db, {"Roof": ("ramp",)}, now)["Roof"].expected_missed == 9.0
    # A floor with two cameras, of which one counts a quarter of the vehicles: 5 and 30 in the hour and a half that the
    # statistics know, and as many in the minute that they do not.
    count(1, 10, "ramp", "Ground")
    count(1, 30, "street", "Ground")
    blind.end("street", hour, hour + HOUR, "dark")
    after = floor_qualities(db, {"Ground": ("ramp", "street")}, now)["Ground"]
    assert (after.expected_missed, after.blind_seconds) == (35.4, 3660.0)
