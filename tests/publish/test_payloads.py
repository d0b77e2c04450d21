"""The payloads to the byte, and what a reader accepts."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.mqtt_servers import as_stored

from edge.board import messages
from edge.board.messages import EventMessage, FloorMessage, PayloadError, Recommendation, SiteMessage
from edge.core.events import Direction, Event, VehicleType
from edge.core.occupancy import FloorQuality, Occupancy, Quality
from edge.publish import payloads

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
counts = st.integers(0, 10**6)
texts = st.text(st.characters(codec="utf-8"), max_size=30)


@st.composite
def floors(draw):
    """Any floor that the database allows."""
    total = draw(counts)
    return Occupancy(
        draw(counts),
        draw(texts),
        "",
        total,
        draw(st.integers(0, total)),
        draw(st.booleans()),
        draw(moments),
        draw(counts),
    )


def test_a_floors_state_to_the_byte(make_floor):
    """The golden payload: sorted keys, no blanks, UTF-8, numbers as numbers."""
    floor = make_floor(4, "Étage Ⅱ", vehicles=9, total=12, seq=57)
    assert payloads.floor_state(floor, device="pi-1").decode() == (
        '{"as_of":"2026-03-01T08:00:00.250000Z","available_slots":3,"blind_seconds":0.0,"blind_since":null,'
        '"current_vehicles":9,"device":"pi-1","expected_missed":null,"floor_id":4,"is_active":true,"is_full":false,'
        '"name":"Étage Ⅱ","occupancy_percentage":75.0,"quality":"live","seq":57,"total_slots":12}'
    )
    assert payloads.floor_available(floor) == b"3"


def test_the_quality_of_a_floor_is_in_its_state(make_floor):
    """Since when and for how long a gate was blind, and how many vehicles are expected in that time."""
    since = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    quality = FloorQuality(Quality.DEGRADED, since, 90.25, 3.5, "camera ramp: no frames")
    read = FloorMessage.parse(payloads.floor_state(make_floor(1, "Roof"), quality, device="pi-1"))
    assert (read.quality, read.blind_since, read.blind_seconds, read.expected_missed) == ("degraded", since, 90.2, 3.5)


def test_a_floor_that_is_unknown_is_not_recommended(make_floor):
    """Another one is, or none; the site's quality is that of its worst floor."""
    floors = [make_floor(1, "Ground Floor", vehicles=0, total=9), make_floor(2, "Roof", vehicles=0, total=5)]
    unknown, degraded = FloorQuality(Quality.UNKNOWN), FloorQuality(Quality.DEGRADED)

    def read(**qualities: FloorQuality) -> tuple[str | None, str, int]:
        by_name = {"Ground Floor": qualities["ground"], "Roof": qualities["roof"]}
        payload = payloads.site_state(floors, by_name, device="pi-1")
        site = SiteMessage.parse(payload)
        name = site.recommended.name if site.recommended else None
        return name, json.loads(payload)["quality"], site.unknown_floors

    assert read(ground=degraded, roof=FloorQuality()) == ("Ground Floor", "degraded", 0)
    assert read(ground=unknown, roof=degraded) == ("Roof", "unknown", 1)
    assert read(ground=unknown, roof=unknown) == (None, "unknown", 2)


def test_a_sites_state_to_the_byte(make_floor):
    """Sums over the active floors; the floor to go to is the active one with most places."""
    floors = [
        make_floor(1, "Ground Floor", vehicles=10, total=10),
        make_floor(2, "Level 1", vehicles=2, total=8, minutes=5),
        make_floor(3, "Roof", vehicles=0, total=99, active=False, minutes=9),
    ]
    assert payloads.site_state(floors, device="pi-1").decode() == (
        '{"as_of":"2026-03-01T08:05:00.250000Z","available_slots":6,"current_vehicles":12,"device":"pi-1",'
        '"floors":2,"is_full":false,"occupancy_percentage":66.7,"quality":"live",'
        '"recommended":{"available_slots":6,"name":"Level 1","slug":"level-1"},"total_slots":18,"unknown_floors":0}'
    )


