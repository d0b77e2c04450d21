"""Runs the demo: the real daemon on simulated cameras, a display board, and the truth to compare it with.

The simulator knows what truly happened, the board what it received over MQTT. The demo is right when both are the same.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.board.session import Board
from edge.daemon.daemon import Daemon
from edge.demo.broker import demo_broker
from edge.demo.configuration import demo_config
from edge.demo.score import DemoReport, FloorScore, camera_score, true_counts
from edge.mqtt.clear_retained import clear_retained
from edge.mqtt.topics import Topics
from edge.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.board.session import BoardSnapshot
    from edge.config.schema import CameraConfig, Config
    from edge.core.events import StoredEvent
    from edge.daemon.camera_worker import CameraWorker
    from edge.daemon.signals import Signals
    from edge.demo.configuration import DemoOptions
    from edge.simulator.source import SimulatedSource

# How long the board may take to show the last count.
_BOARD_SECONDS = 30.0
_EVENTS_SHOWN = 8
_SHOW_SECONDS = 0.25


class DemoPhase(StrEnum):
    """What the demo is doing, as it is shown."""

    COUNTING = "counting"
    EMPTYING = "letting the ramps run empty (Ctrl-C again stops at once)"
    WAITING = "waiting for the board"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DemoSnapshot:
    """What the demo shows at one moment. ``floors`` are (name, true vehicles, total slots)."""

    elapsed: float
    phase: DemoPhase
    floors: tuple[tuple[str, int, int], ...]
    board: BoardSnapshot
    workers: Sequence[CameraWorker]
    events: Sequence[StoredEvent]
    broker: str
    folder: Path


class Demo:
    """One run of the demo; ``show`` is called with a ``DemoSnapshot`` several times a second."""

    def __init__(self, options: DemoOptions, signals: Signals, show: Callable[[DemoSnapshot], None]) -> None:
        self._options = options
        self._signals = signals
        self._show = show

    def run(self) -> DemoReport:
        """Count for the wanted time, or until the first Ctrl-C; then let the ramps run empty, and compare.

        Raises RefusedError when there is no broker, and what a start of the daemon raises.
        """
        with ExitStack() as stack:
            host, port, broker = demo_broker(self._options.broker, self._options.folder, stack)
            config = demo_config(self._options, host, port)
            topics = Topics(config.mqtt.topic_prefix, config.site.id, config.device.id)
            # A broker that others use as well must not keep the demo's retained messages.
            stack.callback(clear_retained, config.mqtt, topics, [floor.name for floor in config.floors])
            board = Board(
                config.mqtt, f"{config.client_id}-board", topics, floors=[floor.name for floor in config.floors]
            )
            board.start()
            stack.callback(board.close)
            recorded: list[StoredEvent] = []
            daemon = Daemon(
                config,
                sources=[(camera, open_source(camera)) for camera in config.cameras],
                # Called in the writer's thread.
                on_recorded=lambda items: recorded.extend(item.event for item in items if item.inserted),
            )
            daemon.start()
            stack.callback(daemon.close)
            observer = _Observer(config, daemon, board, broker, self._options.folder, recorded)
            _watch(self._options, self._signals, observer, self._show)
            return observer.report()


def _watch(options: DemoOptions, signals: Signals, observer: _Observer, show: Callable[[DemoSnapshot], None]) -> None:
    """Show the demo until its traffic is over and counted; a second Ctrl-C or a failed daemon ends it at once."""
    end = options.seconds
    stopping = False
    while not observer.failed:
        observer.check()
        show(observer.snapshot(DemoPhase.EMPTYING if stopping else DemoPhase.COUNTING))
        if signals.stop and stopping:
            return
        if signals.stop:
            signals.stop = False
            stopping = True
            end = observer.stop_traffic()
        if observer.has_shown(end):
            break
        time.sleep(_SHOW_SECONDS)
    deadline = time.monotonic() + _BOARD_SECONDS
    while not observer.board_is_right() and time.monotonic() < deadline and not signals.stop:
        observer.check()
        show(observer.snapshot(DemoPhase.WAITING))
        time.sleep(_SHOW_SECONDS / 5)
    show(observer.snapshot(DemoPhase.DONE))


class _Observer:
    """Looks at a running demo from outside: the truth of the scenes, the daemon, and the board."""

    def __init__(
        self, config: Config, daemon: Daemon, board: Board, broker: str, folder: Path, recorded: Sequence[StoredEvent]
    ) -> None:
        """``recorded`` grows while the demo runs."""
        self._config = config
        self._daemon = daemon
        self._board = board
        self._broker = broker
        self._folder = folder
        self._recorded = recorded
        self._began = time.monotonic()
        self._too_slow: dict[str, float] = {}

    @property
    def failed(self) -> bool:
        """Whether the daemon has failed."""
        return self._daemon.failed

    def check(self) -> None:
        """Have the daemon look at its health and its cameras, as often as the demo looks."""
        self._daemon.check()

    def stop_traffic(self) -> float:
        """Let no more vehicles come; returns the scenes' second at which all of them have left."""
        return max(source.stop_traffic() for _, source in self._cameras())

    def has_shown(self, second: float) -> bool:
        """Whether every camera has handed out the frame at that second of its scene, or its last one."""
        return all(worker.finished for worker in self._daemon.workers) or all(
            source.truth_until >= second for _, source in self._cameras()
        )

    def board_is_right(self) -> bool:
        """Whether the board shows every floor's true number of vehicles."""
        return all(floor.right for floor in self._floor_scores())

    def snapshot(self, phase: DemoPhase) -> DemoSnapshot:
        """What there is to show now."""
        for worker in self._daemon.workers:
            statistics = worker.pipeline.statistics
            if statistics.too_slow:
                before = self._too_slow.get(worker.camera.id, statistics.frames_per_second)
                self._too_slow[worker.camera.id] = min(before, statistics.frames_per_second)
        truth = true_counts(self._config.floors, self._cameras())
        return DemoSnapshot(
            elapsed=time.monotonic() - self._began,
            phase=phase,
            floors=tuple((floor.name, truth[floor.name], floor.total_slots) for floor in self._config.floors),
            board=self._board.snapshot(),
            workers=self._daemon.workers,
            events=self._recorded[-_EVENTS_SHOWN:],
            broker=self._broker,
            folder=self._folder,
        )

    def report(self) -> DemoReport:
        """The truth against what was recorded, and against what the board shows."""
        recorded = list(self._recorded)
        return DemoReport(
            cameras=tuple(
                camera_score(camera, source, recorded, self._too_slow.get(camera.id))
                for camera, source in self._cameras()
            ),
            floors=tuple(self._floor_scores()),
            messages=self._board.messages,
            broker=self._broker,
            folder=self._folder,
        )

    def _cameras(self) -> list[tuple[CameraConfig, SimulatedSource]]:
        return [(worker.camera, worker.source) for worker in self._daemon.workers]  # type: ignore[misc]

    def _floor_scores(self) -> list[FloorScore]:
        shown = {row.name: row.vehicles for row in self._board.snapshot().rows}
        truth = true_counts(self._config.floors, self._cameras())
        return [FloorScore(name, count, shown.get(name)) for name, count in truth.items()]
