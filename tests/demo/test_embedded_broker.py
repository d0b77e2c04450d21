"""The embedded broker, and the question whether a broker is there."""

from __future__ import annotations

import builtins
import importlib
import socket
import threading
import time

import paho.mqtt.client as paho
import pytest
from pydantic import SecretStr

from edge.core.errors import RefusedError, SmartParkError
from edge.demo.embedded_broker import EmbeddedBroker
from edge.demo.probe import is_mqtt_broker

amqtt_missing = importlib.util.find_spec("amqtt") is None
needs_amqtt = pytest.mark.skipif(amqtt_missing, reason="the extra [demo] is not installed")


@pytest.fixture
def embedded():
    """A running embedded broker. Ask for it first, so that it outlives the clients."""
    if amqtt_missing:
        pytest.skip("the extra [demo] is not installed")
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def client(closing):
    """Makes connected paho clients."""

    class Client:
        def __init__(self, port, client_id, will=None, on_message=None):
            self.paho = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id)
            if will is not None:
                self.paho.will_set(*will, qos=1, retain=True)
            self.paho.on_message = on_message
            self.paho.connect("127.0.0.1", port)
            self.paho.loop_start()

        def close(self):
            self.paho.disconnect()
            self.paho.loop_stop()

    return lambda *arguments, **options: closing(Client(*arguments, **options)).paho


def test_it_carries_many_messages_in_order_at_qos_1(embedded, client, listen, eventually):
    """Every message has its PUBACK, and a subscriber gets all of them in their order."""
    listener = listen(embedded.port, "a/#")
    sender = client(embedded.port, "sender")
    infos = [sender.publish("a/b", b"%d" % number, qos=1) for number in range(300)]
    for info in infos:
        info.wait_for_publish(10)
    eventually(lambda: len(listener.messages) == 300)
    assert listener.payloads("a/b") == [b"%d" % number for number in range(300)]


def test_it_keeps_retained_messages_and_forgets_them_when_told(embedded, client, listen, eventually):
    """A late subscriber gets the last of each topic, marked as retained; an empty one removes it."""
    sender = client(embedded.port, "sender")
    for payload in (b"old", b"new"):
        sender.publish("a/kept", payload, qos=1, retain=True).wait_for_publish(10)
    sender.publish("a/gone", b"x", qos=1, retain=True).wait_for_publish(10)
    sender.publish("a/gone", b"", qos=1, retain=True).wait_for_publish(10)
    listener = listen(embedded.port, "a/#")
    eventually(lambda: listener.messages)
    assert listener.messages == [("a/kept", b"new", True)]


def test_it_sends_nothing_to_a_client_that_asked_for_nothing(embedded, client, listen, eventually):
    """What is retained for one client's subscription is not pushed at another that connects."""
    client(embedded.port, "sender").publish("a/kept", b"x", qos=1, retain=True).wait_for_publish(10)
    listener = listen(embedded.port, "a/#")
    eventually(lambda: listener.messages)
    stray = []
    other = client(embedded.port, "other", on_message=lambda *rest: stray.append(rest))
    other.publish("b", b"done", qos=1).wait_for_publish(10)
    assert stray == []


def test_it_publishes_a_last_will_of_a_killed_socket_and_none_after_a_goodbye(embedded, client, listen, eventually):
    """The difference between a death and a departure."""
    listener = listen(embedded.port, "status/#")
    dies = client(embedded.port, "dies", will=("status/dies", b"offline"))
    leaves = client(embedded.port, "leaves", will=("status/leaves", b"offline"))
    eventually(lambda: dies.is_connected() and leaves.is_connected())
    leaves.disconnect()
    dies.socket().shutdown(socket.SHUT_RDWR)
    eventually(lambda: listener.last("status/dies") == b"offline")
    late = listen(embedded.port, "status/#")
    eventually(lambda: late.messages)
    assert late.messages == [("status/dies", b"offline", True)]


def test_it_passes_on_what_it_acknowledged_before_a_goodbye(embedded, listen, eventually):
    """A client that leaves right after its last PUBACK is heard to its last word, and the order is kept."""
    listener = listen(embedded.port, "a/#")
    for visit in range(30):
        sender = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="sender")
        sender.connect("127.0.0.1", embedded.port)
        sender.loop_start()
        infos = [sender.publish("a/b", b"%d" % (visit * 20 + number), qos=1) for number in range(20)]
        infos[-1].wait_for_publish(10)
        sender.disconnect()
        sender.loop_stop()
    eventually(lambda: len(listener.messages) == 600)
    assert [int(payload) for payload in listener.payloads("a/b")] == list(range(600))


def test_a_client_can_come_back_as_often_as_it_likes(embedded, client, listen, eventually):
    """Connections that come and go, subscribers among them, leave the broker whole."""
    listener = listen(embedded.port, "a/#")
    for number in range(40):
        visitor = listen(embedded.port, "a/#") if number % 2 else client(embedded.port, "visitor")
        getattr(visitor, "close", getattr(visitor, "disconnect", None))()
        client(embedded.port, f"sender-{number}").publish("a/n", b"%d" % number, qos=1).wait_for_publish(10)
    eventually(lambda: len(listener.messages) == 40)


@needs_amqtt
def test_it_ends_cleanly_in_the_middle_of_traffic_and_can_begin_again(client, caplog, capfd):
    """No thread, no socket and no line in the log stays behind."""
    before = set(threading.enumerate())
    broker = EmbeddedBroker()
    broker.start()
    port = broker.port
    sender = client(port, "sender")
    for number in range(500):
        sender.publish("a", b"%d" % number, qos=1)
    began = time.monotonic()
    broker.close()
    broker.close()
    assert time.monotonic() - began < 5.0
    assert not is_mqtt_broker("127.0.0.1", port)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "mqtt-broker"]
    with pytest.raises(RuntimeError, match="not started"):
        _ = broker.port
    sender.disconnect()
    with EmbeddedBroker(port=port):
        assert is_mqtt_broker("127.0.0.1", port)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@needs_amqtt
def test_a_port_that_is_taken_is_told_of(closing):
    """With the address, so that a person can do something about it."""
    taken = closing(socket.create_server(("127.0.0.1", 0)))
    port = taken.getsockname()[1]
    with pytest.raises(SmartParkError, match=f"127.0.0.1:{port}"):
        EmbeddedBroker(port=port).start()


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """The library is looked for when it is needed, and not before."""
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("amqtt"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", lambda name: missing(name))
    with pytest.raises(RefusedError, match=r"smartpark-edge\[demo\]"):
        EmbeddedBroker().start()


def test_a_broker_is_known_by_its_answer(broker):
    """Either kind of broker lets an anonymous client in."""
    assert is_mqtt_broker("127.0.0.1", broker.port)


def test_what_is_no_open_broker_is_not_taken_for_one(mosquitto, closing):
    """Nothing, silence, another protocol, and a broker that asks who is there."""
    assert not is_mqtt_broker("127.0.0.1", mosquitto.port, 0.2)
    silent = closing(socket.create_server(("127.0.0.1", 0)))
    began = time.monotonic()
    assert not is_mqtt_broker("127.0.0.1", silent.getsockname()[1], 0.2)
    assert time.monotonic() - began < 2.0
    web = closing(socket.create_server(("127.0.0.1", 0)))

    def answer():
        connection, _ = web.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    assert not is_mqtt_broker("127.0.0.1", web.getsockname()[1], 0.5)
    thread.join()
    mosquitto.users = {"somebody": SecretStr("secret").get_secret_value()}
    mosquitto.start()
    assert not is_mqtt_broker("127.0.0.1", mosquitto.port)
