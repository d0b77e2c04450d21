"""Reads label files, which say where the gate is in a clip and when vehicles truly crossed it, as a person counted.

    clip = "monday.mp4"                 # relative to the label file

    [gate]                              # as in smartpark.toml
    line = [[0.1, 0.6], [0.9, 0.6]]
    inside = [0.5, 0.9]

    [truth]                             # seconds from the first frame, the middle of the vehicle on the line
    entries = [3.12, 7.5]
    exits = []
    uncertain = [9.9]                   # may be counted or not

The label of a simulated scene (``clip = "sim:ramp?seed=1&recorded=1&seconds=60"``) has neither gate nor truth: both are
the simulator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from edge.config.camera_address import SourceKind, clip_address, parse_address
from edge.config.camera_source import Address
from edge.config.file_errors import read_toml, validation_errors
from edge.config.schema import GateConfig
from edge.config.section import Identifier, PlainText, Section
from edge.core.errors import ConfigError, SourceError, shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIMULATED = "sim:"
_SECONDS = "seconds from the clip's first frame, 0 or more"

Second = Annotated[float, Field(ge=0.0, le=10_000_000.0, allow_inf_nan=False)]


class LabelledGate(GateConfig):
    """A ``[[cameras.gates]]`` table of the configuration; in a label line and inside are enough."""

    id: Identifier = Field("gate", description="not needed here")
    floor: PlainText = Field("inside", description="not needed here")


class Truth(Section):
    """The seconds at which vehicles crossed."""

    entries: tuple[Second, ...] = Field((), description=_SECONDS)
    exits: tuple[Second, ...] = Field((), description=_SECONDS)
    uncertain: tuple[Second, ...] = Field((), description=_SECONDS)


class LabelFile(Section):
    """The content of a label file."""

    clip: Address = Field(description="the video file, relative to the label file; or sim:ramp?recorded=1&seconds=60")
    source: str = Field("", description="where the clip comes from: free text")
    licence: str = Field("", description="what may be done with the clip: free text")
    gate: LabelledGate | None = Field(None, description="[gate] with line and inside")
    truth: Truth | None = Field(None, description="[truth] with entries, exits and uncertain")


@dataclass(frozen=True, slots=True)
class Label:
    """A clip with its gate and truth; both are None for a simulated scene, whose gate and truth are the simulator's.

    ``name`` is the label file's without its ending, as it may be printed. ``source`` is what a camera's ``source``
    would be.
    """

    name: str
    file: Path
    source: str
    gate: GateConfig | None
    truth: Truth | None

    @property
    def simulated(self) -> bool:
        """Whether the simulator draws the clip."""
        return self.source.startswith(_SIMULATED)


def read_labels(files: Sequence[Path]) -> list[Label]:
    """The labels of all files, in order. Raises ``ConfigError`` with one line a fault, those of all files at once."""
    labels, problems = [], []
    names: dict[str, Path] = {}
    for file in files:
        try:
            label = read_label(file)
        except ConfigError as error:
            problems += error.problems
            continue
        labels.append(label)
        other = names.setdefault(label.name, file)
        if other is not file:
            problems.append(f"{file}: has the same name as {other}, and names tell results apart; rename one")
    if problems:
        raise ConfigError(problems)
    return labels


def read_label(file: Path) -> Label:
    """The label in ``file``. Raises ``ConfigError`` with one line a fault: file, key, what is wrong, remedy."""
    raw = read_toml(file)
    try:
        content = LabelFile.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(validation_errors(error, LabelFile, raw, shown_name(file))) from error
    simulated = content.clip.startswith(_SIMULATED)
    problems = _faults_of_simulated(content, raw) if simulated else _faults_of_recorded(content, file)
    if problems:
        raise ConfigError([f"{shown_name(file)}: {problem}" for problem in problems])
    source = content.clip if simulated else clip_address(labelled_clip_path(file, content.clip))
    return Label(shown_name(file.stem), file, source, content.gate, content.truth)


def gate_from_table(table: dict[str, Any], name: str) -> GateConfig:
    """The gate of a [gate] table. Raises ``ConfigError`` with one line a fault, each of which begins with ``name``."""
    try:
        return LabelledGate.model_validate(table)
    except ValidationError as error:
        raise ConfigError(validation_errors(error, LabelledGate, table, name)) from error


def labelled_clip_path(file: Path, clip: str) -> Path:
    """The path of a clip that the label ``file`` names: relative to the label, so that both can be moved together.

    A name that is not UTF-8 stands there as a ``file://`` URL. Raises ``ValueError`` for what is no video file.
    """
    if "://" not in clip and not clip.startswith("/dev/"):
        # Absolute: a clip named 0 is no camera of that number.
        return file.absolute().parent / Path(clip).expanduser()
    address = parse_address(clip)
    if address.kind is not SourceKind.FILE:
        raise ValueError("is the address of a camera; record it to a video file first")
    if address.realtime:
        raise ValueError("has options, which are those of a camera; remove them with their ?")
    return address.file


def _faults_of_recorded(content: LabelFile, file: Path) -> list[str]:
    problems = []
    try:
        path = labelled_clip_path(file, content.clip)
        if not path.is_file():
            problems.append(
                f"clip: there is no file {shown_name(path)}; correct the path, which is relative to the label file"
            )
    except (ValueError, RuntimeError, OSError) as error:
        problems.append(f"clip: {error}")
    if content.gate is None:
        problems.append("gate: is missing; add a [gate] table with line and inside")
    if content.truth is None:
        problems.append("truth: is missing; add a [truth] table with entries, exits and uncertain (each may be [])")
    return problems


def _faults_of_simulated(content: LabelFile, raw: dict[str, object]) -> list[str]:
    # Imported here because only the label of a simulated clip needs the simulator.
    from edge.simulator.scene import parse_scene
    from edge.simulator.source import split_recorded

    problems = [f"{key}: is the simulator's own; remove it" for key in ("gate", "truth") if key in raw]
    try:
        address, recorded = split_recorded(content.clip)
        seconds = parse_scene(address).seconds
    except SourceError as error:
        return [*problems, f"clip: {error}"]
    if not recorded:
        problems.append("clip: a simulated clip must be recorded, so that it repeats; add recorded=1")
    if not seconds:
        problems.append("clip: a simulated clip must end; add seconds=60")
    return problems
