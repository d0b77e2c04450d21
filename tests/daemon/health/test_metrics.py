"""Tests of the metrics for Prometheus: a real scrape over HTTP, read by the parser of Prometheus' own library."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.shared_fixtures import free_port

from edge.config.schema import Config
from edge.core.device_health import (
    BrokerHealth,
    CameraCondition,
    CameraHealth,
    ClockHealth,
    DetectorHealth,
    DeviceHealth,
    FloorHealth,
    LatencyHealth,
    MachineHealth,
    PictureHealth,
    StoredHealth,
)
from edge.core.events import ClockState
from edge.core.occupancy import FloorQuality, Occupancy, Quality
from edge.daemon.health.metrics import METRICS_PROBLEM, MetricsServer
from edge.host.problem_list import ProblemList

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
DARK = PictureHealth("dark", "the picture is dark", NOW, True)
HEALTH = DeviceHealth(
    problems=(),
    events_waiting=1,
    events_dropped=2,
    events_refused=3,
    as_of=NOW,
    version="1.0",
    started_at=NOW,
    cameras=(
        CameraHealth(
            'r"amp\\',
            CameraCondition.BLIND,
            NOW,
            pictures=(DARK,),
            fps_set=5.0,
            fps_delivered=4.5,
            frames=70,
            detect_ms=45.5,
            latency=LatencyHealth(9, 120.0, 300.0, 0.0, 600.0),
        ),
    ),
    detector=DetectorHealth("onnx", "yolo11n", 640, 100, 4.5, 45.0, 0.2),
    broker=BrokerHealth("localhost:1883", False, NOW, "refused"),
    stored=StoredHealth(
        *(NOW, "/var/x.db", 3, 4096, 10**10, 10**9),
        (FloorHealth(Occupancy(1, "Ground", "", 50, 7, True, NOW, 3), FloorQuality(Quality.UNKNOWN)),),
        waiting=2,
        oldest_at=NOW,
    ),
    machine=MachineHealth(3 * 10**8, 10**8, 2, 4 * 10**9, 10**9, 0.5, 4, 51.2, ("under-voltage",), ()),
    clock=ClockHealth(ClockState.UNSYNCHRONISED, 1),
)
# Units that Prometheus' naming conventions know, and what is a number or a state without a unit.
NAME = re.compile(r"smartpark_[a-z0-9_]+")


class Bench:
    """A server of metrics on a port of its own."""

    def __init__(self, port: int, health: DeviceHealth = HEALTH) -> None:
        config = Config.model_validate({"metrics": {"enabled": True, "port": port}, "device": {"id": "pi"}})
        self.health = health
        self.problems = ProblemList(lambda: NOW)
        self.url = f"http://127.0.0.1:{port}/metrics"
        self.server = MetricsServer(config, lambda: self.health, self.problems)

    def scrape(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """The samples by name and labels."""
        with urllib.request.urlopen(self.url, timeout=60) as answer:
            text = answer.read().decode()
        families = list(text_string_to_metric_families(text))
        assert len({family.name for family in families}) == len(families)
        assert all(family.documentation and NAME.fullmatch(family.name) for family in families)
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    def answers(self) -> bool:
        """Whether it can be scraped now."""
        with contextlib.suppress(OSError):
            return bool(self.scrape())
        return False


@pytest.fixture
def bench(eventually: Callable[..., Any]) -> Any:
    """A server that answers."""
    made = Bench(free_port())
    made.server.start()
    eventually(made.answers)
    yield made
    made.server.close()


def test_a_scrape_has_the_state_of_every_part(bench: Bench) -> None:
    """With units in the names, labels for camera and floor, and no sample for what is not known."""
    samples = bench.scrape()

    def value(name: str, **labels: str) -> float | None:
        return samples.get((f"smartpark_{name}", frozenset(labels.items())))

    camera = 'r"amp\\'
    assert value("info", version="1.0", site="garage", device="pi") == 1
    assert value("healthy") == 0
    assert value("fault", code=f"camera.{camera}") == 1
    assert value("fault", code="broker") == 1
    assert value("start_time_seconds") == NOW.timestamp()
    assert value("events_dropped_total") == 2
    assert value("camera_condition", camera=camera, condition="blind") == 1
    assert value("camera_condition", camera=camera, condition="counting") == 0
    assert value("camera_picture_fault", camera=camera, code="dark") == 1
    assert value("camera_frame_rate_hertz", camera=camera, stage="set") == 5
    assert value("camera_frame_rate_hertz", camera=camera, stage="camera") is None
    assert value("camera_frames_processed_total", camera=camera) == 70
    assert value("camera_picture_age_seconds", camera=camera) is None
    assert value("camera_stage_seconds", camera=camera, stage="detect") == 0.0455
    assert value("camera_event_latency_seconds", camera=camera, quantile="0.99") == 0.3
    assert value("camera_event_hold_seconds", camera=camera, quantile="0.99") == 0.6
    assert value("detector_busy_seconds_total") == 4.5
    assert value("detector_load_ratio") == 0.2
    assert value("floor_vehicles", floor="Ground") == 7
    assert value("floor_free_slots", floor="Ground") is None  # as on a board
    assert value("floor_quality", floor="Ground", quality="unknown") == 1
    assert value("broker_connected") == 0
    assert value("outbox_events") == 2
    assert value("database_bytes") == 4096
    assert value("memory_bytes", part="readers") == 2 * 10**8
    assert value("machine_temperature_celsius") == 51.2
    assert value("machine_throttled", reason="under-voltage") == 1
    assert value("clock_state", state="unsynchronised") == 1
    known = replace(HEALTH, stored=None, machine=None, detector=None, broker=None, clock=None, cameras=())
    bench.health = known
    assert ("smartpark_healthy", frozenset()) in bench.scrape()


def test_a_client_that_sends_nothing_does_not_keep_others_from_their_answer(bench: Bench) -> None:
    """Each request has a thread of its own; and a stop does not wait for it."""
    with socket.create_connection(("127.0.0.1", int(bench.url.split(":")[2].split("/")[0])), 60) as silent:
        assert bench.answers()
        silent.sendall(b"GET /met")
        assert bench.answers()
        bench.server.close()
    assert not bench.answers()


def test_a_port_that_is_taken_is_a_problem_until_it_is_free(
    eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem names the key; the port is tried again."""
    monkeypatch.setattr("edge.daemon.health.metrics._RETRY_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as other:
        bench = Bench(other.getsockname()[1])
        bench.server.start()
        [problem] = eventually(bench.problems.current)
    assert problem.code == METRICS_PROBLEM
    assert problem.text.endswith("change [metrics] host or port")
    eventually(lambda: not bench.problems.current())
    eventually(bench.answers)
    bench.server.close()
    assert not any(thread.name == "metrics" for thread in threading.enumerate())


def test_the_library_is_imported_only_where_metrics_are_served() -> None:
    """The daemon without metrics does not load it."""
    script = "import sys, edge.daemon.daemon; print([name for name in sys.modules if 'prometheus' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
