"""Lists the numbers that counting depends on, and changes them by a share, one at a time or all together.

A number is named by where it stands: ``tracking.life.rest_seconds`` is ``TrackingParameters().life.rest_seconds``, and
``config.tracker.merge_iou`` is the key ``merge_iou`` of the configuration's section ``[tracker]``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from annotated_types import Ge, Gt, Le, Lt

from edge.config.schema import Config
from edge.counting.parameters import DEFAULT_COUNTING, CountingParameters
from edge.detection.parameters import DEFAULT_DETECTION, DetectionParameters
from edge.tracking.parameters import DEFAULT_TRACKING, TrackingParameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.config.section import Section

# Sections of the configuration whose numbers decide what is counted.
_SECTIONS = ("detector", "tracker", "counting")
# Numbers that act before an observation is recorded: on the frames, or in the detector.
_BEFORE_THE_RECORDING = ("tracking.flow.", "tracking.gaps.flow_seconds", "config.tracker.flow_width")
_IN_THE_DETECTOR = ("detection.", "config.detector.")
# Numbers of those rooms that are about something else than counting.
_NOT_OF_COUNTING = {"detection.most_names_shown", "detection.pip_seconds", "config.detector.threads"}
# Sides of filter kernels must be odd.
_ODD = {"tracking.flow.blur"}
# Numbers below 1 whose name has one of these are parts of a whole, so that 1 is the most.
_PARTS_OF_A_WHOLE = ("share", "iou", "inside", "confidence", "covers", "overlap", "nested")
_LARGEST = {"tracking.flow.strong_percentile": 100.0, "detection.padding_grey": 255}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers that one run counts with."""

    config: Config = field(default_factory=Config)
    detection: DetectionParameters = DEFAULT_DETECTION
    tracking: TrackingParameters = DEFAULT_TRACKING
    counting: CountingParameters = DEFAULT_COUNTING


class Acts(StrEnum):
    """What must be done anew to see the effect of a number."""

    ON_TRACKS = "counting of the tracks"
    ON_RECORDINGS = "tracking and counting of recordings"
    ON_FRAMES = "optical flow of the frames"
    IN_THE_DETECTOR = "detection"


@dataclass(frozen=True, slots=True)
class TunedNumber:
    """A number by its name, with its value and what must be done anew when it changes."""

    name: str
    value: float
    acts: Acts

    def scaled(self, factor: float) -> float:
        """The value times ``factor``, clamped to what is valid; an integer changes by 1 at least, if it can.

        The result equals ``value`` where the limit leaves no other.
        """
        value = self.value * factor
        if isinstance(self.value, int):
            value = round(value)
            if value == self.value and factor != 1:
                value += 1 if factor > 1 else -1
            value = max(value, 1)
            if self.name in _ODD and value % 2 == 0:
                value += 1 if factor > 1 else -1
        else:
            value = float(f"{value:.9g}")
        return self._limited(value)

    def drawn(self, source: random.Random, spread: float) -> float:
        """The value times a random factor between 1 - ``spread`` and 1 + ``spread``; an integer may stay as it is."""
        value = self.value * source.uniform(1 - spread, 1 + spread)
        if isinstance(self.value, int):
            value = max(round(value), 1)
            value = self.value if self.name in _ODD and value % 2 == 0 else value
        return self._limited(value)

    def _limited(self, value: float) -> float:
        least, most = _limits(self.name)
        if self.value < 1 and any(word in self.name.rsplit(".", 1)[1] for word in _PARTS_OF_A_WHOLE):
            most = min(most, 1.0)
        if not least <= value <= most:
            value = type(self.value)(min(max(value, least), most))
        return value


def tuned_numbers() -> list[TunedNumber]:
    """Every number that counting depends on, with its default value."""
    numbers = Numbers()
    found = [
        TunedNumber(f"config.{section}.{key}", value, _acts(f"config.{section}.{key}"))
        for section in _SECTIONS
        for key, value in getattr(numbers.config, section)
        if _is_number(value)
    ]
    for room in ("detection", "tracking", "counting"):
        found += [TunedNumber(name, value, _acts(name)) for name, value in _leaves(room, getattr(numbers, room))]
    return [number for number in found if number.name not in _NOT_OF_COUNTING]


def with_value(numbers: Numbers, name: str, value: float) -> Numbers:
    """The same numbers, but for that one. Raises ``AttributeError`` for a name that does not exist."""
    root, *path = name.split(".")
    if root == "config":
        section, key = path
        changed: Section = getattr(numbers.config, section)
        if key not in type(changed).model_fields:
            raise AttributeError(name)
        changed = changed.model_copy(update={key: value})
        return replace(numbers, config=numbers.config.model_copy(update={section: changed}))
    return replace(numbers, **{root: _replaced(getattr(numbers, root), path, value)})


def with_random_values(numbers: Sequence[TunedNumber], seed: int, spread: float) -> Numbers:
    """All of ``numbers`` changed by a random share of ``spread`` at most, each by its own; the same for one seed."""
    source = random.Random(seed)
    changed = Numbers()
    for number in numbers:
        changed = with_value(changed, number.name, number.drawn(source, spread))
    return changed


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _leaves(name: str, parameters: Any) -> Iterator[tuple[str, float]]:
    for part in fields(parameters):
        value = getattr(parameters, part.name)
        if is_dataclass(value):
            yield from _leaves(f"{name}.{part.name}", value)
        elif _is_number(value):
            yield f"{name}.{part.name}", value


def _replaced(parameters: Any, path: Sequence[str], value: float) -> Any:
    part, *rest = path
    inner = getattr(parameters, part)
    return replace(parameters, **{part: _replaced(inner, rest, value) if rest else value})


def _acts(name: str) -> Acts:
    if name.startswith(_IN_THE_DETECTOR):
        return Acts.IN_THE_DETECTOR
    if name.startswith(_BEFORE_THE_RECORDING):
        return Acts.ON_FRAMES
    return Acts.ON_TRACKS if name.startswith(("counting.", "config.counting.")) else Acts.ON_RECORDINGS


def _limits(name: str) -> tuple[float, float]:
    """The least and the most that a number may be, as the configuration's fields say it."""
    least, most = 0.0, _LARGEST.get(name, float("inf"))
    root, *path = name.split(".")
    if root != "config":
        return least, most
    section, key = path
    for limit in type(getattr(Config(), section)).model_fields[key].metadata:
        if isinstance(limit, Ge | Gt):
            least = max(least, float(limit.ge if isinstance(limit, Ge) else limit.gt))  # type: ignore[arg-type]
        if isinstance(limit, Le | Lt):
            most = min(most, float(limit.le if isinstance(limit, Le) else limit.lt))  # type: ignore[arg-type]
    return least, most
