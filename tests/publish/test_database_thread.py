"""The publisher beside its database: one that fails, is slow, or was changed by another program."""

from __future__ import annotations

import time

from support.mqtt_servers import event_ids

from edge.publish import database_retry

STATUS = "smartpark/garage/device/pi-1/status"
SITE = "smartpark/garage/site/state"
GROUND = "smartpark/garage/floor/ground-floor/state"
EVENTS = "smartpark/garage/event/"


def test_a_database_that_fails_is_used_again(
    broker, publish, listen, make_floor, make_event, outbox, eventually, caplog, monkeypatch
):
    """A locked database delays, is logged once, and neither ends a thread nor loses anything."""
    monkeypatch.setattr(database_retry, "_FIRST_RETRY_SECONDS", 0.02)
    failures = [OSError("database is locked")] * 2

    def read_floors():
        if failures:
            raise failures.pop()
        return [make_floor()]

    outbox.broken = True
    outbox.add(make_event())
    publisher = publish(broker.port, read_floors=read_floors)
    listener = listen(broker.port)
    eventually(lambda: listener.last(GROUND), what="the floors come in the end")
    eventually(lambda: outbox.reads >= 2)
    assert publisher.statistics.published == 0
    outbox.broken = False
    eventually(lambda: len(outbox) == 0)
    assert caplog.text.count("the floors cannot be read (OSError: database is locked)") == 1
    assert caplog.text.count("the outbox cannot be used (OSError: database is locked)") == 1


def test_acknowledgements_that_the_database_only_queues_do_not_repeat_events(
    broker, publish, listen, make_event, outbox, eventually
):
    """A row that is still there a while after its acknowledgement is not published again."""
    outbox.removes_later = True
    publisher = publish(broker.port, window=10)
    listener = listen(broker.port, f"{EVENTS}#")
    for number in range(30):
        outbox.add(make_event(number))
    publisher.events_added()
    eventually(lambda: len(outbox.dropped) == 10)
    reads = outbox.reads
    eventually(lambda: outbox.reads > reads + 3, what="it looks whether they have left")
    assert len(listener.messages) == 10
    eventually(lambda: (outbox.remove_acknowledged(), len(outbox) == 0)[1])
    eventually(lambda: len(listener.messages) == 30)
    assert len(set(event_ids(listener))) == 30


def test_acknowledgements_that_were_lost_with_the_process_repeat_events_with_the_same_id(
    broker, publish, listen, make_event, outbox, eventually
):
    """The next process publishes the events again; the receiver recognises them by their ids."""
    outbox.removes_later = True
    first = publish(broker.port)
    listener = listen(broker.port, f"{EVENTS}#")
    for number in range(5):
        outbox.add(make_event(number))
    first.events_added()
    eventually(lambda: len(outbox.dropped) == 5)
    first.close(0.0)
    outbox.lose_acknowledgements()
    outbox.removes_later = False
    publish(broker.port)
    eventually(lambda: len(outbox) == 0)
    eventually(lambda: len(listener.messages) == 10)
    ids = event_ids(listener)
    assert ids[:5] == ids[5:]


def test_every_connection_begins_with_the_floors_as_the_database_has_them(
    broker, publish, wire, listen, make_floor, eventually
):
    """A change that was not reported is published then; the topics of a floor that is gone are cleared."""
    line = wire(broker.port)
    floors = [make_floor(vehicles=1, seq=1), make_floor(2, "Old", seq=1)]
    publisher = publish(line.port, read_floors=lambda: list(floors))
    listener = listen(broker.port)
    eventually(lambda: listener.last("smartpark/garage/floor/old/state"))
    eventually(lambda: listener.json(SITE).get("floors") == 2)
    floors[:] = [make_floor(vehicles=9, seq=9)]
    line.cut()
    eventually(lambda: listener.json(GROUND).get("seq") == 9)
    eventually(lambda: listener.last("smartpark/garage/floor/old/state") == b"")
    eventually(lambda: listener.json(SITE).get("floors") == 1)
    assert publisher.statistics.reconnects >= 1


def test_an_idle_publisher_does_nothing(broker, publish, make_floor, outbox, eventually, quick_ticks):
    """No busy loop: once all is published, the link only ticks, and the outbox is not read."""
    publisher = publish(broker.port, [make_floor()])
    eventually(lambda: publisher.connected and outbox.reads > 0)
    ticks = []
    tick = publisher._session.link_tick
    publisher._session.link_tick = lambda connection: (ticks.append(time.monotonic()), tick(connection))
    eventually(lambda: len(ticks) > 2)
    reads, first = outbox.reads, len(ticks)
    eventually(lambda: len(ticks) >= first + 20)
    assert outbox.reads <= reads + 2
    # A busy loop ticks thousands of times in that time; a slow machine ticks less often.
    assert ticks[first + 19] - ticks[first] > 19 * quick_ticks / 2
