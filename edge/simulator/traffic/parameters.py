"""Defines what a simulated camera shows, and reads it from the camera's address.

sim:ramp?seed=3&fps=10&light=dusk
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl

from edge.core.errors import SourceError

_SCENES = ("ramp",)
_LIGHTS = ("day", "dusk")
# The least and the greatest value of each number.
_RANGES: dict[str, tuple[float, float]] = {
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
    "side_by_side": (0, 1),
    "u_turns": (0, 1),
    "returns": (0, 1),
    "motorbike_share": (0, 1),
    "bicycle_share": (0, 1),
    "long_share": (0, 1),
    "barrier": (0, 1),
    "idle_swings": (0, 30),
    "pedestrians": (0, 60),
    "trolleys": (0, 1),
    "prams": (0, 1),
    "beams": (0, 1),
    "flicker": (0, 0.8),
    "noise": (0, 64),
    "seconds": (0, 10**9),
    "offset": (0, 10**9),
}
# Shares that exclude each other: together they are 1 at most.
_SUMS_UP_TO_ONE = (("u_turns", "returns"), ("bicycle_share", "long_share"), ("trolleys", "prams"))
# Keys that have no effect without another key.
_NEEDED_KEYS = {"idle_swings": "barrier", "trolleys": "pedestrians", "prams": "pedestrians"}


@dataclass(frozen=True, slots=True)
class SceneParameters:
    """What a simulated camera shows. A value out of range raises ``SourceError`` with the key and the range.

    Seconds are simulated, counted from the scene's zero. Shares are of the vehicles that come, unless a comment says
    otherwise.
    """

    seed: int = 0
    width: int = 640  # pixels
    height: int = 360
    fps: float = 10.0  # of the source of frames; the scene itself knows only seconds
    vehicles_per_minute: float = 12.0  # in both directions together; 0 is an empty garage
    entry_share: float = 0.5
    min_speed: float = 0.18  # frame widths a second
    max_speed: float = 0.35
    stop_on_line: float = 0.0  # share that stands on the line for 1 to 4 seconds
    tailgating: float = 0.0  # share that the next vehicle follows at half a car's length; at most four in a row
    side_by_side: float = 0.0  # share of those entering that the next vehicle comes in abreast of, on a third lane
    u_turns: float = 0.0  # share that stops short of the line and backs out; long vehicles never do
    returns: float = 0.0  # share of the cars and vans that passes the line and backs out over it: two crossings
    motorbike_share: float = 0.13  # of those that are neither bicycles nor long
    bicycle_share: float = 0.0  # bicycles take no slot, so the truth does not count them
    long_share: float = 0.0  # minibuses of 6.5 m, and cars with a trailer, 8 m together
    barrier: int = 0  # 1: each lane has a boom barrier, at which every vehicle waits
    idle_swings: float = 0.0  # times a minute that each barrier opens and closes without a vehicle
    pedestrians: float = 0.0  # people a minute, on strips of their own
    trolleys: float = 0.0  # share of the people that pushes a shopping trolley
    prams: float = 0.0  # share of the people that pushes a pram
    light: str = "day"  # or "dusk": darker, lamps lit
    beams: float = 0.0  # at dusk: how bright headlights light the floor up to 7 m ahead
    flicker: float = 0.0  # share of the light that passing clouds and failing lamps take at most
    noise: float = 2.0  # standard deviation, grey levels
    seconds: float = 0.0  # no vehicle comes that could not have left before this second; 0: endless
    offset: float = 0.0  # second of the first frame

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and least <= value <= most):
                raise SourceError(f"sim: {name} is {value}; give a number from {least:g} to {most:g}")
        if self.min_speed > self.max_speed:
            raise SourceError(
                f"sim: min_speed is {self.min_speed}, more than the {self.max_speed} of max_speed; lower it"
            )
        for first, second in _SUMS_UP_TO_ONE:
            total = getattr(self, first) + getattr(self, second)
            if total > 1 + 1e-9:
                raise SourceError(f"sim: {first} and {second} are {total:g} together, more than 1; lower one of them")
        for name, needed in _NEEDED_KEYS.items():
            if getattr(self, name) > 0 and not getattr(self, needed):
                raise SourceError(f"sim: {name} has no effect without {needed}; give {needed} too")
        if self.light not in _LIGHTS:
            raise SourceError(f"sim: light is {self.light!r}; give one of: {', '.join(_LIGHTS)}")
        if self.beams > 0 and self.light != "dusk":
            raise SourceError("sim: beams are seen at dusk only; give light=dusk too")
        if 0 < self.seconds <= self.offset:
            raise SourceError(f"sim: seconds is {self.seconds}, not after the offset of {self.offset}; raise it")


def parse_scene(source: str) -> SceneParameters:
    """The parameters in ``sim:ramp?seed=3&light=dusk``; a key is a field of ``SceneParameters``.

    Raises ``SourceError`` that names the key and the remedy: another scene, an unknown or repeated key, a value
    that is no number or out of range.
    """
    scheme, _, rest = source.partition(":")
    name, _, query = rest.partition("?")
    if scheme != "sim":
        raise SourceError(f"{source!r} is no simulated camera; write sim:{_SCENES[0]}?seed=1")
    if name not in _SCENES:
        raise SourceError(f"sim: there is no scene {name!r}; write one of: {', '.join(f'sim:{s}' for s in _SCENES)}")
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
            raise SourceError(f"sim: {key} is given twice; remove one of them")
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
