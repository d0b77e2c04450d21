"""Holds the state of this device as the daemon reports it: to commands, in metrics and over MQTT.

All times are aware UTC. What is not known is None.
"""

from __future__ import annotations

# A command reads these values back from JSON, and so needs the types of their fields at run time.
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from edge.core.events import ClockState, StoredEvent  # noqa: TC001
from edge.core.occupancy import FloorQuality, Occupancy, Quality
from edge.core.source import SourceStage, SourceState

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of this device.

    ``code`` is stable, for programs; ``text`` is a sentence without secrets, for people; ``since`` is aware UTC.
    """

    code: str
    text: str
    since: datetime


class CameraCondition(StrEnum):
    """Whether a camera is counted now."""

    STARTING = "starting"  # no frame has come since the start
    COUNTING = "counting"
    DEGRADED = "degraded"  # it is counted, and something is wrong with its pictures
    BLIND = "blind"  # frames come, and cannot be counted
    DOWN = "down"  # no frames come
    STUCK = "stuck"  # frames come, and are not processed
    ENDED = "ended"  # a recording that was read to its end
    FAILED = "failed"  # a recording that broke off


@dataclass(frozen=True, slots=True)
class PictureHealth:
    """Something that is wrong with the pictures of a camera; in a ``blind`` state they cannot be counted."""

    code: str
    text: str
    since: datetime
    blind: bool


@dataclass(frozen=True, slots=True)
class LatencyHealth:
    """Milliseconds from the capture of a frame to the event's commit: the median, and what 99 % do not exceed.

    The frame is that with which the crossing was decided. ``held_p50_ms`` and ``held_p99_ms`` are the time before it,
    from the crossing on, for which it was held back. ``events`` is how many events the numbers are of.
    """

    events: int
    p50_ms: float
    p99_ms: float
    held_p50_ms: float
    held_p99_ms: float


@dataclass(frozen=True, slots=True)
class CameraHealth:
    """A camera: whether it is counted, how far its frames come, how many, and how late.

    ``since`` is when the condition began. ``problem`` says what is wrong and what to do; empty when nothing is.
    ``state``, ``stage``, ``codec``, ``skipped``, ``lag_seconds``, ``corrupt_share``, ``reconnects`` and ``reader_pid``
    are those of ``SourceStatus``. ``fps_set`` is the configured limit; ``fps_camera``, ``fps_delivered`` and
    ``fps_processed`` are pictures a second that the camera sent, the source handed over, and were counted, lately.
    ``frames`` were processed and ``dropped`` lost since the start. ``picture_age_seconds`` is the age of the newest
    picture. ``detect_ms``, ``track_ms`` and ``count_ms`` are means of the last frames.
    """

    id: str
    condition: CameraCondition
    since: datetime
    problem: str = ""
    source: str = ""
    state: SourceState = SourceState.STARTING
    stage: SourceStage | None = None
    pictures: tuple[PictureHealth, ...] = ()
    fps_set: float | None = None
    fps_camera: float | None = None
    fps_delivered: float = 0.0
    fps_processed: float = 0.0
    picture_age_seconds: float | None = None
    lag_seconds: float = 0.0
    frames: int = 0
    dropped: int = 0
    reconnects: int = 0
    corrupt_share: float = 0.0
    skipped: str = ""
    codec: str = ""
    reader_pid: int | None = None
    detect_ms: float = 0.0
    track_ms: float = 0.0
    count_ms: float = 0.0
    latency: LatencyHealth | None = None


@dataclass(frozen=True, slots=True)
class DetectorHealth:
    """The detector. ``images`` is how many it was given since the start, ``busy_seconds`` how long it worked on them.

    ``ms`` is the mean of an image and ``load`` the share of the time (0 to 1) in which it worked, lately.
    """

    runtime: str
    model: str
    image_size: int
    images: int
    busy_seconds: float
    ms: float | None
    load: float


@dataclass(frozen=True, slots=True)
class FloorHealth:
    """A floor with how far its count can be trusted."""

    floor: Occupancy
    quality: FloorQuality


@dataclass(frozen=True, slots=True)
class BrokerHealth:
    """The connection to the broker. ``since`` is when it was made or lost; ``reason`` why there is none, no secret.

    ``connections`` is how many were accepted since the start.
    """

    address: str
    connected: bool
    since: datetime
    reason: str = ""
    connections: int = 0


@dataclass(frozen=True, slots=True)
class StoredHealth:
    """What the database holds, read at ``read_at``, and its disk.

    ``waiting`` events are in the outbox, the oldest of them since ``oldest_at``. ``bytes`` are those of the file and of
    its write-ahead log. ``events`` is None where they were not counted.
    """

    read_at: datetime
    path: str
    schema_version: int
    bytes: int
    disk_bytes: int
    disk_free_bytes: int
    floors: tuple[FloorHealth, ...] = ()
    waiting: int = 0
    oldest_at: datetime | None = None
    events: int | None = None
    last_event: StoredEvent | None = None


@dataclass(frozen=True, slots=True)
class MachineHealth:
    """The machine. ``memory_bytes`` is the proportional share (PSS) of the daemon and of its cameras' readers.

    ``throttled`` says what slows a Raspberry Pi down now, ``throttled_before`` what did since its boot.
    """

    memory_bytes: int
    daemon_bytes: int
    processes: int
    machine_bytes: int
    available_bytes: int
    load: float
    processors: int
    temperature_celsius: float | None = None
    throttled: tuple[str, ...] = ()
    throttled_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClockHealth:
    """The wall clock, and how often it was set since the daemon's start: last at ``step_at``, by ``step_seconds``."""

    state: ClockState
    steps: int = 0
    step_seconds: float = 0.0
    step_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """This device's problems at ``as_of``, the oldest first, its numbers of events, and the state of its parts.

    ``events_waiting`` are in memory until the database takes them. ``events_dropped`` and ``events_refused`` are not in
    the counts; both are since the start of the program. ``broker`` is None when none is configured.
    """

    problems: tuple[Problem, ...]
    events_waiting: int
    events_dropped: int
    events_refused: int
    as_of: datetime
    version: str = ""
    process_id: int | None = None
    started_at: datetime | None = None
    cameras: tuple[CameraHealth, ...] = ()
    detector: DetectorHealth | None = None
    broker: BrokerHealth | None = None
    stored: StoredHealth | None = None
    machine: MachineHealth | None = None
    clock: ClockHealth | None = None

    @property
    def floors(self) -> tuple[FloorHealth, ...]:
        """The floors as the database has them."""
        return () if self.stored is None else self.stored.floors

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not well: codes of problems, ``camera.ID`` and ``floor.NAME`` of those that are not, ``broker``.

        Empty when all is well. A clock that is not synchronised is no fault: the counts do not depend on it.
        """
        well = {CameraCondition.COUNTING, CameraCondition.ENDED}
        found = [problem.code for problem in self.problems]
        found += [f"camera.{camera.id}" for camera in self.cameras if camera.condition not in well]
        found += [f"floor.{item.floor.name}" for item in self.floors if _is_doubtful(item)]
        if self.broker is not None and not self.broker.connected:
            found.append("broker")
        return tuple(dict.fromkeys(found))

    @property
    def states(self) -> tuple[object, ...]:
        """What is compared to see whether a state has changed, and not only a number."""
        return (
            tuple((problem.code, problem.since, _without_digits(problem.text)) for problem in self.problems),
            (self.events_waiting > 0, self.events_dropped, self.events_refused),
            tuple(
                (
                    camera.id,
                    camera.condition,
                    camera.stage,
                    camera.skipped,
                    tuple(item.code for item in camera.pictures),
                )
                for camera in self.cameras
            ),
            tuple((item.floor.name, item.quality.quality) for item in self.floors),
            None if self.machine is None else self.machine.throttled,
            None if self.clock is None else (self.clock.state, self.clock.steps),
        )


def plain_fields(value: Any) -> dict[str, Any]:
    """The fields of one of these values as JSON takes them: nested objects, and times in ISO 8601 UTC."""
    return asdict(value, dict_factory=_plain)


def _plain(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in items}


def _plain_value(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
    return value


def _is_doubtful(item: FloorHealth) -> bool:
    return item.floor.is_active and item.quality.quality is not Quality.LIVE


def _without_digits(text: str) -> str:
    return "".join(character for character in text if not character.isdigit())
