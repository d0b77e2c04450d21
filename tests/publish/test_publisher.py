"""The publisher on a broker: what is published, in which order, and how it stops."""

from __future__ import annotations

import json
import threading
import time

from support.mqtt_servers import event_ids

from edge.publish import publisher as publisher_module

STATUS = "smartpark/garage/device/pi-1/status"
SITE = "smartpark/garage/site/state"
GROUND = "smartpark/garage/floor/ground-floor/state"
EVENTS = "smartpark/garage/event/"


def test_a_new_board_finds_status_floors_and_site_retained(broker, publish, listen, make_floor, eventually):
    """A later subscriber gets at once: online, every floor as JSON and as a bare number, the site."""
    publisher = publish(broker.port, [make_floor(), make_floor(2, "Étage Ⅱ", 4, 4)])
    eventually(lambda: publisher.connected)
    first = listen(broker.port)
    eventually(lambda: first.last(SITE))
    late = listen(broker.port)
    eventually(lambda: len({topic for topic, _, _ in late.messages}) == 6, what="six retained topics")
    assert all(retained for _, _, retained in late.messages)
    assert late.last(STATUS) == b"online"
    assert late.json(GROUND).get("available_slots") == 7
    assert late.last("smartpark/garage/floor/ground-floor/available") == b"7"
    upper = json.loads(late.last("smartpark/garage/floor/étage-ii/state"))
    assert (upper["name"], upper["is_full"], upper["device"]) == ("Étage Ⅱ", True, "pi-1")
    assert late.json(SITE)["recommended"]["slug"] == "ground-floor"


def test_online_comes_first_then_floors_then_events(
    broker, publish, listen, make_floor, make_event, outbox, eventually
):
    """At a connection the status is published first, then the floors and the site, then the events."""
    listener = listen(broker.port)
    outbox.add(make_event())
    publish(broker.port, [make_floor()])
    eventually(lambda: listener.payloads(EVENTS))
    order = [topic for topic, _, _ in listener.messages]
    assert order[0] == STATUS
    assert order.index(STATUS) < order.index(GROUND) < order.index(SITE) < order.index(f"{EVENTS}ramp")


def test_an_event_is_published_once_not_retained_and_leaves_the_outbox(
    broker, publish, listen, make_event, outbox, eventually
):
    """The normal case."""
    publisher = publish(broker.port)
    listener = listen(broker.port)
    eventually(lambda: publisher.connected)
    event = make_event(7)
    outbox.add(event, floor_id=4)
    publisher.events_added()
    eventually(lambda: len(outbox) == 0, what="the outbox is empty")
    eventually(lambda: listener.payloads(EVENTS))
    late = listen(broker.port, f"{EVENTS}#")
    assert event_ids(listener) == [str(event.event_id)]
    assert json.loads(listener.payloads(EVENTS)[0])["floor_id"] == 4
    assert late.messages == []
    assert (publisher.statistics.published, publisher.statistics.acknowledged) == (1, 1)


def test_floors_are_published_in_the_order_of_their_seq(broker, publish, listen, make_floor, eventually):
    """An older report that comes late, from another thread, never replaces a newer one."""
    publisher = publish(broker.port, [make_floor(vehicles=1, seq=1)])
    listener = listen(broker.port)
    eventually(lambda: listener.last(GROUND))
    publisher.floors_changed([make_floor(vehicles=5, seq=5)])
    publisher.floors_changed([make_floor(vehicles=4, seq=4)])
    eventually(lambda: listener.json(GROUND).get("seq") == 5)
    publisher.floors_changed([make_floor(vehicles=6, seq=6)])
    eventually(lambda: listener.json(GROUND).get("seq") == 6)
    seqs = [json.loads(payload)["seq"] for payload in listener.payloads(GROUND)]
    assert seqs == sorted(seqs)
    assert 4 not in seqs
    assert eventually(lambda: listener.json(SITE).get("current_vehicles") == 6)


