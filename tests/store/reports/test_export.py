"""Tests of exports as CSV and JSON Lines, and of the order in which events are read."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import RefusedError
from edge.core.events import ClockState
from edge.store.counts.events import Cursor, Events
from edge.store.counts.floors import Floors
from edge.store.reports import export
from edge.store.reports.export import EXPORT_COLUMNS, event_fields, export_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from peewee import Database

    from edge.config.schema import FloorConfig
    from edge.core.events import Event
    from edge.store.counts.stored_event import StoredEvent


@pytest.fixture(scope="module")
def unusual_events(
    new_database: Callable[[], AbstractContextManager[Database]],
    floors: tuple[FloorConfig, ...],
    make_event: Callable[..., Event],
    now: datetime,
) -> Iterator[Database]:
    """1200 events, many at the same moment, with names that need quoting. Only read."""
    events = [
        make_event(
            n,
            timestamp=now - timedelta(seconds=n // 5),
            gate_id='a,"b";é',
            floor="Roof" if n % 3 else "Ground",
            camera_id=f"cam {n % 2}",
            clock_state=ClockState.SYNCHRONISED,
        )
        for n in range(1200)
    ]
    with new_database() as db:
        Floors(db).create_missing(floors, now)
        Events(db).record_all(events, now)
        yield db


def test_an_export_has_every_event_in_the_order_of_time(unusual_events: Database) -> None:
    """CSV and JSON Lines have the same rows, the oldest first, each field as it is stored."""
    texts = {}
    for form in ("csv", "jsonl"):
        out = io.StringIO()
        assert export_events(unusual_events, out, form) == 1200
        texts[form] = out.getvalue()
    lines = [json.loads(line) for line in texts["jsonl"].splitlines()]
    table = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [{key: str(value) for key, value in line.items()} for line in lines] == table
    assert tuple(lines[0]) == EXPORT_COLUMNS
    assert lines[0]["gate_id"] == 'a,"b";é'
    assert lines[0]["timestamp"].endswith("Z")
    assert datetime.fromisoformat(lines[0]["timestamp"]) == Events(unusual_events).oldest(1)[0].timestamp
    assert [(line["timestamp"], line["id"]) for line in lines] == sorted((x["timestamp"], x["id"]) for x in lines)
    assert lines[0]["clock_state"] == "synchronised"
    assert lines == [event_fields(event) for event in reversed(Events(unusual_events).newest(9999))]


def test_a_stream_has_a_range_a_floor_and_a_camera(unusual_events: Database, now: datetime) -> None:
    """The start is in the range, the end is not."""
    since, until = now - timedelta(seconds=100), now - timedelta(seconds=50)
    got = list(Events(unusual_events).stream(floor="Roof", camera="cam 1", since=since, until=until))
    every = [event for event in Events(unusual_events).newest(9999) if since <= event.timestamp < until]
    assert got == [event for event in reversed(every) if (event.floor, event.camera_id) == ("Roof", "cam 1")]
    assert got[0].timestamp == since
    assert list(Events(unusual_events).stream(floor="Attic")) == []


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_text_is_quoted_as_the_modules_csv_and_json_do(text: str) -> None:
    """Other programs read back any name of a camera, gate, floor or track."""
    row = (1, "id", text, text, 2, text, "car", "entry", 0.5, 0, 0, "unknown", None, -1500000)
    moment = "1970-01-01T00:00:00.000000Z"
    values = (1, "id", text, text, 2, text, text, "car", "entry", 0.5, moment, "unknown", moment, -1.5)
    expected = io.StringIO()
    csv.writer(expected, lineterminator="\n").writerow(values)
    assert export._csv_line(row, {2: text}) == expected.getvalue()
    fields = dict(zip(export.EXPORT_COLUMNS, values, strict=True))
    assert export._json_line(row, {2: text}) == json.dumps(fields, ensure_ascii=False) + "\n"


def test_an_export_takes_little_memory(unusual_events: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many events there are, only a page of them is in memory."""

    def peak(events_in_a_page: int) -> int:
        monkeypatch.setattr("edge.store.counts.events._CHUNK", events_in_a_page)
        with Path("/dev/null").open("w", encoding="utf-8") as out:
            export_events(unusual_events, out)
            tracemalloc.start()
            export_events(unusual_events, out)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    assert peak(100) < peak(1200) / 4


def test_pages_have_each_event_once(unusual_events: Database) -> None:
    """A page begins after the last event of the page before, also among events of the same moment."""
    every = Events(unusual_events).newest(9999, floor="Roof")
    seen: list[StoredEvent] = []
    before = None
    while page := Events(unusual_events).newest(7, floor="Roof", before=before):
        seen += page
        before = Cursor(page[-1].timestamp, page[-1].id)
    assert seen == every
    assert Events(unusual_events).by_id(every[0].id) == every[0]
    with pytest.raises(RefusedError, match="there is no event with the id 1000000000"):
        Events(unusual_events).by_id(10**9)


def test_a_range_of_naive_times_is_refused(unusual_events: Database) -> None:
    """A time without a zone is ambiguous."""
    with pytest.raises(RefusedError, match="no time zone"):
        Events(unusual_events).newest(5, since=datetime(2026, 5, 4))  # noqa: DTZ001
