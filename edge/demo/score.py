"""Compares what the demo counted with what the simulator knows to have happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.core.events import Direction
from edge.evaluation.accuracy import match_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from edge.config.schema import CameraConfig, FloorConfig
    from edge.core.events import StoredEvent
    from edge.simulator.source import SimulatedSource

# An event may be so early or late against the true crossing; vehicles follow each other at several times that.
_MATCH_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class CameraScore:
    """One camera's true crossings and events, and those that do not match.

    ``too_slow`` is the lowest rate of processed frames a second at which the count could not be trusted; None when
    that did not happen.
    """

    camera_id: str
    true: int
    counted: int
    missed: int
    extra: int
    too_slow: float | None


@dataclass(frozen=True, slots=True)
class FloorScore:
    """A floor's true number of vehicles, and the number on the board; None where the board shows ``--``."""

    name: str
    true: int
    shown: int | None

    @property
    def right(self) -> bool:
        """Whether the board shows the truth."""
        return self.true == self.shown


@dataclass(frozen=True, slots=True)
class DemoReport:
    """How a demo went. ``messages`` is how many the board received, ``broker`` says which broker it was."""

    cameras: tuple[CameraScore, ...]
    floors: tuple[FloorScore, ...]
    messages: int
    broker: str
    folder: Path

    @property
    def right(self) -> bool:
        """Whether the board shows the truth for every floor."""
        return all(floor.right for floor in self.floors)

    @property
    def too_slow(self) -> bool:
        """Whether the machine processed too few frames for a reliable count."""
        return any(camera.too_slow is not None for camera in self.cameras)


def true_counts(
    floors: Iterable[FloorConfig], cameras: Iterable[tuple[CameraConfig, SimulatedSource]]
) -> dict[str, int]:
    """Each floor's true number of vehicles at the last frame of each camera, by the floor's name."""
    counts = {floor.name: floor.opening_vehicles for floor in floors}
    for camera, source in cameras:
        change = sum(crossing.direction.delta for crossing in source.crossings())
        for gate in camera.gates:
            counts[gate.floor] += change
            if gate.outside_floor is not None:
                counts[gate.outside_floor] -= change
    return counts


def camera_score(
    camera: CameraConfig, source: SimulatedSource, recorded: Sequence[StoredEvent], too_slow: float | None
) -> CameraScore:
    """The score of a camera whose events are among ``recorded``."""
    # A ramp between two floors gives two events a crossing: the one of the inner floor is compared.
    inner = {(gate.id, gate.floor) for gate in camera.gates}
    counted = [event for event in recorded if event.camera_id == camera.id and (event.gate_id, event.floor) in inner]
    truth = source.crossings()
    missed = extra = 0
    for direction in Direction:
        unmatched = match_times(
            [crossing.at for crossing in truth if crossing.direction is direction],
            [source.second_of(event.timestamp) for event in counted if event.direction is direction],
            _MATCH_SECONDS,
        )
        missed, extra = missed + len(unmatched[0]), extra + len(unmatched[1])
    return CameraScore(camera.id, len(truth), len(counted), missed, extra, too_slow)
