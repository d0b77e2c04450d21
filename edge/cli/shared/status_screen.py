"""This module draws the state of the device for a terminal: one screen, readable at 80 columns and without colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from edge.cli.shared.qualities import unknown_floors, why_unknown
from edge.core.device_health import CameraCondition
from edge.core.occupancy import Quality, why_none_is_recommended

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from edge.cli.shared.device_status import DeviceStatus
    from edge.core.device_health import CameraHealth, DeviceHealth, FloorHealth

# A label, a value and its style.
_Line = tuple[str, str, str]

_LABEL_WIDTH = 13
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_GOOD, _DOUBTFUL, _BAD = "green", "yellow", "bold red"
_CONDITION_STYLES = {
    CameraCondition.COUNTING: _GOOD,
    CameraCondition.ENDED: "",
    CameraCondition.STARTING: _DOUBTFUL,
    CameraCondition.DEGRADED: _DOUBTFUL,
}
_QUALITY_STYLES = {Quality.LIVE: _GOOD, Quality.DEGRADED: _DOUBTFUL, Quality.UNKNOWN: _BAD}


def draw_status(status: DeviceStatus) -> RenderableType:
    """The whole screen."""
    health = status.health
    problems = [
        ("problem", f"{problem.code}: {problem.text} (since {_time(problem.since)})", _BAD)
        for problem in health.problems
    ]
    # What matters most comes first: a small terminal shows the beginning of the screen only.
    first = [("daemon", *_daemon(status)), *problems, *_broker(health), *_events(health), _recommended(status)]
    parts: list[RenderableType] = [_lines(first)]
    if health.cameras:
        parts += ["", _camera_table(health)]
    if health.floors:
        parts += ["", _floor_table(health)]
    last = [*_detector(health), *_database(health), *_machine(health)]
    if last:
        parts += ["", _lines(last)]
    return Group(*parts)


def _lines(rows: Iterable[_Line]) -> Table:
    grid = Table.grid()
    grid.add_column(width=_LABEL_WIDTH, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value, style in rows:
        grid.add_row(label, Text(value, style))
    return grid


def _recommended(status: DeviceStatus) -> _Line:
    best = status.recommended
    if best is not None:
        return "recommended", best.name, ""
    names = unknown_floors(status.qualities)
    why = why_none_is_recommended(status.active, names) + why_unknown(status.active, status.qualities)
    return "recommended", f"none: {why}", _DOUBTFUL


def _daemon(status: DeviceStatus) -> tuple[str, str]:
    health = status.health
    if not status.running:
        return "not running; what follows is from the database", _BAD
    if not status.answered:
        return f"running, but gives no answer: {status.no_answer}; what follows is from the database", _BAD
    up = "" if health.started_at is None else f" for {_span((health.as_of - health.started_at).total_seconds())}"
    running = f"; running{up}, version {health.version}, process {health.process_id}"
    if not status.faults:
        return f"all is well{running}", _GOOD
    return f"degraded: {', '.join(status.faults)}{running}", _BAD


def _broker(health: DeviceHealth) -> Iterator[_Line]:
    broker = health.broker
    if broker is None:
        if health.process_id is not None:
            yield "broker", "none ([mqtt] enabled is false)", ""
    elif broker.connected:
        again = f", connection {broker.connections}" if broker.connections > 1 else ""
        yield "broker", f"{broker.address} connected since {_time(broker.since)}{again}", _GOOD
    else:
        span = _span((health.as_of - broker.since).total_seconds())
        yield "broker", f"{broker.address} not connected for {span}: {broker.reason or 'connecting'}", _BAD


def _detector(health: DeviceHealth) -> Iterator[_Line]:
    if (detector := health.detector) is not None:
        speed = (
            "idle" if detector.ms is None else f"{detector.ms:.0f} ms an image, busy {detector.load:.0%} of the time"
        )
        yield "detector", f"{detector.runtime} {detector.model} at {detector.image_size} pixels: {speed}", ""


def _events(health: DeviceHealth) -> Iterator[_Line]:
    if (stored := health.stored) is None:
        return
    oldest = ""
    if stored.oldest_at is not None:
        oldest = f", the oldest for {_span((health.as_of - stored.oldest_at).total_seconds())}"
    total = "?" if stored.events is None else str(stored.events)
    yield "events", f"{total}, {stored.waiting} not yet acknowledged by the broker{oldest}", ""
    if (last := stored.last_event) is not None:
        yield "last event", f"{_time(last.timestamp)} {last.direction} {last.floor}, camera {last.camera_id}", ""


def _database(health: DeviceHealth) -> Iterator[_Line]:
    if (stored := health.stored) is None:
        yield "database", "has not been read yet", _DOUBTFUL
        return
    age = (health.as_of - stored.read_at).total_seconds()
    late = f"; read {_span(age)} ago" if age > _MINUTE else ""
    disk = f"{_size(stored.disk_free_bytes)} of {_size(stored.disk_bytes)} of its disk are free"
    version = f"tables of version {stored.schema_version}"
    yield "database", f"{stored.path}, {_size(stored.bytes)}, {version}; {disk}{late}", _DOUBTFUL if late else ""


def _machine(health: DeviceHealth) -> Iterator[_Line]:
    if (machine := health.machine) is not None:
        readers = machine.processes - 1
        parts = f"daemon {_size(machine.daemon_bytes)}"
        if readers:
            parts += (
                f", {readers} camera reader{'s' * (readers > 1)} {_size(machine.memory_bytes - machine.daemon_bytes)}"
            )
        free = f"{_size(machine.available_bytes)} of {_size(machine.machine_bytes)} are available"
        yield "memory", f"{_size(machine.memory_bytes)} ({parts}); {free}", ""
        heat = "" if machine.temperature_celsius is None else f", {machine.temperature_celsius:.0f} °C"
        slow = f", slowed down: {', '.join(machine.throttled)}" if machine.throttled else ""
        before = f", slowed down since its boot: {', '.join(machine.throttled_before)}"
        slow += before if machine.throttled_before and not machine.throttled else ""
        yield (
            "machine",
            f"load {machine.load:.1f} on {machine.processors} processors{heat}{slow}",
            _BAD if machine.throttled else _DOUBTFUL if slow else "",
        )
    if (clock := health.clock) is not None:
        steps = ""
        if clock.step_at is not None:
            times = "once" if clock.steps == 1 else f"{clock.steps} times"
            steps = f", set {times}, last at {_time(clock.step_at)} by {clock.step_seconds:+.1f} s"
        # The count does not depend on it: it is no fault, but the times of the events may be wrong.
        yield "clock", f"{clock.state}{steps}", "" if clock.state == "synchronised" else _DOUBTFUL


def _camera_table(health: DeviceHealth) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("camera", "state", "since"):
        table.add_column(name, overflow="fold")
    for name in ("fps set", "sent", "done", "age", "lag", "lost", "ms p50/p99"):
        table.add_column(name, justify="right", overflow="fold")
    for camera in health.cameras:
        latency = camera.latency
        sent = camera.fps_delivered if camera.fps_camera is None else camera.fps_camera
        table.add_row(
            camera.id,
            Text(_camera_state(camera), _CONDITION_STYLES.get(camera.condition, _BAD)),
            _time(camera.since, health.as_of),
            *(_number(value, 1) for value in (camera.fps_set, sent, camera.fps_processed)),
            "-" if camera.picture_age_seconds is None else _span(camera.picture_age_seconds),
            f"{camera.lag_seconds:.1f} s" if camera.picture_age_seconds is not None else "-",
            str(camera.dropped),
            "-" if latency is None else f"{latency.p50_ms:.0f}/{latency.p99_ms:.0f}",
        )
    return table


def _camera_state(camera: CameraHealth) -> str:
    """The condition, with the stage that is missing or what is wrong with the pictures."""
    detail = ""
    if camera.pictures:
        detail = ", ".join(item.code.replace("_", " ") for item in camera.pictures)
    elif camera.condition in (CameraCondition.DOWN, CameraCondition.STARTING):
        detail = camera.stage or ""
    elif camera.condition is CameraCondition.DEGRADED and camera.skipped:
        detail = f"skips {camera.skipped}"
    return f"{camera.condition}: {detail}" if detail else str(camera.condition)


def _floor_table(health: DeviceHealth) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("floor", overflow="fold")
    for name in ("free", "of", "vehicles"):
        table.add_column(name, justify="right")
    table.add_column("quality", overflow="fold")
    for item in health.floors:
        floor, quality = item.floor, item.quality
        table.add_row(
            floor.name,
            str(floor.available_slots) if quality.is_known else "--",
            str(floor.total_slots),
            str(floor.current_vehicles),
            _floor_quality(item),
        )
    return table


def _floor_quality(item: FloorHealth) -> Text:
    if not item.floor.is_active:
        return Text("not active")
    quality = item.quality
    if quality.quality is Quality.LIVE:
        text = "live"
    else:
        since = "" if quality.blind_since is None else f" since {_time(quality.blind_since)}"
        missed = "" if quality.expected_missed is None else f", {quality.expected_missed:g} vehicles expected"
        text = f"{quality.quality}{since}, blind for {_span(quality.blind_seconds)}{missed}: {quality.reason}"
    return Text(text, _QUALITY_STYLES[quality.quality])


def _number(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _time(moment: datetime, now: datetime | None = None) -> str:
    """A time in UTC; without its date where that is the one of ``now``."""
    if now is not None and moment.date() == now.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if now is None else f"{moment:%m-%d %H:%M}"


def _span(seconds: float) -> str:
    """A time span with the two units that matter."""
    seconds = max(seconds, 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def _size(number: float) -> str:
    """A number of bytes."""
    for unit in ("kB", "MB"):
        number /= 1000
        if number < 1000:
            return f"{number:.0f} {unit}" if number >= 10 else f"{number:.1f} {unit}"
    return f"{number / 1000:.1f} GB"
