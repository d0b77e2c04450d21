"""What the daemon makes of its writer and its cameras: health, a status line, and the watchdog."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from edge.config.schema import CameraConfig, GateConfig
from edge.core.source import SourceState, SourceStatus
from edge.daemon.camera_worker import CameraWorker
from edge.daemon.watchdog import STUCK_SECONDS, OtherWriters, Watch
from edge.host.problems import Health
from edge.pipeline import RATE_WINDOW, PipelineStatistics
from edge.store.schema.connect import open_database
from edge.store.schema.versions import create_schema

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 5, 4, tzinfo=UTC)
START = 1000.0


class Notifier:
    """Keeps what systemd would be told."""

    def __init__(self) -> None:
        self.fed = 0
        self.lines: list[str] = []

    def watchdog(self) -> None:
        """As systemd's."""
        self.fed += 1

    def status(self, text: str) -> None:
        """As systemd's."""
        self.lines.append(text)


class Bench:
    """A watch on a writer and a camera whose state the test sets."""

    def __init__(self) -> None:
        self.health = Health(lambda: NOW)
        self.notifier = Notifier()
        self.writer: Any = SimpleNamespace(trouble=None, queued=0, dropped=0, refused=0, last_answer=START)
        gate = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
        camera = CameraConfig(id="ramp", source="sim:ramp", gates=(gate,), stale_seconds=5.0)
        self.source: Any = SimpleNamespace(status=SourceStatus(SourceState.UP))
        self.statistics = PipelineStatistics()
        pipeline: Any = SimpleNamespace(statistics=self.statistics)
        self.worker = CameraWorker(camera, self.source, pipeline, lambda where, error: None)
        self.worker.last_progress = START
        self.watch = Watch(self.health, self.notifier, self.writer, [self.worker])  # type: ignore[arg-type]

    def look(self, now: float = START) -> dict[str, str]:
        """One look; the problems by code."""
        self.watch.look(now)
        return {problem.code: problem.text for problem in self.health.problems()}


@pytest.fixture
def bench() -> Bench:
    """All is well."""
    return Bench()


def test_when_all_is_well_the_watchdog_is_fed_and_the_status_said_once(bench: Bench) -> None:
    """No problem, one line for systemd, a feed with each look."""
    assert bench.look() == {}
    assert bench.look(START + 2) == {}
    assert bench.notifier.fed == 2
    assert bench.notifier.lines == ["counting with 1 cameras"]


def test_trouble_that_passes_is_told_and_the_watchdog_is_fed_for_hours(bench: Bench) -> None:
    """A restart would throw away what waits in memory: as long as the writer tries, systemd is told that it lives."""
    bench.writer.trouble, bench.writer.queued = "disk is full; free some room", 7
    for hour in range(5):
        bench.writer.last_answer = bench.worker.last_progress = START + 3600 * hour
        problems = bench.look(START + 3600 * hour + 5)
    assert problems == {
        "database": "disk is full; free some room",
        "events_waiting": "events that wait in memory until the database can be written: 7",
    }
    assert bench.notifier.fed == 5
    assert bench.notifier.lines == ["database: disk is full; free some room (and 1 more)"]
    bench.writer.trouble, bench.writer.queued = None, 3
    assert bench.look(START + 3600 * 4) == {}
    assert bench.notifier.lines[1:] == ["counting with 1 cameras"]


def test_a_pause_of_seconds_is_no_trouble_but_a_stuck_writer_is(bench: Bench) -> None:
    """After five silent seconds nothing is said; after more than thirty the watchdog starves."""
    bench.writer.queued = 4
    assert bench.look(START + 5) == {}
    assert bench.notifier.fed == 1
    bench.worker.last_progress = START + STUCK_SECONDS
    problems = bench.look(START + STUCK_SECONDS + 1)
    assert problems["database"] == "has not answered for 31 s; check the disk and the kernel's log"
    assert "events_waiting" in problems
    assert bench.notifier.fed == 1


def test_lost_and_refused_events_stay_told(bench: Bench) -> None:
    """Once an event is lost the counts are off, whatever is well again."""
    bench.writer.dropped, bench.writer.refused = 12, 1
    for look in (0.0, 2.0):
        problems = bench.look(START + look)
        assert problems["events_lost"].startswith("events lost since the start: 12; the log has the key of each")
        assert problems["events_refused"].startswith("events refused since the start: 1;")
    assert bench.notifier.fed == 2
    report = bench.watch.report(NOW)
    assert (report.events_waiting, report.events_dropped, report.events_refused, report.as_of) == (0, 12, 1, NOW)
    assert report.problems == bench.health.problems()


def test_a_camera_that_is_down_is_a_problem_and_feeds_the_watchdog(bench: Bench) -> None:
    """What is known to be down is told in its own words, until it is up again."""
    bench.source.status = SourceStatus(SourceState.DOWN, problem="connection refused")
    assert bench.look() == {"camera.ramp": "connection refused"}
    bench.source.status = SourceStatus(SourceState.DOWN)
    assert bench.look() == {"camera.ramp": "gives no frames"}
    bench.source.status = SourceStatus(SourceState.UP)
    assert bench.look() == {}
    assert bench.notifier.fed == 3


def test_a_cameras_thread_that_is_stuck_starves_the_watchdog(bench: Bench) -> None:
    """Beyond the time in which a camera may be silent, unless its recording has ended."""
    bench.writer.last_answer = late = START + STUCK_SECONDS + 6
    assert bench.look(late) == {"camera.ramp": "has finished no frame for 36 s"}
    assert bench.notifier.fed == 0
    bench.worker.finished = True
    assert bench.look(late) == {}
    bench.worker.problem = "clip.mp4: broke off"
    assert bench.look(late) == {"camera.ramp": "clip.mp4: broke off"}
    assert bench.notifier.fed == 2


def test_what_others_write_is_noticed_once(tmp_path: Path) -> None:
    """The first look, and each after a commit of any other connection; a database that is away is a problem."""
    path, health = tmp_path / "smartpark.db", Health(lambda: NOW)
    others = OtherWriters(lambda: open_database(path, busy_timeout=1.0, read_only=True), health)
    assert not others.changed()
    assert "there is no database" in health.problems()[0].text
    with closing(open_database(path, busy_timeout=1.0)) as db:
        create_schema(db)
    assert [others.changed(), others.changed()] == [True, False]
    assert health.problems() == ()
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE floors SET name = name")
        plain.execute("CREATE TABLE note (text)")
    assert [others.changed(), others.changed()] == [True, False]
    others.close()
    assert others.changed()
    others.close()


def test_a_camera_of_which_too_few_frames_are_processed_is_a_problem_until_it_is_clearly_faster(bench: Bench) -> None:
    """The text has the rate and the remedy; the watchdog is fed, for a restart makes the machine no faster."""
    second = 0.0

    def process(frames: int, rate: float) -> None:
        nonlocal second
        for _ in range(frames):
            second += 1 / rate
            bench.statistics.add(second, (0.0, 0.0, 0.0))

    process(9, 1.8)
    assert bench.look() == {}
    process(1, 1.8)
    text = bench.look()["camera.ramp"]
    assert text.startswith("1.8 frames a second are processed, 3 are needed")
    assert "detector.image_size" in text
    assert bench.notifier.fed == 2
    process(RATE_WINDOW, 3.3)
    assert bench.look()["camera.ramp"].startswith("3.3 frames a second")
    process(RATE_WINDOW, 4.0)
    assert bench.look() == {}
    process(RATE_WINDOW, 3.3)
    assert bench.look() == {}
