"""``smartpark status`` shows what the running daemon says is wrong, as the broker retains it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from edge.cli import status
from edge.core.device_health import DeviceHealth, Problem
from edge.host.instance_lock import InstanceLock

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
SLOW = "1.8 frames a second are processed, 3 are needed for a reliable count"
HEALTHY = DeviceHealth((), 0, 0, 0, MOMENT)


@pytest.fixture
def running(seeded, mosquitto, topics):
    """A shell beside a daemon that runs, by its lock; its configuration names the broker, which is not started."""
    config = seeded.path.with_name("smartpark.toml")
    text = f'[mqtt]\nhost = "127.0.0.1"\nport = {mosquitto.port}\n[site]\nid = "{topics.site}"\n[device]\n'
    config.write_text(f'{config.read_text()}{text}id = "{topics.device}"\n')
    lock = InstanceLock(seeded.path)
    assert lock.acquire()
    yield seeded
    lock.release()


def test_the_problems_of_a_running_daemon_are_shown(running, mosquitto, publish, listen, eventually):
    """A camera of which too few frames are processed is named, and no problem is said to be none."""
    mosquitto.start()
    publisher = publish(mosquitto.port)
    listener = listen(mosquitto.port)
    publisher.health_changed(DeviceHealth((Problem("camera.entrance", SLOW, MOMENT),), 0, 0, 0, MOMENT))
    eventually(lambda: listener.json("smartpark/garage/device/pi-1/health").get("problems"))
    assert running.json("status")["problems"] == [SLOW]
    assert f"daemon       running\nproblem      {SLOW}\n" in running("status").stdout


def test_a_running_daemon_without_problems_has_none(running, mosquitto, publish, listen, eventually):
    """The list is empty, and the text says so."""
    mosquitto.start()
    publisher = publish(mosquitto.port)
    listener = listen(mosquitto.port)
    publisher.health_changed(HEALTHY)
    eventually(lambda: listener.json("smartpark/garage/device/pi-1/health").get("status") == "ok")
    assert running.json("status")["problems"] == []
    assert "problem      none\n" in running("status").stdout


def test_without_a_broker_the_problems_are_not_known(running, mosquitto, monkeypatch):
    """The status is shown all the same, with nothing in the log."""
    monkeypatch.setattr(status, "_HEALTH_SECONDS", 0.1)
    assert running.json("status")["problems"] is None
    done = running("status")
    assert (
        f"problem      not known: the broker at 127.0.0.1:{mosquitto.port} sent no health of this device" in done.stdout
    )
    assert done.stderr == ""


def test_a_daemon_that_does_not_run_has_no_problems_line(seeded):
    """The broker is not asked."""
    assert seeded.json("status")["problems"] is None
    assert "problem " not in seeded("status").stdout


def test_with_mqtt_switched_off_the_problems_are_not_known(running):
    """The text names the key."""
    running.environ["SMARTPARK_MQTT_ENABLED"] = "false"
    assert "problem      not known: they are published over MQTT, and mqtt.enabled is false" in running("status").stdout
