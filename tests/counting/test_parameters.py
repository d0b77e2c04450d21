"""Tests that the tuned numbers of counting stand in its parameters, and nowhere else."""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.scripted_tracks import COUNTING, ENTRY, GATE, MECHANISMS, SIZE, Vehicle, steady

import edge.counting
from edge.counting.gate import Gate
from edge.counting.parameters import DEFAULT_COUNTING, CountingParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOM = Path(edge.counting.__path__[0])


def numbers(parameters: Any) -> Iterator[tuple[str, Any]]:
    """Every number of the parameters by its field's name, those of inner dataclasses included."""
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if is_dataclass(value):
            yield from numbers(value)
        else:
            yield field.name, value


def test_no_other_module_of_the_room_has_numbers() -> None:
    """0, 1 and 2 are allowed: nothing, one, and a half or both."""
    for file in ROOM.rglob("*.py"):
        if file.name == "parameters.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                assert node.value in (0, 1, 2), f"{file}:{node.lineno}: {node.value} belongs into parameters.py"


def test_every_number_is_read_by_the_room() -> None:
    """A number that no module reads is to be removed."""
    code = "\n".join(file.read_text() for file in ROOM.rglob("*.py") if file.name != "parameters.py")
    for name, value in numbers(DEFAULT_COUNTING):
        assert isinstance(value, int | float)
        assert f".{name}" in code, f"nothing reads {name}"


def test_parameters_cannot_be_changed() -> None:
    """A variant is made by ``dataclasses.replace``."""
    with pytest.raises(FrozenInstanceError):
        DEFAULT_COUNTING.remembered_seconds = 1.0  # type: ignore[misc]


def test_a_gate_reads_the_parameters_that_it_is_given() -> None:
    """With a shorter time to begin anew, a gap in the frames loses the crossing."""

    def directions(parameters: CountingParameters) -> list[Any]:
        vehicle, gate = Vehicle(steady(300, 700, 5)), Gate(GATE, COUNTING, MECHANISMS, parameters)
        tracks = [vehicle.track_in(frame, 1.0) for frame in range(5)]
        crossings = [gate.update([track], SIZE, float(at)) for at, track in enumerate(tracks) if track is not None]
        return [crossing.direction for batch in [*crossings, gate.finish()] for crossing in batch]

    assert directions(DEFAULT_COUNTING) == [ENTRY]
    assert directions(replace(DEFAULT_COUNTING, restart_seconds=0.5)) == []
