"""Tests of ``smartpark blind``, which lists and exports the times in which cameras were blind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from edge.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@pytest.fixture
def blind(seeded: Any) -> Any:
    """A shell beside a database with three intervals of two cameras, of which one lasts."""
    with open_store(seeded.path) as store:
        store.blind.end("entrance", BEGAN, BEGAN + timedelta(seconds=90), "the camera gives no frames")
        store.blind.end("ramp", BEGAN, BEGAN + timedelta(hours=1), "too few frames")
        store.blind.begin("entrance", BEGAN + timedelta(days=1), "dark")
    return seeded


def test_the_last_times_are_listed(blind: Any) -> None:
    """The last first, with their length; of a camera and a range if named."""
    assert blind("blind").stdout == blind("blind", "list").stdout
    header, first, *_ = blind("blind").stdout.splitlines()
    assert header.split() == ["camera", "began", "ended", "seconds", "reason"]
    assert first.split() == ["entrance", "2026-05-05T08:00:00.000000Z", "lasts", "dark"]
    rows = blind.json("blind", "list", "--camera", "entrance", "--until", "2026-05-05T00:00:00Z")
    assert [(row["camera_id"], row["seconds"], row["reason"]) for row in rows] == [
        ("entrance", 90.0, "the camera gives no frames")
    ]
    assert len(blind.json("blind", "list", "--since", "2026-05-04T08:30:00Z")) == 2
    assert "there is no camera 'entrence'" in blind("blind", "list", "--camera", "entrence", code=1).stderr


def test_the_times_are_exported(blind: Any, tmp_path: Path) -> None:
    """As CSV and as JSON Lines, the oldest first, to stdout or to a file."""
    lines = blind("blind", "export").stdout.splitlines()
    assert lines[0] == "id,camera_id,began_at,ended_at,seconds,reason"
    assert [line.split(",")[1] for line in lines[1:]] == ["entrance", "ramp", "entrance"]
    file = tmp_path / "blind.jsonl"
    done = blind("blind", "export", "--format", "jsonl", "-o", str(file))
    assert "3 times written" in done.stderr
    assert json.loads(file.read_text().splitlines()[2])["ended_at"] is None
    assert "cannot be written" in blind("blind", "export", "-o", "/nowhere/x.csv", code=1).stderr
