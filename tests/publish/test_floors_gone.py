"""A deleted floor is removed from the broker, and does not come back by itself."""

from __future__ import annotations

import json

STATE = "smartpark/garage/floor/{}/state"
AVAILABLE = "smartpark/garage/floor/{}/available"
SITE = "smartpark/garage/site/state"


def test_a_deleted_floor_is_removed_without_a_new_connection(broker, publish, listen, make_floor, eventually):
    """The publisher reads the floors again and clears the topics; a later board does not see the floor."""
    floors = [make_floor(), make_floor(2, "Roof")]
    publisher = publish(broker.port, read_floors=lambda: list(floors))
    listener = listen(broker.port)
    eventually(lambda: listener.json(SITE).get("floors") == 2 and listener.last(AVAILABLE.format("roof")))
    del floors[1]
    publisher.read_floors_again()
    eventually(lambda: listener.json(SITE)["floors"] == 1)
    eventually(lambda: listener.last(STATE.format("roof")) == listener.last(AVAILABLE.format("roof")) == b"")
    late = listen(broker.port)
    eventually(lambda: late.last(SITE))
    assert not late.payloads("smartpark/garage/floor/roof")
    assert publisher.statistics.reconnects == 0


def test_an_event_of_a_deleted_floor_does_not_bring_it_back(broker, publish, listen, make_floor, eventually):
    """A camera may still see vehicles there: such a report has all floors read again, and only those are published."""
    floors = [make_floor()]
    reads = []

    def read():
        reads.append(len(floors))
        return list(floors)

    publisher = publish(broker.port, read_floors=read)
    listener = listen(broker.port)
    eventually(lambda: listener.json(SITE).get("floors") == 1)
    before = len(reads)
    publisher.floors_changed([make_floor(2, "Roof", seq=9), make_floor(vehicles=4, seq=2)])
    eventually(lambda: len(reads) > before)
    eventually(lambda: listener.json(SITE)["current_vehicles"] == 4)
    assert listener.json(SITE)["floors"] == 1
    floors.append(make_floor(2, "Roof", seq=10))
    publisher.floors_changed([make_floor(2, "Roof", seq=10)])
    eventually(lambda: json.loads(listener.last(STATE.format("roof")) or b"{}").get("seq") == 10)
