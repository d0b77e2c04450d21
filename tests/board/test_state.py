"""The state of a board: what is known to be true after any messages in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from support.boards import TOPICS, apply_floor, apply_status, floor, online
from support.mqtt_servers import as_stored

from edge.board.state import BoardState
from edge.core.occupancy import FloorQuality, Quality
from edge.publish import payloads


def available(state):
    """What each row shows as free."""
    return {row.name: row.available for row in state.rows()}


def test_a_floor_of_an_online_device_is_shown():
    """The normal case, and the whole row of it."""
    state = online()
    assert apply_floor(state, floor(vehicles=10))
    (row,) = state.rows()
    assert (row.name, row.available, row.total, row.vehicles, row.percentage) == ("Ground Floor", 0, 10, 10, 100.0)
    assert row.is_full


def test_a_floor_whose_devices_status_is_unknown_shows_no_number():
    """A floor's retained state outlives its device, so it counts only while the device is online."""
    state = BoardState(TOPICS)
    assert apply_floor(state, floor())
    assert available(state) == {"Ground Floor": None}
    apply_status(state, b"online")
    assert available(state) == {"Ground Floor": 7}


def test_a_floor_whose_device_went_offline_is_not_known():
    """Only the floors of that device, and they come back with it."""
    state = online()
    apply_status(state, b"online", "pi-2")
    apply_floor(state, floor())
    apply_floor(state, floor(name="Roof", floor_id=2), "pi-2")
    apply_status(state, b"offline", "pi-2")
    assert available(state) == {"Ground Floor": 7, "Roof": None}
    assert not state.rows()[1].is_full
    apply_status(state, b"online", "pi-2")
    assert available(state) == {"Ground Floor": 7, "Roof": 7}
    assert state.devices() == {"pi-1": True, "pi-2": True}


def test_expected_floors_are_shown_before_their_first_message():
    """And first, in the order that was given."""
    state = BoardState(TOPICS, ["Roof", "Ground Floor"])
    apply_status(state, b"online")
    assert available(state) == {"Roof": None, "Ground Floor": None}
    apply_floor(state, floor(name="Cellar", floor_id=1))
    apply_floor(state, floor())
    assert [row.name for row in state.rows()] == ["Roof", "Ground Floor", "Cellar"]
    assert available(state) == {"Roof": None, "Ground Floor": 7, "Cellar": 7}


def test_an_older_state_is_ignored():
    """A lower seq with an earlier time, and a repetition."""
    state = online()
    apply_floor(state, floor(seq=5, vehicles=5, minutes=5))
    assert not apply_floor(state, floor(seq=4, vehicles=4, minutes=4))
    assert not apply_floor(state, floor(seq=5, vehicles=5, minutes=5))
    assert available(state) == {"Ground Floor": 5}


def test_the_state_of_a_restored_database_is_shown():
    """A lower seq with a later time comes from a backup, and is what the device now knows."""
    state = online()
    apply_floor(state, floor(seq=500, vehicles=5, minutes=5))
    assert apply_floor(state, floor(seq=3, vehicles=1, minutes=9))
    assert available(state) == {"Ground Floor": 9}


def test_a_clock_that_was_put_back_does_not_stop_the_board():
    """A higher seq with an earlier time is newer all the same."""
    state = online()
    apply_floor(state, floor(seq=5, vehicles=5, minutes=50))
    assert apply_floor(state, floor(seq=6, vehicles=6, minutes=1))
    assert available(state) == {"Ground Floor": 4}


def test_a_device_takes_over_a_floor_once_the_old_device_is_offline():
    """Even with the same count, as after a change of the device's name."""
    state = online()
    apply_floor(state, floor(seq=5))
    apply_status(state, b"online", "pi-new")
    assert not apply_floor(state, floor(seq=5), "pi-new")
    apply_status(state, b"offline")
    assert available(state) == {"Ground Floor": None}
    assert apply_floor(state, floor(seq=5), "pi-new")
    assert available(state) == {"Ground Floor": 7}


def test_a_floor_that_was_removed_from_the_broker_is_not_shown():
    """An empty retained message removes the floor; one that is expected stays, unknown."""
    state = BoardState(TOPICS, ["Roof"])
    apply_status(state, b"online")
    apply_floor(state, floor())
    apply_floor(state, floor(name="Roof", floor_id=2))
    assert state.apply(TOPICS.floor_state("ground-floor"), b"")
    assert state.apply(TOPICS.floor_state("roof"), b"")
    assert not state.apply(TOPICS.floor_state("roof"), b"")
    assert available(state) == {"Roof": None}


def test_the_recommended_floor_is_known_while_its_device_is_online():
    """The totals and the recommendation of an offline device are not shown."""
    state = online()
    assert state.recommended() is None
    assert state.apply(TOPICS.site_state, payloads.site_state([floor()], device="pi-1"))
    assert state.recommended().name == "Ground Floor"
    assert state.site().available_slots == 7
    apply_status(state, b"offline")
    assert state.recommended() is None
    assert state.site() is None


