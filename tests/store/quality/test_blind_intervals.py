"""Tests of the table of blind intervals: begun, ended, taken over by the next run, listed, exported, cleaned up."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.store.quality.blind_intervals import NOT_RUNNING, BlindIntervals
from edge.store.upkeep.cleanup import remove_old_events
from edge.store.upkeep.verify import verify

if TYPE_CHECKING:
    from datetime import datetime

    from peewee import Database

    from edge.store.counts.audit import Attribution

MINUTE = timedelta(minutes=1)


def rows(db: Database) -> list[tuple[str, datetime, datetime | None, str]]:
    """The intervals in the order in which they began."""
    found = reversed(BlindIntervals(db).newest(100))
    return [(item.camera_id, item.began_at, item.ended_at, item.reason) for item in found]


def test_an_interval_lasts_until_it_is_ended(db: Database, now: datetime) -> None:
    """It is open first; a second camera has its own."""
    blind = BlindIntervals(db)
    blind.begin("ramp", now, "no frames")
    blind.begin("street", now + MINUTE, "dark")
    assert [(item.camera_id, item.seconds) for item in blind.open()] == [("ramp", None), ("street", None)]
    blind.end("ramp", now, now + 2 * MINUTE, "no frames")
    assert rows(db) == [
        ("ramp", now, now + 2 * MINUTE, "no frames"),
        ("street", now + MINUTE, None, "dark"),
    ]
    assert [item.seconds for item in blind.newest(5, camera="ramp")] == [120.0]
    assert verify(db) == []


def test_each_change_does_what_is_needed_whatever_is_stored(db: Database, now: datetime) -> None:
    """A beginning ends what is open; an end without a beginning, which was dropped, records the whole interval."""
    blind = BlindIntervals(db)
    blind.begin("ramp", now, "no frames")
    blind.begin("ramp", now + MINUTE, "dark")
    blind.end("ramp", now + MINUTE, now + 2 * MINUTE, "dark")
    blind.end("ramp", now + 3 * MINUTE, now + 4 * MINUTE, "frozen")
    assert rows(db) == [
        ("ramp", now, now + MINUTE, "no frames"),
        ("ramp", now + MINUTE, now + 2 * MINUTE, "dark"),
        ("ramp", now + 3 * MINUTE, now + 4 * MINUTE, "frozen"),
    ]


def test_the_next_run_takes_over_what_was_open(db: Database, now: datetime) -> None:
    """It ends when the last run ended, and from then on each camera is blind because no daemon ran."""
    blind = BlindIntervals(db)
    blind.begin("ramp", now, "no frames")
    blind.begin("removed", now, "no frames")
    found = blind.start_run(["ramp", "street"], now + MINUTE)
    assert [(item.camera_id, item.began_at, item.reason) for item in found] == [
        ("ramp", now + MINUTE, NOT_RUNNING),
        ("street", now + MINUTE, NOT_RUNNING),
    ]
    assert rows(db)[:2] == [
        ("ramp", now, now + MINUTE, "no frames"),
        ("removed", now, now + MINUTE, "no frames"),
    ]


def test_a_run_of_which_no_earlier_one_is_known_leaves_open_what_is_open(db: Database, now: datetime) -> None:
    """Of a new database nothing is blind; of a camera that is not configured any more nothing lasts."""
    blind = BlindIntervals(db)
    assert blind.start_run(["ramp"], None) == []
    blind.begin("ramp", now, "no frames")
    blind.begin("removed", now, "no frames")
    assert [item.camera_id for item in blind.start_run(["ramp"], None)] == ["ramp"]
    assert rows(db)[1] == ("removed", now, now, "no frames")


def test_intervals_are_listed_and_exported_by_camera_and_time(db: Database, now: datetime) -> None:
    """A range has the intervals that touch it; the export has the oldest first."""
    blind = BlindIntervals(db)
    for n in range(4):
        blind.end("ramp", now + 10 * n * MINUTE, now + (10 * n + 5) * MINUTE, f"reason, {n}")
    blind.begin("street", now, "dark")
    since, until = now + 12 * MINUTE, now + 22 * MINUTE
    assert [item.reason for item in blind.newest(9, since=since, until=until)] == ["dark", "reason, 2", "reason, 1"]
    out = io.StringIO()
    assert blind.export(out, camera="ramp", since=since) == 3
    header, first, *_ = out.getvalue().splitlines()
    assert header == "id,camera_id,began_at,ended_at,seconds,reason"
    assert first == '2,ramp,2026-05-04T20:10:00.123456Z,2026-05-04T20:15:00.123456Z,300.0,"reason, 1"'
    out = io.StringIO()
    assert blind.export(out, "jsonl") == 5
    last = json.loads(out.getvalue().splitlines()[-1])
    assert (last["camera_id"], last["ended_at"], last["seconds"]) == ("street", None, None)


def test_old_intervals_go_with_the_events(db: Database, now: datetime, by: Attribution) -> None:
    """Those that last stay, however old they are."""
    blind = BlindIntervals(db)
    old = now - timedelta(days=40)
    blind.end("ramp", old, old + MINUTE, "no frames")
    blind.begin("street", old, "no frames")
    blind.end("ramp", now - MINUTE, now, "no frames")
    remove_old_events(db, 30, by, lambda _: None)
    assert [(camera, began) for camera, began, *_ in rows(db)] == [("street", old), ("ramp", now - MINUTE)]
