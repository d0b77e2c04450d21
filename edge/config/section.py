"""This module defines what all sections of ``smartpark.toml`` share: the types of values, and a section itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# One level of an MQTT topic, a part of file names and of log lines.
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s+#/\x00-\x1f\x7f]+$", strip_whitespace=False)
]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0.0, le=86_400.0, allow_inf_nan=False)]
# Text that stands in logs, on boards and in the database: no control characters.
PlainText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Section(BaseModel):
    """A table of the file. Unknown keys are refused; values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
