"""This module checks tables of ``smartpark.toml`` against each other: unique names and topics, floors that gates name.

It reads the raw tables, so that its errors are found even when single values are wrong, and all are reported at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.config.file_errors import quoted
from edge.config.overrides import tables_of
from edge.core.occupancy import floor_slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def cross_check(raw: Mapping[str, Any]) -> Iterator[str]:
    """One line an error: the key, what is wrong, what to do."""
    floors = [floor["name"] for floor in tables_of(raw, "floors") if isinstance(floor.get("name"), str)]
    yield from _check_floor_names(floors)
    cameras = tables_of(raw, "cameras")
    yield from _check_unique("cameras", "id", [str(camera["id"]) for camera in cameras if "id" in camera])
    for number, camera in enumerate(cameras):
        gates = tables_of(camera, "gates")
        yield from _check_unique(f"cameras[{number}].gates", "id", [str(gate["id"]) for gate in gates if "id" in gate])
        for index, gate in enumerate(gates):
            yield from _check_floors_of_gate(f"cameras[{number}].gates[{index}]", gate, floors)


def _check_floor_names(names: list[str]) -> Iterator[str]:
    yield from _check_unique("floors", "name", names)
    by_slug: dict[str, str] = {}
    for index, name in enumerate(names):
        short = floor_slug(name)
        if not short:
            yield f"floors[{index}].name: {quoted(name)} has neither letter nor digit; name the floor"
        elif by_slug.setdefault(short, name) != name:
            pair = f"{quoted(name)} and {quoted(by_slug[short])}"
            yield f"floors[{index}].name: {pair} would share the topic floor/{short}; rename one"


def _check_floors_of_gate(place: str, gate: Mapping[str, Any], floors: list[str]) -> Iterator[str]:
    for key in ("floor", "outside_floor"):
        if isinstance(gate.get(key), str) and gate[key] not in floors:
            known = ", ".join(repr(name) for name in floors) or "none"
            wrong = quoted(gate[key])
            yield f"{place}.{key}: there is no floor {wrong}; use one of the [[floors]] ({known}) or add it there"
    if gate.get("floor") is not None and gate.get("floor") == gate.get("outside_floor"):
        yield f"{place}.outside_floor: is the same as floor; name the floor on the other side, or remove it"


def _check_unique(table: str, key: str, values: list[str]) -> Iterator[str]:
    for index, value in enumerate(values):
        if value in values[:index]:
            first = f"{table}[{values.index(value)}]"
            yield f"{table}[{index}].{key}: {quoted(value)} is already that of {first}; rename one"
