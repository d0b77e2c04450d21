"""Tests of ``smartpark events``, which lists, counts, exports, records and removes events."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_events_are_listed_in_pages_and_ranges(seeded: Any) -> None:
    """The newest is first; --before goes on after an event; floor, camera and time range select."""
    every = seeded.json("events")
    assert len(every) == 15
    assert seeded("events", "--limit", "3").stdout == seeded("events", "list", "--limit", "3").stdout
    first = seeded.json("events", "--limit", "6")
    assert first + seeded.json("events", "--before", str(first[-1]["id"]), "--limit", "9") == every
    assert {event["floor"] for event in seeded.json("events", "--floor", "First Floor")} == {"First Floor"}
    since = every[4]["timestamp"]
    assert seeded.json("events", "--since", since) == every[:5]
    assert seeded.json("events", "--until", since) == every[5:]
    assert seeded.json("events", "--camera", "sample") == every
    assert seeded.json("events", "--camera", "entrance") == []


def test_statistics_count_the_events_of_a_time_range(seeded: Any) -> None:
    """They are counted in all, by type and by hour, for all floors or one of them."""
    found = seeded.json("events", "stats", "--since", "2d")
    assert (found["total"], found["entries"], found["exits"], found["net"]) == (15, 11, 4, 7)
    assert sum(found["by_type"].values()) == sum(h["entries"] + h["exits"] for h in found["by_hour"]) == 15
    assert 0.5 <= found["mean_confidence"] <= 1
    assert found["peak_hour"] in range(24)
    assert seeded.json("events", "stats", "--since", "2d", "--floor", "First Floor")["total"] == 5
    text = seeded("events", "stats", "--since", "2d").stdout
    assert "15: 11 entries, 4 exits, net +7" in text
    empty = seeded.json("events", "stats", "--since", "30d", "--until", "20d")
    assert (empty["total"], empty["mean_confidence"], empty["peak_hour"]) == (0, None, None)


def test_occupancy_ends_with_the_present_count(seeded: Any) -> None:
    """The series has a point a step, and its last one is the present count."""
    series = seeded.json("events", "occupancy", "First Floor", "--since", "2d", "--step", "30m")
    assert len(series) == 97
    assert series[0]["vehicles"] == 0
    assert series[-1]["vehicles"] == seeded.floors()["First Floor"]["current_vehicles"] == 3
    assert "vehicles" in seeded("events", "occupancy", "First Floor").stdout


def test_an_export_has_every_event(seeded: Any, tmp_path: Path) -> None:
    """CSV goes to stdout, JSON Lines to a file, the oldest event first."""
    every = list(reversed(seeded.json("events")))
    table = list(csv.DictReader(io.StringIO(seeded("events", "export").stdout)))
    assert [row["event_id"] for row in table] == [event["event_id"] for event in every]
    file = tmp_path / "out.jsonl"
    printed = seeded("events", "export", "--format", "jsonl", "-o", str(file), "--floor", "First Floor").stderr
    assert f"5 events written to {file}" in printed
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        event for event in every if event["floor"] == "First Floor"
    ]
    seeded("events", "export", "-o", str(tmp_path / "no" / "x.csv"), code=1)


def test_an_event_is_recorded_once(seeded: Any, hours_ago: Callable[[float], str]) -> None:
    """A recorded event has a line in the audit log; recording it again says so and changes nothing."""
    command = ["events", "record", "--floor", "Ground Floor", "--direction", "entry", "--timestamp", hours_ago(1)]
    command += ["--camera", "entrance", "--type", "bus", "--confidence", "0.5"]
    before = seeded.floors()["Ground Floor"]["current_vehicles"]
    first = seeded.json(*command)
    assert first["inserted"] is True
    assert (first["vehicle_type"], first["camera_id"], first["confidence"]) == ("bus", "entrance", 0.5)
    content = seeded.content()
    assert "was there already" in seeded(*command).stdout
    assert seeded.content() == content
    assert seeded.floors()["Ground Floor"]["current_vehicles"] == before + 1
    assert seeded.json("db", "audit")[0]["action"] == "record"


def test_a_clean_up_asks_for_confirmation_and_keeps_the_statistics(
    seeded: Any, hours_ago: Callable[[float], str]
) -> None:
    """Old events are removed after the broker has them, and their statistics stay."""
    old = ["events", "record", "--floor", "Ground Floor", "--direction", "entry", "--timestamp", hours_ago(24 * 40)]
    seeded(*old)
    before = seeded.content()
    seeded("events", "cleanup", "--days", "30", code=1, answer="n\n")
    assert seeded.content() == before
    assert seeded.json("events", "cleanup", "--days", "30", "--yes")["removed"] == 0
    seeded.acknowledge_all()
    statistics = seeded.json("events", "stats", "--since", "60d", "--until", "10d")
    assert seeded.json("events", "cleanup", "--days", "30", "--yes", "--note", "yearly")["removed"] == 1
    again = seeded.json("events", "stats", "--since", "60d", "--until", "10d")
    assert again["total"] == statistics["total"] == 1
    line = seeded.json("db", "audit")[0]
    assert (line["action"], line["actor"], line["note"], line["after"]["removed"]) == ("cleanup", "anna", "yearly", 1)
    seeded("db", "verify")


RECORD = ["events", "record", "--floor", "Ground Floor", "--direction", "entry"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["events", "--floor", "Roof"], 1, "there is no floor 'Roof'"),
        (["events", "--camera", "exit"], 1, "there is no camera 'exit' and no event of it (the configuration has"),
        (["events", "--limit", "0"], 2, "0 is not in the range"),
        (["events", "--before", "999"], 1, "there is no event with the id 999"),
        (["events", "--since", "2026-05-04T12:00"], 2, "has no time zone; add Z for UTC"),
        (["events", "--since", "yesterday"], 2, "'yesterday' is no time; write one as 2026-05-04T12:00:00Z"),
        (["events", "stats", "--since", "1h", "--until", "2h"], 1, "not after its start"),
        (["events", "stats", "--floor", "Roof"], 1, "there is no floor 'Roof'"),
        (["events", "occupancy", "Roof"], 1, "there is no floor 'Roof'"),
        (["events", "occupancy", "Ground Floor", "--step", "0s"], 2, "'0s' is no duration"),
        (["events", "occupancy", "Ground Floor", "--step", "1s", "--since", "9d"], 1, "take a longer step"),
        (["events", "export", "--format", "xml"], 2, "'xml' is not one of"),
        (["events", "export", "--camera", "exit"], 1, "there is no camera 'exit'"),
        (["events", "cleanup", "--days", "-1"], 2, "-1 is not in the range"),
        (["events", "cleanup", "--days", "0", "--yes"], 2, "0 is not in the range"),
        (["events", "cleanup"], 2, "Missing option '--days'"),
        ([*RECORD, "--confidence", "1.2"], 2, "1.2 is not in the range"),
        ([*RECORD, "--confidence", "nan"], 1, "confidence is nan"),
        ([*RECORD, "--timestamp", "2026-05-04T12:00:00"], 2, "has no time zone"),
        ([*RECORD[:-1], "in"], 2, "'in' is not one of 'entry', 'exit'"),
        ([*RECORD, "--camera", "exit"], 1, "there is no camera 'exit'"),
        ([*RECORD, "--track", "x" * 10_000], 1, "track_id has 10000 characters"),
        ([*RECORD, "--type", "tank"], 2, "'tank' is not one of"),
        (["events", "record", "--floor", "Roof", "--direction", "exit"], 1, "there is no floor 'Roof'"),
        (["events", "record", "--floor", "'; DROP TABLE events; --", "--direction", "exit"], 1, "there is no floor"),
    ],
)
def test_bad_input_changes_nothing(seeded: Any, arguments: list[str], code: int, message: str) -> None:
    """The exit code is 1 for a refusal and 2 for wrong usage, with a short message and no traceback."""
    before = seeded.content()
    error = seeded(*arguments, code=code).stderr
    assert message in error
    assert "Traceback" not in error
    assert len(error) < 600
    assert seeded.content() == before
