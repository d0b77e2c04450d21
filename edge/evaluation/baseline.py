"""How right a count must stay: a committed file with a floor for each clip and rate.

    [all]                                # every frame
    suburb_road = { accuracy = 1.0 }
    neg_people = { extra = 0 }

    [5]                                  # at most 5 frames a second
    suburb_road = { accuracy = 0.98 }
    total = { accuracy = 0.99, net_bias = 0.002 }

``total`` is held against the total when the clips that were evaluated are those that the table names, no more and no
less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, RootModel, ValidationError

from edge.config.file_errors import read_toml, validation_errors
from edge.config.schema import Section
from edge.core.errors import ConfigError, RefusedError
from edge.evaluation.accuracy import Figures
from edge.evaluation.recording_names import rate_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TOTAL = "total"
# So much may a figure be off that was written with fewer digits.
ROUNDING = 1e-9


class Floor(Section):
    """What a clip's figures must not fall below, or rise above."""

    accuracy: Annotated[float, Field(le=1.0, allow_inf_nan=False)] | None = Field(None, description="the least, 0 to 1")
    missed: Annotated[int, Field(ge=0)] | None = Field(None, description="the most")
    extra: Annotated[int, Field(ge=0)] | None = Field(None, description="the most")
    net_bias: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = Field(
        None, description="the most, either way"
    )

    def drops(self, figures: Figures) -> list[str]:
        """What is worse than it must be, in words."""
        found = []
        if self.accuracy is not None and figures.accuracy < self.accuracy - ROUNDING:
            found.append(f"accuracy {figures.accuracy:.4f}, must be {self.accuracy:g} or more")
        for name in ("missed", "extra"):
            most, value = getattr(self, name), getattr(figures, name)
            if most is not None and value > most:
                found.append(f"{value} {name}, must be {most} or fewer")
        if self.net_bias is not None and abs(figures.net_bias) > self.net_bias + ROUNDING:
            found.append(f"net bias {figures.net_bias:+.4f}, must be {self.net_bias:g} or less, either way")
        return found


class Baseline(RootModel[dict[str, dict[str, Floor]]]):
    """The floors by rate and clip."""

    def drops(self, fps: float | None, clips: Mapping[str, Figures]) -> list[str]:
        """What fell below its floor, one line each. ``RefusedError`` where nothing could be compared."""
        key = "all" if fps is None else f"{fps:g}"
        floors = self.root.get(key, {})
        held: dict[str, Figures] = {name: figures for name, figures in clips.items() if name in floors}
        if not held:
            raise RefusedError(f"the baseline has nothing on these clips at {rate_text(fps)}; add them to its [{key}]")
        if TOTAL in floors and set(clips) == set(floors) - {TOTAL}:
            held[TOTAL] = sum(clips.values(), Figures())
        return [
            f"{name} at {rate_text(fps)}: {drop}"
            for name, figures in held.items()
            for drop in floors[name].drops(figures)
        ]


def read_baseline(file: Path) -> Baseline:
    """The floors in ``file``. Raises ``ConfigError`` with one line a fault."""
    raw = read_toml(file)
    try:
        return Baseline.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(validation_errors(error, Floor, raw, str(file), above=2)) from error
