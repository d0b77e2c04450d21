"""The simulated camera: a garage ramp seen from the side, whose truth is known.

    sim:ramp?seed=3&fps=10&light=dusk

Vehicles enter to the right in the nearer lane and leave to the left in the farther one. The same parameters give
the same traffic and the same pixels, at any frame size and rate.
"""

from __future__ import annotations

import copy
import difflib
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from edge.capture.scene import DIM, Drawn, Painter, outline
from edge.capture.scene_garage import View
from edge.capture.sim_arrivals import Habits
from edge.capture.sim_traffic import STEP, Traffic
from edge.errors import SourceError
from edge.records import Box, Direction

if TYPE_CHECKING:
    from edge.records import Image

SCENES = ("ramp",)
# The least and the most of each number.
RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "width": (160, 3840),
    "height": (96, 2160),
    "fps": (0.1, 240),
    "vehicles_per_minute": (0, 120),
    "entry_share": (0, 1),
    "min_speed": (0.02, 2),
    "max_speed": (0.02, 2),
    "stop_on_line": (0, 1),
    "tailgating": (0, 1),
    "u_turns": (0, 1),
    "noise": (0, 64),
    "seconds": (0, 10**9),
    "offset": (0, 10**9),
}


@dataclass(frozen=True, slots=True)
class SceneParameters:
    """What a simulated camera shows. A value out of range raises ``SourceError`` with the key and the range.

    Seconds are simulated ones, counted from the scene's zero.
    """

    seed: int = 0
    width: int = 640  # pixels
    height: int = 360
    fps: float = 10.0  # for whoever asks for frames; the scene itself knows only seconds
    vehicles_per_minute: float = 12.0  # in both directions together; 0 is an empty garage
    entry_share: float = 0.5
    min_speed: float = 0.18  # frame widths a second
    max_speed: float = 0.35
    stop_on_line: float = 0.0  # share of the vehicles that stand on the line for 1 to 4 seconds
    tailgating: float = 0.0  # share that the next one follows at half a car's length; at most four in a row
    u_turns: float = 0.0  # share that stops short of the line and backs out
    light: str = "day"  # or "dusk": darker, lamps lit
    noise: float = 2.0  # standard deviation, grey levels
    seconds: float = 0.0  # no vehicle comes that could not have left before this second; 0: endless
    offset: float = 0.0  # second of the first frame

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= most):
                raise SourceError(f"sim: {name} is {value}; give a number from {least:g} to {most:g}")
        if self.min_speed > self.max_speed:
            raise SourceError(
                f"sim: min_speed is {self.min_speed}, more than the {self.max_speed} of max_speed; lower it"
            )
        if self.light not in DIM:
            raise SourceError(f"sim: light is {self.light!r}; give one of: {', '.join(DIM)}")
        if 0 < self.seconds <= self.offset:
            raise SourceError(f"sim: seconds is {self.seconds}, not after the offset of {self.offset}; raise it")


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """The middle of a vehicle passed the gate's line at simulated second ``at``.

    ``vehicle`` counts from 1 in the order in which vehicles want to come in; ``kind`` is ``sedan``,
    ``hatchback``, ``van`` or ``motorbike``.
    """

    vehicle: int
    kind: str
    direction: Direction
    at: float


class TrueBox(NamedTuple):
    """Where a vehicle is in a frame: pixels, cut at the frame's edges, shadow and glow not counted.

    ``direction`` is its lane's: one that makes a U-turn keeps it while it backs out.
    """

    vehicle: int
    kind: str
    direction: Direction
    box: Box


