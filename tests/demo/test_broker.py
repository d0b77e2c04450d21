"""The demo's broker: one that is there is recognised, else a Mosquitto is started, else the error says what to do."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import ExitStack

import pytest

from edge.core.errors import RefusedError, SmartParkError
from edge.demo import broker as demo_room
from edge.demo.broker import PrivateMosquitto, broker_address, demo_broker, find_mosquitto, is_mqtt_broker


def test_a_broker_is_recognised_by_its_answer(broker):
    """Mosquitto accepts an anonymous client."""
    assert is_mqtt_broker("127.0.0.1", broker.port, 5)


def test_a_port_on_which_nothing_listens_is_no_broker(mosquitto):
    """A refused connection is the answer no."""
    assert not is_mqtt_broker("127.0.0.1", mosquitto.port, 0.2)


def test_a_server_that_does_not_answer_is_no_broker(closing):
    """The question has a time limit."""
    silent = closing(socket.create_server(("127.0.0.1", 0)))
    assert not is_mqtt_broker("127.0.0.1", silent.getsockname()[1], 0.2)


def test_a_server_of_another_protocol_is_no_broker(closing):
    """A web server answers, but not with a CONNACK."""
    web = closing(socket.create_server(("127.0.0.1", 0)))

    def answer():
        connection, _ = web.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = threading.Thread(target=answer)
    thread.start()
    assert not is_mqtt_broker("127.0.0.1", web.getsockname()[1], 10)
    thread.join()


def test_a_broker_that_asks_for_a_user_is_not_taken(mosquitto):
    """The demo has no credentials for it."""
    mosquitto.users = {"somebody": "secret"}
    mosquitto.start()
    assert not is_mqtt_broker("127.0.0.1", mosquitto.port, 10)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.1.10", ("192.168.1.10", 1883)),
        ("broker.local:8883", ("broker.local", 8883)),
        ("[::1]", ("::1", 1883)),
        ("[fe80::1]:2000", ("fe80::1", 2000)),
    ],
)
def test_an_address_is_read(text, address):
    """A host with or without a port."""
    assert broker_address(text) == address


@pytest.mark.parametrize("text", ["", ":1883", "host:", "host:0", "host:65536", "host:mqtt", "::1", "a b"])
def test_what_is_no_address_is_refused(text):
    """The error shows what is right."""
    with pytest.raises(RefusedError, match="give HOST or HOST:PORT"):
        broker_address(text)


def test_the_broker_that_was_named_is_taken(broker, tmp_path):
    """No other is started."""
    with ExitStack() as stack:
        host, port, description = demo_broker(("127.0.0.1", broker.port), tmp_path, stack)
    assert (host, port, description) == ("127.0.0.1", broker.port, f"the broker on 127.0.0.1:{broker.port}")


def test_a_named_broker_that_does_not_answer_is_refused(mosquitto, tmp_path):
    """The error names the address."""
    with ExitStack() as stack, pytest.raises(RefusedError, match=rf"answers at 127.0.0.1:{mosquitto.port}; check"):
        demo_broker(("127.0.0.1", mosquitto.port), tmp_path, stack)


def test_without_a_broker_an_installed_mosquitto_is_started_and_ended(free_default_port, tmp_path):
    """Clients can connect at once, and no longer when the demo is over."""
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed on this machine")
    with ExitStack() as stack:
        host, port, description = demo_broker(None, tmp_path, stack)
        assert description == f"a Mosquitto of its own on {host}:{port}"
        assert is_mqtt_broker(host, port, 5)
    assert not is_mqtt_broker(host, port, 0.5)


def test_without_a_broker_and_without_mosquitto_the_error_says_what_to_install(
    free_default_port, monkeypatch, tmp_path
):
    """Both remedies are named: installing Mosquitto, and naming a broker."""
    monkeypatch.setattr(demo_room, "find_mosquitto", lambda: None)
    with ExitStack() as stack, pytest.raises(RefusedError, match=r"apt-get install mosquitto.*--broker HOST"):
        demo_broker(None, tmp_path, stack)


def test_a_mosquitto_can_be_closed_twice(tmp_path):
    """The first close ends it, the second does nothing."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("Mosquitto is not installed on this machine")
    private = PrivateMosquitto(program, tmp_path)
    private.start()
    assert is_mqtt_broker(private.host, private.port, 10.0)
    private.close()
    private.close()
    assert not is_mqtt_broker(private.host, private.port, 1.0)


def test_a_program_that_does_not_start_is_reported_with_its_log(tmp_path):
    """An executable that is not Mosquitto gives an error that names the log."""
    with pytest.raises(SmartParkError, match=r"does not start; see .*mosquitto\.log"):
        PrivateMosquitto(sys.executable, tmp_path).start()
    assert (tmp_path / "mosquitto.log").exists()


@pytest.fixture
def free_default_port(mosquitto, monkeypatch):
    """Lets the search for a broker on the default port find nothing, whatever runs on this machine."""
    monkeypatch.setattr(demo_room, "DEFAULT_MQTT_PORT", mosquitto.port)
