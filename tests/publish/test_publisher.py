"""The publisher against a real broker: what is published, through outages, refusals and ends of all kinds."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from edge.mqtt import reconnecting_link
from edge.mqtt.connection import Timing
from edge.publish import database_retry
from edge.publish import publisher as publisher_module

STATUS = "smartpark/garage/device/pi-1/status"
SITE = "smartpark/garage/site/state"
GROUND = "smartpark/garage/floor/ground-floor/state"
EVENTS = "smartpark/garage/event/"


def event_ids(listener):
    """The ids of all events that the listener received, in order."""
    return [json.loads(payload)["event_id"] for payload in listener.payloads(EVENTS)]


@pytest.fixture
def quick_ticks(monkeypatch):
    """Has the link tick twenty times a second instead of once; the seconds of a tick."""
    monkeypatch.setattr(reconnecting_link, "_TICK_SECONDS", 0.05)
    return 0.05


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


def test_events_survive_a_broker_that_goes_and_comes_back(
    broker, publish, wire, listen, make_event, make_floor, outbox, eventually
):
    """The broker is stopped and started in the middle of 200 events: all arrive, and the outbox is empty."""
    line = wire(broker.port)
    publisher = publish(line.port, [make_floor()], window=10)
    listener = listen(broker.port)
    events = [make_event(number) for number in range(200)]
    for number, event in enumerate(events):
        outbox.add(event)
        publisher.events_added()
        if number == 100:
            eventually(lambda: publisher.statistics.acknowledged >= 20)
            # A broker that stops loses what it has acknowledged and not yet delivered, so let it deliver first.
            line.hold()
            eventually(lambda: len(event_ids(listener)) == publisher.statistics.published)
            broker.stop()
            line.release()
            eventually(lambda: not publisher.connected)
    eventually(lambda: len(outbox.dropped) == publisher.statistics.acknowledged)
    assert len(outbox) == 200 - publisher.statistics.acknowledged >= 99
    line.block()
    broker.start()
    again = listen(broker.port)
    line.unblock()
    eventually(lambda: len(outbox) == 0, 30, what="the outbox is empty")
    wanted = {str(event.event_id) for event in events}
    eventually(lambda: {*event_ids(listener), *event_ids(again)} == wanted, what="all 200 events arrived")
    assert sorted(outbox.dropped) == list(range(1, 201))
    assert publisher.statistics.reconnects >= 1
    assert eventually(lambda: again.last(STATUS)) == b"online"
    assert again.last(GROUND) is not None


def test_no_event_leaves_the_outbox_before_its_puback(broker, publish, wire, listen, make_event, outbox, eventually):
    """While acknowledgements are held back the outbox keeps all, and no more than the window is in flight."""
    line = wire(broker.port)
    publisher = publish(line.port, window=10)
    listener = listen(broker.port, f"{EVENTS}#")
    eventually(lambda: publisher.connected)
    line.hold()
    for number in range(30):
        outbox.add(make_event(number))
    publisher.events_added()
    eventually(lambda: len(listener.messages) == 10, what="the window's events are at the broker")
    assert (len(outbox), outbox.dropped, publisher.statistics.in_flight) == (30, [], 10)
    line.release()
    eventually(lambda: len(outbox) == 0)
    assert len(listener.messages) == 30


def test_a_connection_that_is_cut_before_the_pubacks_has_its_events_sent_again(
    broker, publish, wire, listen, make_event, outbox, eventually
):
    """Events whose PUBACK was lost arrive twice, under the same event id, and none is lost."""
    line = wire(broker.port)
    publisher = publish(line.port, window=10)
    listener = listen(broker.port, f"{EVENTS}#")
    eventually(lambda: publisher.connected)
    line.hold()
    for number in range(15):
        outbox.add(make_event(number))
    publisher.events_added()
    eventually(lambda: len(listener.messages) == 10)
    line.block()
    line.cut()
    eventually(lambda: not publisher.connected and publisher.statistics.in_flight == 0)
    line.release()
    line.unblock()
    eventually(lambda: len(outbox) == 0)
    ids = event_ids(listener)
    assert len(set(ids)) == 15
    assert len(ids) == 25
    assert publisher.statistics.published == 25


def test_a_wire_that_is_cut_again_and_again_loses_nothing(
    broker, publish, wire, listen, make_event, outbox, eventually
):
    """Connections that break at any moment, publishing included, only repeat events."""
    line = wire(broker.port)
    publisher = publish(line.port, window=5)
    listener = listen(broker.port, f"{EVENTS}#")
    wanted = set()
    for number in range(120):
        event = make_event(number)
        wanted.add(str(event.event_id))
        outbox.add(event)
        publisher.events_added()
        if number % 12 == 0:
            eventually(lambda: publisher.connected)
            line.cut()
    eventually(lambda: len(outbox) == 0, 30, what="the outbox is empty")
    assert set(event_ids(listener)) == wanted
    assert sorted(outbox.dropped) == list(range(1, 121))


def test_a_dead_socket_has_the_last_will_published(broker, publish, wire, listen, eventually):
    """A device whose connection breaks is offline for every board, also for later ones."""
    line = wire(broker.port)
    publisher = publish(line.port, timing=Timing(first_retry=60, longest_retry=60))
    listener = listen(broker.port)
    eventually(lambda: listener.last(STATUS) == b"online")
    line.cut()
    eventually(lambda: listener.last(STATUS) == b"offline", what="the last will")
    late = listen(broker.port)
    assert eventually(lambda: late.last(STATUS)) == b"offline"
    assert not publisher.connected


def test_a_killed_process_has_the_last_will_published(broker, listen, eventually):
    """SIGKILL leaves no time for a DISCONNECT: the broker publishes the will."""
    program = textwrap.dedent(
        """
        import signal, sys
        from edge.config.schema import MqttConfig
        from edge.publish.publisher import Publisher
        from edge.mqtt.topics import Topics
        Publisher(MqttConfig(host="127.0.0.1", port=int(sys.argv[1])), "smartpark-pi-1", Topics("smartpark", "garage",
            "pi-1"), lambda after, limit: [], lambda ids: None, lambda: []).start()
        signal.pause()
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    listener = listen(broker.port)
    process = subprocess.Popen([sys.executable, "-c", program, str(broker.port)], env=environment)
    try:
        eventually(lambda: listener.last(STATUS) == b"online", seconds=30)
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: listener.last(STATUS) == b"offline", what="the last will")
    finally:
        process.kill()
        process.wait()


