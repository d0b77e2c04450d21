"""This module finds the state of the device for a command: from the running daemon, or else from the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.cli.shared.daemon_report import ask_health
from edge.cli.shared.qualities import is_daemon_running, recorded_qualities, unknown_floors
from edge.cli.shared.rows import event_fields, floor_fields, iso
from edge.core.device_health import ClockHealth, DeviceHealth, plain_fields
from edge.core.errors import DaemonError
from edge.core.occupancy import Occupancy, recommended_floor
from edge.daemon.health.stored_health import stored_health
from edge.host.kernel_clock import kernel_clock_state
from edge.host.problem_file import ProblemFile
from edge.store import open_store, utc_now

if TYPE_CHECKING:
    from edge.config.schema import Config
    from edge.core.occupancy import FloorQuality


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The state of the device. ``no_answer`` says why it is that of the database, although a daemon is ``running``."""

    health: DeviceHealth
    running: bool
    no_answer: str = ""

    @property
    def answered(self) -> bool:
        """Whether the running daemon has answered."""
        return self.running and not self.no_answer

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not well; empty when all is."""
        own = () if self.answered else ("daemon",)
        return own + self.health.faults

    @property
    def active(self) -> list[Occupancy]:
        """The floors that are in use."""
        return [item.floor for item in self.health.floors if item.floor.is_active]

    @property
    def qualities(self) -> dict[str, FloorQuality]:
        """The qualities of the floors by name."""
        return {item.floor.name: item.quality for item in self.health.floors}

    @property
    def recommended(self) -> Occupancy | None:
        """The floor to send the next vehicle to."""
        return recommended_floor(self.active, unknown_floors(self.qualities))


def read_device_status(config: Config) -> DeviceStatus:
    """The state of the device. Raises ``StoreError`` where no daemon answers and the database cannot be read."""
    try:
        return DeviceStatus(ask_health(config), running=True)
    except DaemonError as error:
        no_answer = str(error)
    running = is_daemon_running(config)
    path, now = config.database.path, utc_now()
    with open_store(path, busy_timeout=config.database.busy_timeout_seconds, read_only=True) as store:
        stored = stored_health(store, path, recorded_qualities(config, store), now, count_events=True)
    health = DeviceHealth(
        problems=ProblemFile(path).read() if running else (),
        events_waiting=0,
        events_dropped=0,
        events_refused=0,
        as_of=now,
        stored=stored,
        clock=ClockHealth(kernel_clock_state()),
    )
    return DeviceStatus(health, running, no_answer if running else "")


def status_fields(status: DeviceStatus) -> dict[str, Any]:
    """The state as JSON."""
    health, best = status.health, status.recommended
    stored = health.stored
    return {
        "ok": not status.faults,
        "running": status.running,
        "answered_by": "daemon" if status.answered else "database",
        "no_answer": status.no_answer,
        "faults": list(status.faults),
        "as_of": iso(health.as_of),
        "version": health.version,
        "process_id": health.process_id,
        "started_at": iso(health.started_at) if health.started_at else None,
        "problems": [plain_fields(problem) for problem in health.problems],
        "cameras": [plain_fields(camera) for camera in health.cameras],
        "detector": health.detector and plain_fields(health.detector),
        "floors": [floor_fields(item.floor, item.quality) for item in health.floors],
        "recommended": best.name if best else None,
        "broker": health.broker and plain_fields(health.broker),
        "outbox": stored and stored.waiting,
        "outbox_oldest_at": iso(stored.oldest_at) if stored and stored.oldest_at else None,
        "events": stored and stored.events,
        "events_waiting": health.events_waiting,
        "events_dropped": health.events_dropped,
        "events_refused": health.events_refused,
        "last_event": event_fields(stored.last_event) if stored and stored.last_event else None,
        "database": stored and stored.path,
        "database_bytes": stored and stored.bytes,
        "database_read_at": iso(stored.read_at) if stored else None,
        "schema_version": stored and stored.schema_version,
        "disk_bytes": stored and stored.disk_bytes,
        "disk_free_bytes": stored and stored.disk_free_bytes,
        "machine": health.machine and plain_fields(health.machine),
        "clock": health.clock and plain_fields(health.clock),
    }
