"""Reads a baseline file and finds the figures of an evaluation that are worse than it allows.

A baseline is a committed TOML file with limits for each clip and rate:

    [all]                                # every frame
    suburb_road = { accuracy = 1.0 }
    neg_people = { extra = 0 }

    [5]                                  # at most 5 frames a second
    suburb_road = { accuracy = 0.98 }
    total = { accuracy = 0.99, net_bias = 0.002 }

The limits of ``total`` apply to all clips together, but only when exactly the table's clips were evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, RootModel, ValidationError

from edge.config.file_errors import read_toml, validation_errors
from edge.config.section import Section
from edge.core.errors import ConfigError, RefusedError
from edge.evaluation.accuracy import Figures
from edge.evaluation.recording import rate_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TOTAL = "total"
_ROUNDING = 1e-9  # a figure may be worse by this much: limits are written with few digits


class Limits(Section):
    """The limits of a clip's figures."""

    accuracy: Annotated[float, Field(le=1.0, allow_inf_nan=False)] | None = Field(None, description="the least, 0 to 1")
    missed: Annotated[int, Field(ge=0)] | None = Field(None, description="the most")
    extra: Annotated[int, Field(ge=0)] | None = Field(None, description="the most")
    net_bias: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = Field(
        None, description="the most, either way"
    )

    def violations(self, figures: Figures) -> list[str]:
        """Each figure that is worse than its limit, in words."""
        found = []
        if self.accuracy is not None and figures.accuracy < self.accuracy - _ROUNDING:
            found.append(f"accuracy {figures.accuracy:.4f}, must be {self.accuracy:g} or more")
        for name in ("missed", "extra"):
            most, value = getattr(self, name), getattr(figures, name)
            if most is not None and value > most:
                found.append(f"{value} {name}, must be {most} or fewer")
        if self.net_bias is not None and abs(figures.net_bias) > self.net_bias + _ROUNDING:
            found.append(f"net bias {figures.net_bias:+.4f}, must be {self.net_bias:g} or less, either way")
        return found


class Baseline(RootModel[dict[str, dict[str, Limits]]]):
    """The limits by rate and clip."""

    def violations(self, fps: float | None, clips: Mapping[str, Figures]) -> list[str]:
        """Each figure that is worse than its limit, one line each; ``fps`` None means every frame.

        Raises ``RefusedError`` where the baseline has no limits for these clips at this rate.
        """
        key = "all" if fps is None else f"{fps:g}"
        limits = self.root.get(key, {})
        compared: dict[str, Figures] = {name: figures for name, figures in clips.items() if name in limits}
        if not compared:
            raise RefusedError(f"the baseline has nothing on these clips at {rate_text(fps)}; add them to its [{key}]")
        if _TOTAL in limits and set(clips) == set(limits) - {_TOTAL}:
            compared[_TOTAL] = sum(clips.values(), Figures())
        return [
            f"{name} at {rate_text(fps)}: {violation}"
            for name, figures in compared.items()
            for violation in limits[name].violations(figures)
        ]


def read_baseline(file: Path) -> Baseline:
    """The limits in ``file``. Raises ``ConfigError`` with one line a fault."""
    raw = read_toml(file)
    try:
        return Baseline.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(validation_errors(error, Limits, raw, str(file), above=2)) from error