def test_a_successor_of_the_same_client_id_is_online_in_the_end(mosquitto, publish, wire, listen, eventually):
    """A device whose old connection still exists at the broker takes it over, and its own status is the last."""
    mosquitto.start()
    line = wire(mosquitto.port)
    old = publish(line.port, timing=Timing(first_retry=60, longest_retry=60))
    eventually(lambda: old.connected)
    listener = listen(mosquitto.port)
    new = publish(mosquitto.port)
    eventually(lambda: new.connected and not old.connected)
    eventually(lambda: listener.payloads(STATUS)[-2:] == [b"offline", b"online"], what="the will, then online")


def test_a_broker_that_starts_later_is_found(mosquitto, publish, listen, make_floor, make_event, outbox, eventually):
    """The daemon may start long before the broker: the first connection is retried like every other."""
    outbox.add(make_event())
    publisher = publish(mosquitto.port, [make_floor()])
    assert not publisher.connected
    mosquitto.start()
    listener = listen(mosquitto.port)
    eventually(lambda: len(outbox) == 0)
    assert eventually(lambda: listener.last(STATUS)) == b"online"
    assert publisher.statistics.reconnects == 0


def test_a_name_that_cannot_be_resolved_is_retried_and_logged_once(publish, caplog, eventually, monkeypatch, mosquitto):
    """DNS may come up after the daemon does."""
    mosquitto.start()
    lookups = []
    resolve = socket.getaddrinfo

    def flaky(host, *rest, **options):
        if host != "broker.invalid":
            return resolve(host, *rest, **options)
        lookups.append(host)
        if len(lookups) < 5:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve("127.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", flaky)
    publisher = publish(mosquitto.port, host="broker.invalid")
    eventually(lambda: publisher.connected)
    lines = [record.getMessage() for record in caplog.records if "cannot be resolved" in record.getMessage()]
    assert len(lines) == 1
    assert "mqtt.host" in lines[0]