class Scene:
    """A pure function of parameters and time: no clock, no I/O.

    Meant to be asked for later and later seconds. An earlier one is answered as well, but by driving the traffic
    from second 0 again (about a second for two hours of traffic). Memory stays bounded in an endless run: only
    vehicles on their way are kept, and 17 bytes for each crossing made. Not safe to share between threads.
    """

    LINE = ((0.5, 0.25), (0.5, 0.98))  # the gate's line, fractions of the frame
    INSIDE = (0.9, 0.6)  # crossing towards the right is an entry

    def __init__(self, parameters: SceneParameters) -> None:
        self.parameters = parameters
        self._view = View(parameters.width, parameters.height)
        self._painter = Painter(self._view, parameters.light, parameters.noise, parameters.seed)
        self._habits = Habits(
            seed=parameters.seed,
            vehicles_per_minute=parameters.vehicles_per_minute,
            entry_share=parameters.entry_share,
            min_speed=parameters.min_speed,
            max_speed=parameters.max_speed,
            stop_on_line=parameters.stop_on_line,
            tailgating=parameters.tailgating,
            u_turns=parameters.u_turns,
            seconds=parameters.seconds,
        )
        self._stopped_at: float | None = None
        self._traffic: Traffic | None = None  # at the second that was looked at last
        self._ahead: Traffic | None = None  # at the last second whose crossings were asked for

    def render(self, at: float) -> Image:
        """The frame at second ``at``: height x width x 3, BGR. A new array each time."""
        vehicles = [drawn for _, drawn in self._seen(at)]
        return self._painter.paint(vehicles, round(at * 1000))

    def boxes(self, at: float) -> list[TrueBox]:
        """The boxes of the vehicles in the picture at second ``at``, the farther lane first."""
        found = []
        for number, drawn in self._seen(at):
            whole = outline(self._view, drawn)
            box = Box(
                max(whole.x1, 0.0),
                max(whole.y1, 0.0),
                min(whole.x2, float(self._view.width)),
                min(whole.y2, float(self._view.height)),
            )
            if box.area > 0:
                found.append(TrueBox(number, drawn.kind.name, drawn.lane.direction, box))
        return found

    def crossings(self, until: float) -> list[TrueCrossing]:
        """Every crossing from the parameters' ``offset`` up to second ``until``, in order of time.

        Looking ahead does not disturb ``render`` and ``boxes``.
        """
        step = math.floor(until / STEP) + 1
        if self._ahead is None:
            self._ahead = copy.deepcopy(self._traffic) or Traffic(self._habits, self._stopped_at)
        self._ahead.advance(step)
        return [
            TrueCrossing(one.number, one.kind.name, one.direction, one.at)
            for one in self._ahead.passes.between(self.parameters.offset, until)
        ]

    def stop_traffic(self, at: float) -> float:
        """Let nobody into the picture who is not in it at second ``at``.

        Returns the second from which the picture is empty (``at`` if it is already), unless an earlier call
        stopped the traffic earlier. Crossings after ``at`` are then those of the vehicles in the picture.
        """
        if self._stopped_at is None or at < self._stopped_at:
            self._stopped_at = at
            self._drive_to(at).stop(at)
        rest = copy.deepcopy(self._drive_to(at))
        self._ahead = copy.deepcopy(rest)
        while not rest.empty:
            rest.advance(rest.step + 1)
        return max(at, rest.step * STEP)

    def _drive_to(self, at: float) -> Traffic:
        step = math.floor(at / STEP)
        if self._traffic is None or self._traffic.step > step:
            self._traffic = Traffic(self._habits, self._stopped_at)
        self._traffic.advance(step)
        return self._traffic

    def _seen(self, at: float) -> list[tuple[int, Drawn]]:
        traffic = self._drive_to(at)
        since = at - traffic.step * STEP
        seen = []
        for vehicle in traffic.vehicles():
            place = vehicle.place_after(since)
            x = place if vehicle.lane.direction is Direction.ENTRY else 1.0 - place
            seen.append((vehicle.number, Drawn(vehicle.kind, vehicle.colour, vehicle.lane, x)))
        return seen


def parse(source: str) -> SceneParameters:
    """The parameters in ``sim:ramp?seed=3&light=dusk``; a key is a field of ``SceneParameters``.

    Raises ``SourceError`` that names the key and the remedy: another scene, an unknown or repeated key, a value
    that is no number or out of range.
    """
    scheme, _, rest = source.partition(":")
    name, _, query = rest.partition("?")
    if scheme != "sim":
        raise SourceError(f"{source!r} is no simulated camera; write sim:{SCENES[0]}?seed=1")
    if name not in SCENES:
        raise SourceError(f"sim: there is no scene {name!r}; write one of: {', '.join(f'sim:{s}' for s in SCENES)}")
    kinds = {field.name: field.type for field in fields(SceneParameters)}
    values: dict[str, int | float | str] = {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise SourceError(f"sim: {query!r} cannot be read; write key=value&key=value") from None
    for key, text in pairs:
        if key not in kinds:
            near = difflib.get_close_matches(key, kinds, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are: {', '.join(kinds)}"
            raise SourceError(f"sim: there is no key {key!r}; {hint}")
        if key in values:
            raise SourceError(f"sim: {key} is given twice; remove one")
        values[key] = _value(key, str(kinds[key]), text)
    return SceneParameters(**values)  # type: ignore[arg-type]  # _value gives each field's own type


def _value(key: str, kind: str, text: str) -> int | float | str:
    try:
        if kind == "int":
            return int(text)
        return float(text) if kind == "float" else text
    except ValueError:
        whole = "a whole number" if kind == "int" else "a number"
        raise SourceError(f"sim: {key} is {text!r}; give {whole}") from None