def test_an_event_counts_once(make_event):
    """A second delivery is recognised by its id, also after other events."""
    state = online()
    first = payloads.event(as_stored(make_event(1), 1), site="garage", device="pi-1")
    second = payloads.event(as_stored(make_event(2), 2), site="garage", device="pi-1")
    topic = TOPICS.event("ramp")
    assert [state.apply(topic, payload) for payload in (first, second, first)] == [True, True, False]
    assert [event.track_id for event in state.events()] == ["run-1", "run-2"]


def test_the_events_of_a_board_do_not_grow_without_bound(make_event):
    """The last twenty are shown, and a thousand ids are remembered."""
    state = online()
    for number in range(1200):
        payload = payloads.event(as_stored(make_event(number), number), site="garage", device="pi-1")
        state.apply(TOPICS.event("ramp"), payload)
    assert len(state.events()) == 20
    assert len(state._event_ids) == 1000


def test_an_invalid_message_is_counted_and_changes_nothing():
    """The last valid state stays on the board."""
    state = online()
    apply_floor(state, floor())
    assert not state.apply(TOPICS.floor_state("ground-floor"), b'{"seq": 9')
    assert not state.apply(TOPICS.site_state, b"[]")
    assert not apply_status(state, b"perhaps")
    assert state.invalid_messages == 3
    assert "device/pi-1/status" in state.last_error
    assert available(state) == {"Ground Floor": 7}


@given(st.data())
def test_the_order_of_a_floors_messages_does_not_matter(data):
    """Where seq and time grow together, any order and any repetition ends at the newest."""
    history = [floor(seq=seq, vehicles=seq % 11, minutes=seq) for seq in range(1, data.draw(st.integers(1, 8)) + 1)]
    shuffled = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=4))))
    state = online()
    for message in shuffled:
        apply_floor(state, message)
    assert available(state) == {"Ground Floor": history[-1].available_slots}
    assert state.rows()[0].vehicles == history[-1].current_vehicles


@given(st.permutations(["status", "site", "a", "b"]))
def test_the_order_of_different_topics_does_not_matter(order):
    """A broker sends retained messages in an order of its own."""
    messages = {
        "status": ("smartpark/garage/device/pi-1/status", b"online"),
        "site": (TOPICS.site_state, payloads.site_state([floor(), floor(name="B", floor_id=2)], device="pi-1")),
        "a": (TOPICS.floor_state("ground-floor"), payloads.floor_state(floor(), device="pi-1")),
        "b": (TOPICS.floor_state("b"), payloads.floor_state(floor(name="B", floor_id=2), device="pi-1")),
    }
    state = BoardState(TOPICS)
    for name in order:
        assert state.apply(*messages[name])
    assert available(state) == {"Ground Floor": 7, "B": 7}
    assert state.recommended().name == "B"


@given(st.lists(st.tuples(st.sampled_from(["device/d/status", "floor/f/state", "site/state", "event/c"]), st.binary())))
def test_no_payload_breaks_a_board(messages):
    """Whatever bytes come, the board goes on."""
    state = online()
    for topic, payload in messages:
        state.apply(f"smartpark/garage/{topic}", payload)
    assert state.is_online("pi-1")


def test_a_floor_that_is_unknown_shows_no_number():
    """The message of the same seq with another quality is applied; its place and name stay."""
    state = online()
    apply_floor(state, floor(seq=5, vehicles=5))
    unknown = payloads.floor_state(floor(seq=5, vehicles=5), FloorQuality(Quality.UNKNOWN), device="pi-1")
    assert state.apply(TOPICS.floor_state("ground-floor"), unknown)
    assert available(state) == {"Ground Floor": None}
    assert not state.apply(TOPICS.floor_state("ground-floor"), unknown)
    assert not apply_floor(state, floor(seq=4, vehicles=5))
    degraded = FloorQuality(Quality.DEGRADED, expected_missed=2.5)
    state.apply(TOPICS.floor_state("ground-floor"), payloads.floor_state(floor(seq=5), degraded, device="pi-1"))
    [row] = state.rows()
    assert (row.available, row.off_by) == (7, 2.5)


def test_an_event_with_a_corrected_time_takes_the_place_of_the_event(make_event):
    """It has the same id; any other second delivery changes nothing."""
    state = online()
    stored = [as_stored(make_event(number), number) for number in (1, 2)]
    for item in stored:
        state.apply(TOPICS.event("ramp"), payloads.event(item, site="garage", device="pi-1"))
    hour = timedelta(hours=1)
    corrected = replace(stored[0], timestamp=stored[0].timestamp + hour, correction=hour)
    payload = payloads.event(corrected, site="garage", device="pi-1")
    assert state.apply(TOPICS.event("ramp"), payload)
    assert not state.apply(TOPICS.event("ramp"), payload)
    assert [shown.event_id for shown in state.events()] == [str(item.event_id) for item in stored]
    assert (state.events()[0].timestamp, state.events()[0].correction_seconds) == (corrected.timestamp, 3600.0)
