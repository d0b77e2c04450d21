"""The quality of floors is published: what is unknown at once, without the database, and the rest when it is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.core.occupancy import FloorQuality, Quality
from edge.mqtt.topics import Topics
from edge.publish.floor_topics import FloorTopics
from edge.publish.retained_topics import RetainedTopics

SINCE = datetime(2026, 3, 1, 8, tzinfo=UTC)
UNKNOWN = FloorQuality(Quality.UNKNOWN, SINCE, reason="camera ramp: no frames")
STATE = "smartpark/garage/floor/ground-floor/state"
AVAILABLE = "smartpark/garage/floor/ground-floor/available"
SITE = "smartpark/garage/site/state"


def recommended(listener) -> str | None:
    """The name of the recommended floor; None before the site was received."""
    site = listener.json(SITE)
    return site["recommended"]["name"] if site else None


def test_a_floor_becomes_unknown_without_the_database_and_known_again(broker, publish, listen, make_floor, eventually):
    """The number becomes --, the other floor is recommended; afterwards the number is back, and degraded."""
    degraded = FloorQuality(Quality.DEGRADED, SINCE, 42.0, 1.5, "camera ramp: no frames")
    qualities: dict[str, FloorQuality] = {}
    floors = [make_floor(vehicles=1), make_floor(2, "Roof", vehicles=3)]
    publisher = publish(broker.port, read_floors=lambda: floors, read_qualities=lambda: dict(qualities))
    listener = listen(broker.port)
    eventually(lambda: listener.last(AVAILABLE) == b"9")
    # The topics of a floor and of the site are sent one after the other, so each is waited for.
    eventually(lambda: recommended(listener) == "Ground Floor")

    publisher.floors_unknown({"Ground Floor": UNKNOWN})
    eventually(lambda: listener.last(AVAILABLE) == b"--")
    eventually(lambda: listener.json(SITE)["quality"] == "unknown")
    eventually(lambda: listener.json(STATE)["quality"] == "unknown")
    state = listener.json(STATE)
    assert (state["blind_since"], state["current_vehicles"]) == ("2026-03-01T08:00:00.000000Z", 1)
    assert recommended(listener) == "Roof"
    publisher.floors_changed([make_floor(vehicles=2, seq=2)])
    eventually(lambda: listener.json(STATE)["current_vehicles"] == 2)
    late = listen(broker.port)
    eventually(lambda: late.last(AVAILABLE) == b"--")
    assert listener.payloads(AVAILABLE)[-1] == b"--"

    qualities["Ground Floor"] = degraded
    publisher.floors_unknown({})
    publisher.read_floors_again()
    eventually(lambda: listener.json(STATE)["expected_missed"] == 1.5)
    eventually(lambda: listener.last(AVAILABLE) == b"8")
    assert (listener.json(STATE)["quality"], listener.json(STATE)["blind_seconds"]) == ("degraded", 42.0)
    qualities.clear()
    publisher.read_floors_again()
    eventually(lambda: listener.json(SITE)["quality"] == "live")


class Broker:
    """Retained topics, and what they should say."""

    def __init__(self, unknown_available: str) -> None:
        self.retained = RetainedTopics()
        self.floors = FloorTopics(self.retained, Topics("smartpark", "garage", "pi-1"), unknown_available)
        self.sent: list[tuple[str, bytes]] = []

    def changes(self) -> dict[str, bytes]:
        """What is sent now; it is acknowledged."""
        sent: dict[str, bytes] = {}
        numbers: dict[int, str] = {}

        def publish(topic: str, payload: bytes) -> int:
            sent[topic] = payload
            numbers[len(numbers)] = topic
            return len(numbers) - 1

        self.retained.send(publish)
        for number in numbers:
            self.retained.acknowledge(number)
        return sent


@pytest.mark.parametrize(("unknown_available", "shown"), [("--", b"--"), ("last", b"7")])
def test_the_bare_number_of_an_unknown_floor_is_configured(make_floor, unknown_available, shown):
    """A board that can only show numbers may keep the last; the state says in any case that it is not known."""
    broker = Broker(unknown_available)
    broker.floors.report_unknown({"Ground Floor": UNKNOWN})
    assert broker.changes() == {}
    broker.floors.report([make_floor()], complete=True)
    sent = broker.changes()
    assert sent[AVAILABLE] == shown
    assert b'"quality":"unknown"' in sent[STATE]


def test_nothing_is_sent_twice_and_a_floor_is_never_live_in_between(make_floor):
    """Between the end of the blindness and the next reading of the database the floor is degraded."""
    broker = Broker("--")
    broker.floors.report([make_floor()], complete=True, qualities={})
    broker.changes()
    broker.floors.report_unknown({"Ground Floor": UNKNOWN})
    assert set(broker.changes()) == {STATE, AVAILABLE, SITE}
    broker.floors.report_unknown({"Ground Floor": UNKNOWN})
    broker.floors.report([make_floor()], complete=True, qualities={"Ground Floor": UNKNOWN})
    assert broker.changes() == {}
    broker.floors.report_unknown({})
    sent = broker.changes()
    assert b'"quality":"degraded"' in sent[STATE]
    assert sent[AVAILABLE] == b"7"
    broker.floors.report([make_floor()], complete=True, qualities={})
    assert b'"quality":"live"' in broker.changes()[STATE]