def test_a_site_without_an_open_floor_is_full(make_floor):
    """Nothing is recommended, and there is no time."""
    assert payloads.site_state([make_floor(active=False)], device="pi-1").decode() == (
        '{"as_of":null,"available_slots":0,"current_vehicles":0,"device":"pi-1","floors":0,"is_full":true,'
        '"occupancy_percentage":100.0,"quality":"live","recommended":null,"total_slots":0,"unknown_floors":0}'
    )


def test_an_event_to_the_byte(make_event):
    """With the id by which a repetition is recognised, and the floor's number."""
    event = as_stored(make_event(61), 7, floor_id=4)
    golden = (
        '{"camera_id":"ramp","clock_state":"unknown","confidence":0.875,"correction_seconds":0.0,"device":"pi-1",'
        '"direction":"entry",'
        f'"event_id":"{event.event_id}","floor":"Ground Floor","floor_id":4,"gate_id":"in","site":"garage",'
        '"timestamp":"2026-03-01T08:01:01.250000Z","track_id":"run-61","vehicle_type":"car"}'
    )
    assert payloads.event(event, site="garage", device="pi-1").decode() == golden


def test_the_id_of_an_event_never_changes(make_event):
    """Receivers keep these ids, so every version of the program must compute the same."""
    assert str(make_event(61).event_id) == "e07fcfd9-12a1-55f9-9f0b-2034f568838a"


@given(floors())
def test_a_floor_is_read_back_as_it_was_sent(floor):
    """Every field survives, for any floor."""
    read = FloorMessage.parse(payloads.floor_state(floor, device="pi-1"))
    assert (read.floor_id, read.name, read.total_slots) == (floor.floor_id, floor.name, floor.total_slots)
    assert (read.current_vehicles, read.available_slots) == (floor.current_vehicles, floor.available_slots)
    assert (read.occupancy_percentage, read.is_full) == (floor.occupancy_percentage, floor.is_full)
    assert (read.is_active, read.as_of, read.seq, read.device) == (floor.is_active, floor.as_of, floor.seq, "pi-1")


@given(st.lists(floors(), max_size=5))
def test_a_site_is_the_sum_of_its_active_floors(site):
    """The totals hold for any set of floors, and survive the way there and back."""
    read = SiteMessage.parse(payloads.site_state(site, device="pi-1"))
    active = [floor for floor in site if floor.is_active]
    assert read.floors == len(active)
    assert read.total_slots == sum(floor.total_slots for floor in active)
    assert read.available_slots == sum(floor.available_slots for floor in active)
    assert read.is_full == (read.available_slots == 0) == (read.recommended is None)
    if read.recommended is not None:
        assert read.recommended.available_slots == max(floor.available_slots for floor in active)


@given(
    st.builds(
        Event,
        camera_id=texts,
        gate_id=texts,
        floor=texts,
        track_id=texts,
        vehicle_type=st.sampled_from(VehicleType),
        direction=st.sampled_from(Direction),
        confidence=st.floats(0, 1),
        timestamp=moments,
    ),
    counts,
)
def test_an_event_is_read_back_as_it_was_sent(event, floor_id):
    """Every field survives, for any event."""
    read = EventMessage.parse(payloads.event(as_stored(event, 1, floor_id), site="garage", device="pi-1"))
    assert read.event_id == str(event.event_id)
    assert (read.camera_id, read.gate_id, read.floor) == (event.camera_id, event.gate_id, event.floor)
    assert (read.track_id, read.vehicle_type, read.direction) == (event.track_id, event.vehicle_type, event.direction)
    assert (read.confidence, read.timestamp, read.floor_id) == (event.confidence, event.timestamp, floor_id)


def test_an_event_without_the_floors_number_is_read(make_event):
    """A device may leave ``floor_id`` out."""
    fields = json.loads(payloads.event(as_stored(make_event(), 1), site="garage", device="pi-1"))
    del fields["floor_id"]
    assert EventMessage.parse(json.dumps(fields).encode()).floor_id is None


