"""This module turns the state of the device into metrics, with names and units as Prometheus has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily

from edge.core.device_health import CameraCondition
from edge.core.events import ClockState
from edge.core.occupancy import Quality

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import StrEnum

    from prometheus_client.core import Metric

    from edge.core.device_health import CameraHealth, DeviceHealth, LatencyHealth

_MS_A_SECOND = 1000


def metric_families(health: DeviceHealth, site: str, device: str) -> Iterator[Metric]:
    """All metrics. What is not known has no sample."""
    yield InfoMetricFamily(
        "smartpark", "The program.", value={"version": health.version, "site": site, "device": device}
    )
    yield _gauge("healthy", "1 if nothing is wrong with the device.", float(not health.faults))
    yield _labelled("fault", "What is wrong with the device.", ("code",), [((code,), 1.0) for code in health.faults])
    if health.started_at is not None:
        yield _gauge("start_time_seconds", "When the daemon was started.", health.started_at.timestamp())
    yield from _events(health)
    yield from _cameras(health.cameras)
    yield from _detector(health)
    yield from _floors(health)
    yield from _broker(health)
    yield from _stored(health)
    yield from _machine(health)
    if health.clock is not None:
        yield _labelled(
            "clock_state", "The state of the wall clock.", ("state",), _states(ClockState, health.clock.state)
        )
        yield _counter("clock_steps", "How often the wall clock was set.", health.clock.steps)


def _events(health: DeviceHealth) -> Iterator[Metric]:
    yield _gauge("events_waiting", "Events in memory that wait for the database.", health.events_waiting)
    yield _counter("events_dropped", "Events that were lost.", health.events_dropped)
    yield _counter("events_refused", "Events with values that cannot be recorded.", health.events_refused)


def _cameras(cameras: Sequence[CameraHealth]) -> Iterator[Metric]:
    conditions = [
        ((camera.id, *labels), value)
        for camera in cameras
        for labels, value in _states(CameraCondition, camera.condition)
    ]
    yield _labelled("camera_condition", "Whether a camera is counted.", ("camera", "condition"), conditions)
    pictures = [((camera.id, item.code), 1.0) for camera in cameras for item in camera.pictures]
    yield _labelled("camera_picture_fault", "What is wrong with a camera's pictures.", ("camera", "code"), pictures)
    rates: dict[str, dict[str, float | None]] = {
        "set": {camera.id: camera.fps_set for camera in cameras},
        "camera": {camera.id: camera.fps_camera for camera in cameras},
        "delivered": {camera.id: camera.fps_delivered for camera in cameras},
        "processed": {camera.id: camera.fps_processed for camera in cameras},
    }
    yield _labelled(
        "camera_frame_rate_hertz",
        "Frames a second: the limit that is set, those that the camera sends, that are delivered, and processed.",
        ("camera", "stage"),
        [((camera, stage), rate) for stage, part in rates.items() for camera, rate in part.items() if rate is not None],
    )
    by_camera: dict[str, tuple[str, dict[str, float | None]]] = {
        "condition_change_timestamp_seconds": (
            "When the condition of a camera began.",
            {camera.id: camera.since.timestamp() for camera in cameras},
        ),
        "picture_age_seconds": ("Age of the newest picture.", {c.id: c.picture_age_seconds for c in cameras}),
        "lag_seconds": ("How late pictures are decoded.", {c.id: c.lag_seconds for c in cameras}),
        "corrupt_ratio": ("Share of the pictures lately that are corrupt.", {c.id: c.corrupt_share for c in cameras}),
    }
    for name, (text, values) in by_camera.items():
        yield _labelled(f"camera_{name}", text, ("camera",), _known(values))
    yield _counters("camera_frames_processed", "Frames that were counted.", {c.id: c.frames for c in cameras})
    yield _counters("camera_frames_dropped", "Frames lost as newer came first.", {c.id: c.dropped for c in cameras})
    yield _counters("camera_reconnects", "How often a camera came back.", {c.id: c.reconnects for c in cameras})
    stages = [
        ((camera.id, stage), ms / _MS_A_SECOND)
        for camera in cameras
        for stage, ms in (("detect", camera.detect_ms), ("track", camera.track_ms), ("count", camera.count_ms))
    ]
    yield _labelled("camera_stage_seconds", "Mean of the last frames in a stage.", ("camera", "stage"), stages)
    yield from _latencies({camera.id: camera.latency for camera in cameras if camera.latency is not None})


def _latencies(latencies: Mapping[str, LatencyHealth]) -> Iterator[Metric]:
    labels = ("camera", "quantile")
    whole = [
        ((camera, quantile), ms / _MS_A_SECOND)
        for camera, latency in latencies.items()
        for quantile, ms in (("0.5", latency.p50_ms), ("0.99", latency.p99_ms))
    ]
    held = [
        ((camera, quantile), ms / _MS_A_SECOND)
        for camera, latency in latencies.items()
        for quantile, ms in (("0.5", latency.held_p50_ms), ("0.99", latency.held_p99_ms))
    ]
    yield _labelled("camera_event_latency_seconds", "From the capture to the committed event.", labels, whole)
    yield _labelled("camera_event_hold_seconds", "From the crossing to that capture: it was held back.", labels, held)


def _detector(health: DeviceHealth) -> Iterator[Metric]:
    if (detector := health.detector) is None:
        return
    yield _counter("detector_images", "Images that the detector was given.", detector.images)
    yield _counter("detector_busy_seconds", "How long the detector worked.", detector.busy_seconds)
    yield _gauge("detector_load_ratio", "Share of the time in which the detector worked, lately.", detector.load)
    if detector.ms is not None:
        yield _gauge("detector_image_seconds", "Mean time an image, lately.", detector.ms / _MS_A_SECOND)


def _floors(health: DeviceHealth) -> Iterator[Metric]:
    floors = {item.floor.name: item for item in health.floors}
    by_floor: dict[str, tuple[str, dict[str, float | None]]] = {
        "active": ("1 for a floor that is in use.", {n: float(f.floor.is_active) for n, f in floors.items()}),
        "slots": ("Places of a floor.", {n: f.floor.total_slots for n, f in floors.items()}),
        "vehicles": ("Vehicles on a floor.", {n: f.floor.current_vehicles for n, f in floors.items()}),
        # Where the count is not known there is no number, as on a board.
        "free_slots": (
            "Free places of a floor whose count is known.",
            {n: f.floor.available_slots if f.quality.is_known else None for n, f in floors.items()},
        ),
        "blind_seconds": (
            "Time since the last correction of a floor in which a gate was blind.",
            {n: f.quality.blind_seconds for n, f in floors.items()},
        ),
        "expected_missed_vehicles": (
            "Vehicles that cross blind gates at such times.",
            {n: f.quality.expected_missed for n, f in floors.items()},
        ),
    }
    for name, (text, values) in by_floor.items():
        yield _labelled(f"floor_{name}", text, ("floor",), _known(values))
    qualities = [
        ((name, *labels), value)
        for name, item in floors.items()
        for labels, value in _states(Quality, item.quality.quality)
    ]
    yield _labelled("floor_quality", "How far a floor's count can be trusted.", ("floor", "quality"), qualities)


def _broker(health: DeviceHealth) -> Iterator[Metric]:
    if (broker := health.broker) is None:
        return
    yield _gauge("broker_connected", "1 while the broker is connected.", float(broker.connected))
    yield _gauge("broker_change_timestamp_seconds", "When the connection was made or lost.", broker.since.timestamp())
    yield _counter("broker_connections", "Connections that the broker has accepted.", broker.connections)


def _stored(health: DeviceHealth) -> Iterator[Metric]:
    if (stored := health.stored) is None:
        return
    yield _gauge("outbox_events", "Events that the broker has not acknowledged yet.", stored.waiting)
    if stored.oldest_at is not None:
        yield _gauge(
            "outbox_oldest_timestamp_seconds", "When the oldest of them was stored.", stored.oldest_at.timestamp()
        )
    yield _gauge("database_bytes", "Size of the database and its log.", stored.bytes)
    yield _gauge("database_schema_version", "Version of the tables.", stored.schema_version)
    yield _gauge("database_read_timestamp_seconds", "When the database was read last.", stored.read_at.timestamp())
    yield _gauge("disk_bytes", "Size of the database's disk.", stored.disk_bytes)
    yield _gauge("disk_free_bytes", "What is free on the database's disk.", stored.disk_free_bytes)


def _machine(health: DeviceHealth) -> Iterator[Metric]:
    if (machine := health.machine) is None:
        return
    memory = {"daemon": machine.daemon_bytes, "readers": machine.memory_bytes - machine.daemon_bytes}
    yield _labelled("memory_bytes", "Proportional share of memory (PSS).", ("part",), _known(memory))
    yield _gauge("processes", "The daemon and the readers of its cameras.", machine.processes)
    yield _gauge("machine_memory_bytes", "Memory of the machine.", machine.machine_bytes)
    yield _gauge("machine_memory_available_bytes", "Memory that programs can still get.", machine.available_bytes)
    yield _gauge("machine_load1", "Processes that ran or waited to run, in the last minute.", machine.load)
    if machine.temperature_celsius is not None:
        yield _gauge("machine_temperature_celsius", "Temperature of the processor.", machine.temperature_celsius)
    for name, text, reasons in (
        ("machine_throttled", "What slows the machine down now.", machine.throttled),
        ("machine_throttled_since_boot", "What has slowed it down since its boot.", machine.throttled_before),
    ):
        yield _labelled(name, text, ("reason",), [((reason,), 1.0) for reason in reasons])


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"smartpark_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"smartpark_{name}", text, value=value)


def _counters(name: str, text: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"smartpark_{name}", text, labels=["camera"])
    for camera, value in values.items():
        family.add_metric([camera], value)
    return family


def _labelled(name: str, text: str, labels: Sequence[str], samples: Sequence[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"smartpark_{name}", text, labels=list(labels))
    for values, value in samples:
        family.add_metric(list(values), value)
    return family


def _known(values: Mapping[str, float | None]) -> list[tuple[tuple[str, ...], float]]:
    return [((key,), value) for key, value in values.items() if value is not None]


def _states(kinds: type[StrEnum], present: StrEnum) -> list[tuple[tuple[str, ...], float]]:
    """A sample for each state: 1 for the present one, 0 for the others."""
    return [((kind.value,), float(kind is present)) for kind in kinds]
