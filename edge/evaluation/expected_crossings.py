"""Finds the crossings that a clip is expected to give: those of its label, or those of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.config.schema import GateConfig
from edge.core.events import Direction
from edge.evaluation.accuracy import ExpectedCrossing
from edge.simulator.scene import Scene, parse_scene
from edge.simulator.source import split_recorded

if TYPE_CHECKING:
    from edge.config.schema import Config
    from edge.evaluation.label_file import Label

_ON_LINE = 0.2  # sides of a simulated vehicle's box: it is on the line while its centre is no further from it
_SAMPLE_SECONDS = 0.1  # from one sample of a simulated vehicle's place to the next


def simulated_gate() -> GateConfig:
    """The gate of every simulated scene."""
    return GateConfig(id="ramp", line=Scene.LINE, inside=Scene.INSIDE, floor="inside")


def expected_crossings(label: Label, config: Config) -> list[ExpectedCrossing]:
    """The crossings of a label; a simulated scene's bicycles are among them where the configuration counts them."""
    if label.truth is None:
        return _simulated_crossings(label.source, bicycles=config.counting.bicycles)
    by_direction = (
        (Direction.ENTRY, label.truth.entries),
        (Direction.EXIT, label.truth.exits),
        (None, label.truth.uncertain),
    )
    return [ExpectedCrossing(direction, at, at) for direction, times in by_direction for at in times]


def _simulated_crossings(source: str, *, bicycles: bool) -> list[ExpectedCrossing]:
    """The simulator's crossings, each as long as the vehicle's centre is on the line.

    A vehicle that stops there is on the line for seconds, and no picture shows at which of them its centre passes.
    """
    address, _ = split_recorded(source)
    parameters = parse_scene(address)
    scene = Scene(parameters)
    crossings = scene.crossings(parameters.seconds)
    if bicycles:
        crossings += scene.bicycles(parameters.seconds)
    on_line = _spans_on_line(scene)
    expected = []
    for crossing in sorted(crossings, key=lambda crossing: crossing.at):
        at = crossing.at
        spans = [
            (first, last)
            for first, last in on_line.get(crossing.vehicle, [])
            if first - _SAMPLE_SECONDS <= at <= last + _SAMPLE_SECONDS
        ]
        first, last = spans[0] if spans else (at, at)
        expected.append(ExpectedCrossing(crossing.direction, min(first, at), max(last, at)))
    return expected


def _spans_on_line(scene: Scene) -> dict[int, list[tuple[float, float]]]:
    """For each vehicle the spans of seconds, first and last, in which its centre is on the line."""
    parameters = scene.parameters
    line = Scene.LINE[0][0] * parameters.width
    spans: dict[int, list[tuple[float, float]]] = {}
    steps = round((parameters.seconds - parameters.offset) / _SAMPLE_SECONDS)
    for at in (parameters.offset + step * _SAMPLE_SECONDS for step in range(steps + 1)):
        for vehicle in scene.boxes(at):
            if abs(vehicle.box.center.x - line) > _ON_LINE * vehicle.box.side:
                continue
            known = spans.setdefault(vehicle.vehicle, [])
            if known and at - known[-1][1] < 1.5 * _SAMPLE_SECONDS:
                known[-1] = (known[-1][0], at)
            else:
                known.append((at, at))
    return spans