def test_floors_that_change_from_many_threads_end_at_the_newest(broker, publish, listen, make_floor, eventually):
    """Reports may race: the broker ends with the highest seq of every floor."""
    publisher = publish(broker.port, [make_floor(n, f"P{n}", 0, 100, 1) for n in (1, 2, 3)])
    listener = listen(broker.port)
    eventually(lambda: publisher.connected)

    def report(floor_id):
        for seq in range(2, 60):
            publisher.floors_changed([make_floor(floor_id, f"P{floor_id}", seq, 100, seq)])

    threads = [threading.Thread(target=report, args=(floor_id,)) for floor_id in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site = {"current_vehicles": 3 * 59, "floors": 3}
    eventually(lambda: site.items() <= listener.json(SITE).items())
    for floor_id in (1, 2, 3):
        eventually(lambda topic=f"smartpark/garage/floor/p{floor_id}/available": listener.last(topic) == b"41")


def test_an_event_that_cannot_be_published_does_not_hold_up_the_others(
    broker, publish, listen, make_event, outbox, eventually, caplog
):
    """The event of a camera whose id fits no topic is logged and stays in the outbox."""
    outbox.add(make_event(1, camera="bad\x9fcamera"))
    outbox.add(make_event(2))
    publisher = publish(broker.port)
    eventually(lambda: len(outbox) == 1)
    outbox.add(make_event(3))
    publisher.events_added()
    eventually(lambda: outbox.dropped == [2, 3])
    assert caplog.text.count("cannot be published and stays in the outbox") == 1


def test_close_drains_the_outbox_and_publishes_offline(
    broker, publish, listen, make_event, make_floor, outbox, eventually
):
    """Every event is published, then offline, retained, and no last will after it."""
    publisher = publish(broker.port, [make_floor()])
    listener = listen(broker.port)
    eventually(lambda: publisher.connected)
    for number in range(80):
        outbox.add(make_event(number))
    publisher.floors_changed([make_floor(vehicles=8, seq=8)])
    publisher.events_added()
    assert publisher.close(10.0)
    assert len(outbox) == 0
    assert not publisher.connected
    eventually(lambda: listener.last(STATUS) == b"offline")
    assert len(listener.payloads(EVENTS)) == 80
    assert listener.messages[-1][0] == STATUS
    assert listener.json(GROUND).get("seq") == 8
    assert listener.payloads(STATUS) == [b"online", b"offline"]
    late = listen(broker.port)
    assert eventually(lambda: late.last(STATUS)) == b"offline"


def test_close_without_a_broker_waits_for_the_drain_time_only(publish, make_event, outbox, mosquitto):
    """The events stay in the outbox for the next start."""
    publisher = publish(mosquitto.port)
    outbox.add(make_event())
    publisher.events_added()
    began = time.monotonic()
    assert not publisher.close(0.2)
    assert time.monotonic() - began > 0.19
    assert len(outbox) == 1


def test_close_without_a_broker_and_without_events_does_not_wait(publish, mosquitto):
    """An hour of drain time would end in the test's own time limit."""
    assert publish(mosquitto.port).close(3600.0)


def test_close_while_acknowledgements_are_missing_ends(
    broker, publish, wire, make_event, outbox, eventually, monkeypatch
):
    """A broker that does not answer does not stop the stop: the test's own time limit would end it."""
    monkeypatch.setattr(publisher_module, "_LAST_STATUS_SECONDS", 0.2)
    line = wire(broker.port)
    publisher = publish(line.port)
    eventually(lambda: publisher.connected)
    line.hold()
    outbox.add(make_event())
    publisher.events_added()
    eventually(lambda: publisher.statistics.in_flight == 1)
    assert not publisher.close(0.2)
    assert len(outbox) == 1


def test_no_thread_is_left_behind(broker, publish, eventually):
    """A closed publisher leaves nothing running, and a second close does nothing."""
    before = set(threading.enumerate())
    publisher = publish(broker.port)
    eventually(lambda: publisher.connected)
    publisher.close(1.0)
    publisher.close(1.0)
    assert {thread for thread in threading.enumerate() if thread.name in ("mqtt-link", "mqtt-store")} <= before
