"""Reads ``smartpark.toml``, the environment and systemd's credentials into a ``Config``, or tells of every fault.

A later source wins: defaults, file, environment (``SMARTPARK_<SECTION>_<KEY>``), credentials directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from edge.config.problems import closest, read_toml, told
from edge.config.schema import Config
from edge.core.errors import ConfigError
from edge.core.occupancy import slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYSTEM_CONFIG = Path("/etc/smartpark/smartpark.toml")
SCALAR_SECTIONS = ("site", "device", "database", "backup", "detector", "tracker", "counting", "mechanisms", "mqtt")
LIST_KEYS = ("classes", "ignored_classes", "vehicle_classes")


def find_config(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file to use: the given one, else ``SMARTPARK_CONFIG``, else the system's if it exists."""
    if given is not None:
        return given
    if name := environ.get("SMARTPARK_CONFIG"):
        return Path(name)
    return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None


def load_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of ``path`` (None: defaults alone), overridden by the environment and credentials.

    Raises ``ConfigError`` with one line a fault - file, key, what is wrong, remedy - for all faults at once.
    Relative paths of the file (``database.path``, ``backup.folder``, ``detector.models_dir``, ``mqtt.ca_file``, a
    camera's clip) are left as they are: they count from the working directory.
    """
    name = str(path) if path is not None else "(no file)"
    problems: list[str] = []
    raw = read_toml(path) if path is not None else {}
    origins: dict[tuple[str, str], str] = {}
    problems += _apply_environment(raw, environ, origins)
    _apply_credentials(raw, environ, origins)
    config: Config | None = None
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        problems += told(error, Config, raw, name, origins)
    problems += [f"{name}: {problem}" for problem in _cross_checks(raw)]
    if problems or config is None:
        raise ConfigError(problems)
    return config


def load_to_run(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """As ``load_config``, for a daemon: a floor and a camera with a gate are needed as well."""
    config = load_config(path, environ)
    problems = []
    if not config.floors:
        problems.append("floors: there is none; add a [[floors]] table with name and total_slots")
    if not any(camera.gates for camera in config.cameras):
        problems.append(
            "cameras: there is no camera with a gate; add [[cameras]] with id and source, and [[cameras.gates]]"
        )
    if problems:
        name = str(path) if path is not None else f"(no file, and no {SYSTEM_CONFIG})"
        raise ConfigError([f"{name}: {problem}" for problem in problems])
    return config


def _apply_environment(
    raw: dict[str, Any], environ: Mapping[str, str], origins: dict[tuple[str, str], str]
) -> list[str]:
    problems = []
    for variable, value in sorted(environ.items()):
        for section in SCALAR_SECTIONS:
            prefix = f"SMARTPARK_{section.upper()}_"
            if not variable.startswith(prefix):
                continue
            key = variable.removeprefix(prefix).lower()
            model = Config.model_fields[section].annotation
            assert isinstance(model, type)
            assert issubclass(model, BaseModel)
            if key not in model.model_fields:
                hint = closest(key, list(model.model_fields))
                hint = f"{prefix}{hint.upper()}" if hint else f"one of {', '.join(sorted(model.model_fields))}"
                problems.append(f"environment: {variable}: unknown key; unset it or use {hint}")
                continue
            table = raw.setdefault(section, {})
            if isinstance(table, dict):
                items = [item.strip() for item in value.split(",")]
                table[key] = items if key in LIST_KEYS else value
                origins[(section, key)] = variable
    return problems


def _apply_credentials(raw: dict[str, Any], environ: Mapping[str, str], origins: dict[tuple[str, str], str]) -> None:
    """systemd's ``LoadCredential=``: ``mqtt.username``, ``mqtt.password``, ``camera.<id>.username|password``."""
    if not (folder := environ.get("CREDENTIALS_DIRECTORY")):
        return
    for key in ("username", "password"):
        if (secret := _secret(Path(folder) / f"mqtt.{key}")) is not None:
            table = raw.setdefault("mqtt", {})
            if isinstance(table, dict):
                table[key] = secret
                origins[("mqtt", key)] = f"credential mqtt.{key}"
        for camera in _tables(raw, "cameras"):
            if (secret := _secret(Path(folder) / f"camera.{camera.get('id')}.{key}")) is not None:
                camera[key] = secret


def _secret(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: the credential cannot be read; check its rights and that it is text"]) from error


def _tables(raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = raw.get(key)
    return [table for table in value if isinstance(table, dict)] if isinstance(value, list) else []


def _cross_checks(raw: Mapping[str, Any]) -> Iterator[str]:
    """Faults between tables, found even when single values are wrong, so that all are told at once."""
    floors = _tables(raw, "floors")
    names = [floor["name"] for floor in floors if isinstance(floor.get("name"), str)]
    yield from _twice("floors", "name", names)
    by_slug: dict[str, str] = {}
    for index, floor_name in enumerate(names):
        short = slug(floor_name)
        if not short:
            yield f"floors[{index}].name: {floor_name!r} has neither letter nor digit; name the floor"
        elif by_slug.setdefault(short, floor_name) != floor_name:
            yield (
                f"floors[{index}].name: {floor_name!r} and {by_slug[short]!r} would share the topic "
                f"floor/{short}; rename one"
            )
    cameras = _tables(raw, "cameras")
    yield from _twice("cameras", "id", [str(camera.get("id")) for camera in cameras if "id" in camera])
    for number, camera in enumerate(cameras):
        gates = _tables(camera, "gates")
        yield from _twice(f"cameras[{number}].gates", "id", [str(gate.get("id")) for gate in gates if "id" in gate])
        for index, gate in enumerate(gates):
            where = f"cameras[{number}].gates[{index}]"
            for key in ("floor", "outside_floor"):
                if isinstance(gate.get(key), str) and gate[key] not in names:
                    listed = ", ".join(repr(known) for known in names) or "none"
                    yield (
                        f"{where}.{key}: there is no floor {gate[key]!r}; "
                        f"use one of the [[floors]] ({listed}) or add it there"
                    )
            if gate.get("floor") is not None and gate.get("floor") == gate.get("outside_floor"):
                yield f"{where}.outside_floor: is the same as floor; name the floor on the other side, or remove it"


def _twice(table: str, key: str, values: list[str]) -> Iterator[str]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield f"{table}[{index}].{key}: {value!r} is already that of {table}[{values.index(value)}]; rename one"
