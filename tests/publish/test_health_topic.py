"""The device's health: its payload to the byte, when it is published, and what a board shows of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from edge.board import view as board_view
from edge.board.messages import HealthMessage, PayloadError
from edge.board.session import Board
from edge.board.state import BoardState
from edge.config.schema import MqttConfig
from edge.core.device_health import DeviceHealth, Problem
from edge.mqtt.clear_retained import clear_retained
from edge.mqtt.topics import Topics
from edge.publish import health_topic
from edge.publish.health_topic import EVERY_SECONDS, LEAST_SECONDS, HealthTopic
from edge.publish.payloads import device_health
from edge.publish.retained_topics import RetainedTopics

TOPICS = Topics("smartpark", "garage", "pi-1")
HEALTH = "smartpark/garage/device/pi-1/health"
MOMENT = datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)
FULL = Problem("database", "database or disk is full; free some room on the disk", MOMENT)
WELL = DeviceHealth((), 0, 0, 0, MOMENT)
ILL = DeviceHealth((FULL,), 7, 2, 1, MOMENT + timedelta(seconds=2))

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
texts = st.text(st.characters(codec="utf-8"), max_size=30)
counts = st.integers(0, 10**9)
problems = st.lists(st.builds(Problem, texts, texts, moments), max_size=4).map(tuple)


def test_a_devices_health_to_the_byte():
    """The golden payloads: nothing wrong, and something."""
    assert device_health(WELL, device="pi-1").decode() == (
        '{"as_of":"2026-03-01T08:00:00.250000Z","broker":null,"cameras":[],"clock":null,"detector":null,'
        '"device":"pi-1","events_dropped":0,"events_refused":0,"events_waiting":0,"faults":[],"floors":[],'
        '"machine":null,"problems":[],"started_at":null,"status":"ok","stored":null,"version":""}'
    )
    assert device_health(ILL, device="pi-1").decode() == (
        '{"as_of":"2026-03-01T08:00:02.250000Z","broker":null,"cameras":[],"clock":null,"detector":null,'
        '"device":"pi-1","events_dropped":2,"events_refused":1,"events_waiting":7,"faults":["database"],"floors":[],'
        '"machine":null,"problems":[{"code":"database","since":"2026-03-01T08:00:00.250000Z",'
        '"text":"database or disk is full; free some room on the disk"}],"started_at":null,"status":"degraded",'
        '"stored":null,"version":""}'
    )


@given(st.builds(DeviceHealth, problems, counts, counts, counts, moments), texts)
def test_health_is_read_back_as_what_it_was(health, device):
    """parse is the inverse of the payload."""
    read = HealthMessage.parse(device_health(health, device=device))
    assert read.status == ("degraded" if health.problems else "ok")
    assert [(p.code, p.text, p.since) for p in read.problems] == [(p.code, p.text, p.since) for p in health.problems]
    assert (read.as_of, read.device) == (health.as_of, device)
    numbers = (read.events_waiting, read.events_dropped, read.events_refused)
    assert numbers == (health.events_waiting, health.events_dropped, health.events_refused)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "fine"}, "status: Input should be 'ok' or 'degraded', not 'fine'"),
        ({"problems": None}, "problems: .*, not None"),
        ({"problems": ["full"]}, "problems.0: .*, not 'full'"),
        ({"problems": [{"code": "database", "text": "full"}]}, "problems.0.since is missing"),
        ({"events_waiting": -1}, "events_waiting: .*, not -1"),
        ({"as_of": "today"}, "as_of: .*time"),
    ],
)
def test_what_is_no_health_is_refused(changes, why):
    """The text names the key."""
    damaged = json.dumps({**json.loads(device_health(ILL, device="pi-1")), **changes}).encode()
    with pytest.raises(PayloadError, match=why):
        HealthMessage.parse(damaged)


class Bench:
    """The health topic with a clock that the test sets."""

    def __init__(self):
        self.now = 100.0
        self.retained = RetainedTopics()
        self.health = HealthTopic(self.retained, TOPICS, lambda: self.now)
        self._sent = []

    def sent(self):
        """The payload that is sent now, and acknowledged; None when nothing is sent."""
        self._sent.clear()
        self.retained.send(lambda topic, payload: self._sent.append((topic, json.loads(payload))) or 1)
        self.retained.acknowledge(1)
        return self._sent[0][1] if self._sent else None


def test_health_is_published_when_a_state_changes_and_not_too_often():
    """The first at once, and a changed state when the last one is some seconds old; a changed number is no state."""
    bench = Bench()
    bench.health.publish_if_due()
    assert bench.sent() is None
    bench.health.report(WELL)
    assert bench.sent()["status"] == "ok"
    bench.now += LEAST_SECONDS / 2
    bench.health.report(ILL)
    assert bench.sent() is None
    bench.now += LEAST_SECONDS
    bench.health.publish_if_due()
    assert bench.sent()["events_waiting"] == 7
    for waiting in range(8, 20):
        bench.now += LEAST_SECONDS
        bench.health.report(replace(ILL, events_waiting=waiting))
        assert bench.sent() is None
    worse = Problem("database", "the disk is broken; replace it", MOMENT)
    bench.health.report(replace(ILL, problems=(worse,)))
    assert bench.sent()["problems"][0]["text"] == worse.text


def test_health_is_published_each_minute():
    """With its numbers and its time, although no state has changed."""
    bench = Bench()
    bench.health.report(WELL)
    assert bench.sent()["status"] == "ok"
    later = replace(WELL, as_of=MOMENT + timedelta(minutes=1))
    bench.now += EVERY_SECONDS - 1.0
    bench.health.report(later)
    assert bench.sent() is None
    bench.now += 1.0
    bench.health.publish_if_due()
    assert bench.sent()["as_of"] == "2026-03-01T08:01:00.250000Z"


def test_the_latest_health_is_published_on_a_new_connection():
    """With its own time, although nothing but the time has changed."""
    bench = Bench()
    bench.health.connection_opened()
    bench.health.report(WELL)
    assert bench.sent()["as_of"] == "2026-03-01T08:00:00.250000Z"
    bench.health.report(replace(WELL, as_of=MOMENT + timedelta(days=1)))
    bench.retained.connection_changed()
    bench.health.connection_opened()
    assert bench.sent()["as_of"] == "2026-03-02T08:00:00.250000Z"


def test_the_broker_keeps_the_health_until_the_retained_messages_are_cleared(
    broker, publish, listen, eventually, monkeypatch
):
    """Published at the connection and with a change, retained for later subscribers, deleted with the site."""
    monkeypatch.setattr(health_topic, "LEAST_SECONDS", 0.0)
    publisher = publish(broker.port)
    publisher.health_changed(WELL)
    first = listen(broker.port)
    eventually(lambda: first.json(HEALTH).get("status") == "ok")
    publisher.health_changed(ILL)
    eventually(lambda: first.json(HEALTH)["status"] == "degraded")
    late = listen(broker.port)
    eventually(lambda: late.last(HEALTH))
    assert (HEALTH, device_health(ILL, device="pi-1"), True) in late.messages
    publisher.close(1.0)
    assert clear_retained(MqttConfig(host="127.0.0.1", port=broker.port), TOPICS, [])
    eventually(lambda: first.last(HEALTH) == b"")


def apply_health(state, payload, device="pi-1"):
    """Apply the device's health."""
    return state.apply(f"smartpark/garage/device/{device}/health", payload)


