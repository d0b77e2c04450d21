"""Tests of what is known about the connection to a broker: whether it is there, since when, and why not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from support.mqtt_servers import QUICK
from support.shared_fixtures import free_port

from edge.config.schema import MqttConfig
from edge.mqtt.reconnecting_link import Link

if TYPE_CHECKING:
    from collections.abc import Callable


class User:
    """Uses a link for nothing."""

    def __getattr__(self, name: str) -> Any:
        """Each call of the link does nothing."""
        return lambda *arguments: None


@pytest.fixture
def link(closing: Any) -> Callable[..., Link]:
    """Makes links that are started."""

    def make(port: int, **options: Any) -> Link:
        config = MqttConfig(host=options.pop("host", "127.0.0.1"), port=port, **options)
        made = closing(Link(config, "pi", User(), timing=QUICK))
        made.start()
        return made

    return make


def test_a_connection_is_there_since_it_was_accepted(
    mosquitto: Any, link: Callable[..., Link], eventually: Callable[..., Any]
) -> None:
    """It has no reason; when the broker goes, since when and why it is gone; then another connection."""
    mosquitto.start()
    before = time.monotonic()
    made = link(mosquitto.port)
    assert made.state.reason == ""
    eventually(lambda: made.state.connected)
    first = made.state
    assert (first.reason, first.connections) == ("", 1)
    assert before <= first.since <= time.monotonic()
    mosquitto.stop()
    eventually(lambda: "nothing listens there" in made.state.reason)
    lost = made.state
    assert (lost.connected, lost.connections) == (False, 1)
    assert first.since < lost.since <= time.monotonic()
    eventually(lambda: made.state.since == lost.since)  # it is not the time of the last attempt
    mosquitto.start()
    eventually(lambda: made.state.connected)
    assert made.state.connections == 2
    assert (made.state.reason, made.state.since > lost.since) == ("", True)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("user", "options", "reason"),
    [
        ("pi", {"username": "pi", "password": "hush-hush"}, "the broker refused: Not authorized"),
        ("", {"tls": True}, "the connection was closed while TLS was set up"),
    ],
    ids=["password", "tls"],
)
def test_why_a_broker_refuses(
    mosquitto: Any,
    link: Callable[..., Link],
    eventually: Callable[..., Any],
    user: str,
    options: dict[str, Any],
    reason: str,
) -> None:
    """The reason names the key to check, and no secret."""
    if user:
        mosquitto.users[user] = "another"
    mosquitto.start()
    made = link(mosquitto.port, **options)
    eventually(lambda: made.state.reason)
    state = made.state
    assert state.reason.startswith(reason)
    assert "mqtt." in state.reason
    assert "hush" not in state.reason
    assert (state.connected, state.connections) == (False, 0)


def test_why_a_broker_is_not_found(link: Callable[..., Link], eventually: Callable[..., Any]) -> None:
    """Nothing listens, or its name is not known."""
    nobody, unknown = link(free_port()), link(1883, host="broker.invalid")
    eventually(lambda: nobody.state.reason and unknown.state.reason)
    assert nobody.state.reason.startswith("nothing listens there; check that the broker runs")
    assert unknown.state.reason.startswith("the name broker.invalid cannot be resolved")