def test_a_refused_connack_is_no_connection_until_the_password_is_right(
    mosquitto, publish, listen, make_event, outbox, caplog, eventually
):
    """With a wrong password: never connected, nothing published, logged once with the remedy, tried again for ever."""
    caplog.set_level(logging.DEBUG)
    mosquitto.users = {"boards": "something-else-entirely"}
    mosquitto.start()
    outbox.add(make_event())
    publisher = publish(mosquitto.port, username="boards", password=SecretStr("hunter2-and-more"))
    refusals = lambda: [r for r in caplog.records if "refused: Not authorized" in r.getMessage()]  # noqa: E731
    eventually(lambda: len(refusals()) >= 3, what="it is tried again")
    assert not publisher.connected
    assert publisher.statistics.published == 0
    assert len(outbox) == 1
    assert [record.levelno for record in refusals()].count(logging.WARNING) == 1
    assert "mqtt.username and mqtt.password" in refusals()[0].getMessage()
    mosquitto.stop()
    mosquitto.users = {"boards": "hunter2-and-more"}
    mosquitto.start()
    eventually(lambda: len(outbox) == 0, what="the right password is taken")
    assert publisher.connected
    listener = listen(mosquitto.port, username="boards", password="hunter2-and-more")
    assert eventually(lambda: listener.last(STATUS)) == b"online"
    assert "hunter2" not in caplog.text + repr(publisher.__dict__)


def test_another_server_on_the_port_is_not_taken_for_a_broker(publish, eventually, caplog, closing, quick_ticks):
    """A server that accepts and does not answer is left after a while, and the log says what to check."""
    server = closing(socket.create_server(("127.0.0.1", 0)))
    quick = Timing(first_retry=0.05, longest_retry=0.05, answer=0.2)
    publisher = publish(server.getsockname()[1], timing=quick)
    eventually(lambda: "does not answer as an MQTT broker; check mqtt.port" in caplog.text)
    assert not publisher.connected


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


def test_a_broker_that_acknowledges_nothing_is_left(
    broker, publish, wire, make_event, outbox, eventually, caplog, quick_ticks
):
    """The connection is ended for a new one, and the events are sent again."""
    line = wire(broker.port)
    publisher = publish(line.port, timing=Timing(first_retry=0.05, longest_retry=0.1, answer=2.0, stall=0.4))
    eventually(lambda: publisher.connected)
    line.hold()
    outbox.add(make_event())
    publisher.events_added()
    eventually(lambda: "acknowledged nothing for" in caplog.text)
    line.release()
    eventually(lambda: len(outbox) == 0)


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


@pytest.mark.parametrize("trusted", [True, False])
# A handshake that fails leaves paho's unfinished socket to the garbage collector, of which Python warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_trusts_the_authority_that_was_given_and_no_other(
    mosquitto, publish, make_certificate, tmp_path, eventually, caplog, trusted
):
    """With the broker's authority it connects; with another it does not, and the log names the key to check."""
    certificate, key = make_certificate("broker")
    stranger, _ = make_certificate("stranger")
    mosquitto.tls = (certificate, key)
    mosquitto.start()
    publisher = publish(mosquitto.port, tls=True, host="localhost", ca_file=certificate if trusted else stranger)
    if trusted:
        eventually(lambda: publisher.connected)
    else:
        eventually(lambda: "the broker's certificate is not trusted" in caplog.text)
        assert "mqtt.ca_file" in caplog.text
        assert not publisher.connected