def test_a_board_knows_the_problems_of_devices_that_are_online():
    """Only a change counts; an invalid message is ignored; the problems of an offline device are not shown."""
    state = BoardState(Topics("smartpark", "garage"))
    health = device_health(ILL, device="pi-1")
    assert apply_health(state, health)
    assert not apply_health(state, health)
    assert state.problems() == ()
    state.apply("smartpark/garage/device/pi-1/status", b"online")
    assert state.problems() == (("pi-1", FULL.text),)
    assert not apply_health(state, b"{}")
    assert state.invalid_messages == 1
    state.apply("smartpark/garage/device/pi-1/status", b"offline")
    assert state.problems() == ()
    state.apply("smartpark/garage/device/pi-1/status", b"online")
    assert apply_health(state, b"")
    assert not apply_health(state, b"")
    assert state.problems() == ()
    apply_health(state, health)
    state.reset()
    state.apply("smartpark/garage/device/pi-1/status", b"online")
    assert state.problems() == ()


def test_a_board_shows_the_first_problem_of_the_devices(broker, publish, closing, eventually, monkeypatch):
    """In the frame of the drawn board, and in the line of the plain one; gone when it is over."""
    monkeypatch.setattr(health_topic, "LEAST_SECONDS", 0.0)
    publisher = publish(broker.port)
    publisher.health_changed(ILL)
    board = closing(Board(MqttConfig(host="127.0.0.1", port=broker.port), "board", Topics("smartpark", "garage")))
    board.start()
    eventually(lambda: board.snapshot().problems)
    console = Console(file=io.StringIO(), width=140, color_system=None)
    console.print(board_view.render(board.snapshot()))
    assert f"pi-1: {FULL.text} - connected - pi-1 online" in console.file.getvalue()
    assert f"| pi-1: {FULL.text}" in board_view.as_line(board.snapshot())
    publisher.health_changed(WELL)
    eventually(lambda: not board.snapshot().problems)
    assert "full" not in board_view.as_line(board.snapshot())
