"""The publisher through lost connections, refusals and brokers that do not answer: no event is lost."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from pydantic import SecretStr
from support.mqtt_servers import event_ids

from edge.mqtt.connection import Timing

STATUS = "smartpark/garage/device/pi-1/status"
SITE = "smartpark/garage/site/state"
GROUND = "smartpark/garage/floor/ground-floor/state"
EVENTS = "smartpark/garage/event/"


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
