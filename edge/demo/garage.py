"""The garage on a desk: the real daemon with simulated cameras, and a board beside the truth.

Two cameras look at two ramps:

    entrance    street | Ground Floor        an entry adds a vehicle to the Ground Floor
    upper-ramp  Ground Floor | First Floor   an entry moves a vehicle up

The simulator knows what truly happened, the board knows what MQTT told it. The demo is right when both are the same.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.board.session import Board
from edge.config.load import load_config
from edge.config.schema import Config
from edge.core.events import Direction
from edge.daemon.daemon import Daemon
from edge.demo.broker import demo_broker
from edge.evaluation.accuracy import match
from edge.mqtt.forget_site import forget_site
from edge.mqtt.topics import Topics
from edge.simulator.scene import Scene
from edge.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.board.session import BoardSnapshot
    from edge.config.schema import CameraConfig, FloorConfig
    from edge.core.events import Event
    from edge.daemon.signals import Signals
    from edge.simulator.source import SimulatedSource
    from edge.store.counts.stored_event import Recorded

# A count may be early or late by as much against the truth; a vehicle needs several times that to pass.
MATCH_SECONDS = 1.5
# How long the board may take to show the last count.
SETTLE_SECONDS = 10.0
EVENTS_SHOWN = 8
REFRESH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What a demo is asked to do. ``image_size`` and ``fps`` are for machines slower than a desk's.

    ``broker`` is the host and port of the broker to use; None finds or starts one.
    """

    folder: Path
    seconds: float
    seed: int
    fps: float
    vehicles_per_minute: float
    image_size: int
    broker: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class CameraTruth:
    """One camera's score: true crossings so far, counted ones, and what does not match."""

    camera_id: str
    true: int
    counted: int
    missed: int
    extra: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How a demo went."""

    cameras: tuple[CameraTruth, ...]
    floors: tuple[tuple[str, int, int | None], ...]
    messages: int
    broker: str
    folder: Path

    @property
    def right(self) -> bool:
        """Whether the board shows the truth for every floor."""
        return all(true == shown for _, true, shown in self.floors)


@dataclass(slots=True)
class Moment:
    """What a viewer shows: everything at one moment."""

    elapsed: float
    phase: str
    floors: tuple[tuple[str, int, int], ...]
    board: BoardSnapshot
    daemon: Daemon
    events: Sequence[Event]
    broker: str
    folder: Path


class Demo:
    """Runs a demo; ``show`` is called with a ``Moment`` several times a second."""

    def __init__(self, options: DemoOptions, signals: Signals, show: Callable[[Moment], None]) -> None:
        self._options = options
        self._signals = signals
        self._show = show
        self._events: deque[Event] = deque(maxlen=EVENTS_SHOWN)
        self._recorded: list[Event] = []

    def run(self) -> Summary:
        """Count for the wanted time, or until the first Ctrl-C; then let the ramps run empty, and compare."""
        with ExitStack() as stack:
            host, port, broker = demo_broker(self._options.broker, self._options.folder, stack)
            config = demo_config(self._options, host, port)
            topics = Topics(config.mqtt.topic_prefix, config.site.id, config.device.id)
            # A broker that others use as well must not keep the demo's retained messages.
            stack.callback(forget_site, config.mqtt, topics, [floor.name for floor in config.floors])
            board = Board(
                config.mqtt, f"{config.client_id}-board", topics, floors=[floor.name for floor in config.floors]
            )
            board.start()
            stack.callback(board.close)
            sources = [(camera, open_source(camera)) for camera in config.cameras]
            daemon = Daemon(config, sources=sources, on_recorded=self._remember)
            daemon.start()
            stack.callback(daemon.close)
            run = _Run(config, daemon, board, broker, self._options)
            run.watch(self._signals, self._moment_shower(run))
            return run.summary(list(self._recorded), board.snapshot())

    def _remember(self, recorded: Sequence[Recorded]) -> None:
        """In the writer's thread."""
        for item in recorded:
            if item.inserted:
                self._recorded.append(item.event.event)
                self._events.append(item.event.event)

    def _moment_shower(self, run: _Run) -> Callable[[str], None]:
        return lambda phase: self._show(run.moment(phase, list(self._events)))