def test_times_are_written_in_utc_with_six_decimals(make_floor):
    """A whole second has its zeros, and another zone's time is converted; a time without a zone is refused."""
    assert payloads.timestamp(datetime(2026, 3, 1, 9, 0, tzinfo=timezone(timedelta(hours=1)))) == (
        "2026-03-01T08:00:00.000000Z"
    )
    with pytest.raises(ValueError, match="time zone"):
        payloads.timestamp(datetime(2026, 3, 1))  # noqa: DTZ001 - what is to be refused


def test_a_confidence_from_numpy_is_a_json_number(make_event):
    """A detector's float32 can be published."""
    event = replace(as_stored(make_event(), 1), confidence=np.float32(0.5))
    assert json.loads(payloads.event(event, site="g", device="d"))["confidence"] == 0.5


def test_unknown_keys_are_ignored(make_floor):
    """A board of today reads a daemon of tomorrow."""
    fields = json.loads(payloads.floor_state(make_floor(), device="pi-1"))
    more = json.dumps({**fields, "colour": "blue", "nested": {"deep": [1, None]}}).encode()
    assert FloorMessage.parse(more) == FloorMessage.parse(payloads.floor_state(make_floor(), device="pi-1"))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
    ],
)
def test_what_is_no_json_object_is_refused(payload):
    """Any such bytes raise the same kind of error."""
    for parse in (FloorMessage.parse, SiteMessage.parse, EventMessage.parse):
        with pytest.raises(PayloadError, match="JSON"):
            parse(payload)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seq", "7"),
        ("seq", 7.5),
        ("seq", True),
        ("seq", None),
        ("total_slots", -1),
        ("available_slots", {"a": 1}),
        ("name", 5),
        ("is_full", "yes"),
        ("is_full", 1),
        ("occupancy_percentage", "70"),
        ("occupancy_percentage", False),
        ("occupancy_percentage", 10**400),
        ("occupancy_percentage", math.nan),
        ("as_of", "yesterday"),
        ("as_of", "2026-03-01T08:00:00"),
        ("as_of", "0001-01-01T00:00:00+23:59"),
        ("as_of", 5),
        ("as_of", "1772000000"),
    ],
)
def test_a_key_of_the_wrong_type_is_named(make_floor, key, value):
    """The error names the key, when it is wrong and when it is missing."""
    fields = json.loads(payloads.floor_state(make_floor(), device="pi-1"))
    with pytest.raises(PayloadError, match=f"^{key}: "):
        FloorMessage.parse(json.dumps({**fields, key: value}).encode())
    del fields[key]
    with pytest.raises(PayloadError, match=f"{key} is missing"):
        FloorMessage.parse(json.dumps(fields).encode())


def test_a_wrong_recommendation_is_refused(make_floor):
    """The keys of a nested object are checked too."""
    fields = json.loads(payloads.site_state([make_floor()], device="pi-1"))
    assert SiteMessage.parse(json.dumps(fields).encode()).recommended == Recommendation(
        name="Ground Floor", slug="ground-floor", available_slots=7
    )
    for wrong, key in (
        ({"name": "x"}, "recommended.slug is missing"),
        ([], "recommended: "),
        ("x", "recommended: "),
        ({"name": "x", "slug": "x", "available_slots": -1}, "recommended.available_slots: .*, not -1"),
    ):
        with pytest.raises(PayloadError, match=key):
            SiteMessage.parse(json.dumps({**fields, "recommended": wrong}).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload):
    """No payload raises anything else."""
    for parse in (FloorMessage.parse, SiteMessage.parse, EventMessage.parse, messages.parse_status):
        with pytest.raises(PayloadError):
            parse(payload + b"\x00")


def test_a_status_is_one_of_two_words():
    """Anything else is refused."""
    assert messages.parse_status(b"online") is True
    assert messages.parse_status(b"offline") is False
    with pytest.raises(PayloadError, match="neither"):
        messages.parse_status(b"Online")
