"""A Mosquitto of one's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from edge.core.errors import SmartParkError
from edge.demo.private_mosquitto import PrivateMosquitto, find_mosquitto
from edge.demo.probe import is_mqtt_broker

if TYPE_CHECKING:
    from pathlib import Path


def test_it_listens_when_started_and_is_gone_when_closed(tmp_path: Path) -> None:
    """Clients can connect as soon as start returns, and cannot after close."""
    program = find_mosquitto()
    if program is None:
        pytest.skip("Mosquitto is not installed on this machine")
    broker = PrivateMosquitto(program, tmp_path)
    broker.start()
    assert is_mqtt_broker(broker.host, broker.port, timeout=5)
    broker.close()
    assert not is_mqtt_broker(broker.host, broker.port, timeout=0.5)
    broker.close()


def test_a_program_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    """What is no Mosquitto gives a clear error."""
    with pytest.raises(SmartParkError, match=r"does not start; see .*mosquitto\.log"):
        PrivateMosquitto(sys.executable, tmp_path).start()
    assert (tmp_path / "mosquitto.log").exists()