class _Run:
    """A demo on its way: knows the truth of the scenes, and what the board should show."""

    def __init__(self, config: Config, daemon: Daemon, board: Board, broker: str, options: DemoOptions) -> None:
        self._config = config
        self._daemon = daemon
        self._board = board
        self._broker = broker
        self._options = options
        self._began = time.monotonic()

    def watch(self, signals: Signals, show: Callable[[str], None]) -> None:
        """Until the time is over and the ramps are empty, the demo is stopped for good, or the daemon fails."""
        end = self._options.seconds
        phase = "counting"
        while not self._daemon.failed:
            show(phase)
            if signals.stop and phase != "counting":
                return  # a second Ctrl-C
            if signals.stop:
                signals.stop = False
                phase = "letting the ramps run empty (Ctrl-C again stops at once)"
                end = max(source.stop_traffic() for _, source in self._cameras())
            if all(source.truth_until >= end for _, source in self._cameras()):
                break
            time.sleep(REFRESH_SECONDS)
        deadline = time.monotonic() + SETTLE_SECONDS
        while not self._settled() and time.monotonic() < deadline and not signals.stop:
            show("waiting for the board")
            time.sleep(REFRESH_SECONDS / 5)
        show("done")

    def moment(self, phase: str, events: Sequence[Event]) -> Moment:
        """What there is to show now."""
        return Moment(
            elapsed=time.monotonic() - self._began,
            phase=phase,
            floors=tuple((floor.name, count, floor.total_slots) for floor, count in self._truth()),
            board=self._board.snapshot(),
            daemon=self._daemon,
            events=events,
            broker=self._broker,
            folder=self._options.folder,
        )

    def summary(self, recorded: Sequence[Event], snapshot: BoardSnapshot) -> Summary:
        """The score: truth against what was recorded, and against what the board shows."""
        shown = {row.name: row.vehicles for row in snapshot.rows}
        return Summary(
            cameras=tuple(self._score(camera, source, recorded) for camera, source in self._cameras()),
            floors=tuple((floor.name, count, shown.get(floor.name)) for floor, count in self._truth()),
            messages=snapshot.messages,
            broker=self._broker,
            folder=self._options.folder,
        )

    def _cameras(self) -> list[tuple[CameraConfig, SimulatedSource]]:
        return [(worker.camera, worker.source) for worker in self._daemon.workers]  # type: ignore[misc]

    def _truth(self) -> list[tuple[FloorConfig, int]]:
        """Each floor's true count at the last frame of each camera."""
        counts = {floor.name: floor.opening_vehicles for floor in self._config.floors}
        for camera, source in self._cameras():
            for crossing in source.crossings():
                for gate in camera.gates:
                    counts[gate.floor] += crossing.direction.delta
                    if gate.outside_floor is not None:
                        counts[gate.outside_floor] -= crossing.direction.delta
        return [(floor, counts[floor.name]) for floor in self._config.floors]

    def _settled(self) -> bool:
        shown = {row.name: row.vehicles for row in self._board.snapshot().rows}
        return all(shown.get(floor.name) == count for floor, count in self._truth())

    def _score(self, camera: CameraConfig, source: SimulatedSource, recorded: Sequence[Event]) -> CameraTruth:
        inner = {(gate.id, gate.floor) for gate in camera.gates}
        counted = [e for e in recorded if e.camera_id == camera.id and (e.gate_id, e.floor) in inner]
        truth = source.crossings()
        missed = extra = 0
        for direction in Direction:
            wrong = match(
                [crossing.at for crossing in truth if crossing.direction is direction],
                [source.second_of(event.timestamp) for event in counted if event.direction is direction],
                MATCH_SECONDS,
            )
            missed, extra = missed + len(wrong[0]), extra + len(wrong[1])
        return CameraTruth(camera.id, len(truth), len(counted), missed, extra)


def demo_config(options: DemoOptions, host: str, port: int) -> Config:
    """The configuration of the garage on a desk."""
    gate = {"id": "ramp", "line": Scene.LINE, "inside": Scene.INSIDE}

    def source(seed: int) -> str:
        return (
            f"sim:ramp?seed={seed}&fps={options.fps:g}&vehicles_per_minute={options.vehicles_per_minute:g}"
            f"&seconds={options.seconds:g}"
        )

    return Config.model_validate(
        {
            # Never the name of a real site on a shared broker.
            "site": {"id": f"demo-{secrets.token_hex(3)}"},
            "device": {"id": "desk"},
            "database": {"path": options.folder / "smartpark.db"},
            # What the environment says of the detector holds here too: where the weights are, how many threads.
            "detector": load_config(None).detector.model_copy(update={"image_size": options.image_size}),
            "mqtt": {"host": host, "port": port},
            "floors": [
                {"name": "Ground Floor", "total_slots": 120, "opening_vehicles": 60},
                {"name": "First Floor", "total_slots": 80, "opening_vehicles": 40},
            ],
            "cameras": [
                {
                    "id": "entrance",
                    "source": source(2 * options.seed),
                    "gates": [{**gate, "floor": "Ground Floor"}],
                },
                {
                    "id": "upper-ramp",
                    "source": source(2 * options.seed + 1),
                    "gates": [{**gate, "floor": "First Floor", "outside_floor": "Ground Floor"}],
                },
            ],
        }
    )
