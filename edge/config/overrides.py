"""This module replaces values of the file by environment variables, and these by systemd's credentials.

pydantic-settings could read both, but was not taken. It accepts a wrong table of the file in silence where a variable
sets a key of that table, stops at the first variable that is no JSON (a list is written with commas here), takes names
in lower case too, and reads ``os.environ`` alone. The credentials of a camera, the unknown variables and the name of
the variable in an error would still be code of our own, and each start would need 0.045 s more CPU.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from edge.config.file_errors import closest_word
from edge.config.schema import Config
from edge.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edge.config.file_errors import Origins

# The sections whose keys a variable SMARTPARK_<SECTION>_<KEY> can set; the lists of floors and cameras have none.
SCALAR_SECTIONS = (
    "site",
    "device",
    "database",
    "backup",
    "detector",
    "tracker",
    "counting",
    "mechanisms",
    "picture",
    "mqtt",
    "metrics",
)


def apply_environment(raw: dict[str, Any], environ: Mapping[str, str], origins: Origins) -> Iterator[str]:
    """Put the values of ``SMARTPARK_<SECTION>_<KEY>`` into the tables ``raw``, and yield a line for each unknown key.

    ``origins`` gets the name of the variable for each value that comes from one. A list is written with commas.
    """
    for variable, value in sorted(environ.items()):
        for section in SCALAR_SECTIONS:
            prefix = f"SMARTPARK_{section.upper()}_"
            if not variable.startswith(prefix):
                continue
            key = variable.removeprefix(prefix).lower()
            fields = _fields_of(section)
            if key not in fields:
                meant = closest_word(key, list(fields))
                hint = f"{prefix}{meant.upper()}" if meant else f"one of {', '.join(sorted(fields))}"
                yield f"environment: {variable}: unknown key; unset it or use {hint}"
                continue
            table = raw.setdefault(section, {})
            # A section that is no table is an error of the file, which validation reports.
            if isinstance(table, dict):
                table[key] = [item.strip() for item in value.split(",")] if _is_list(fields[key]) else value
                origins[(section, key)] = variable


def apply_credentials(raw: dict[str, Any], environ: Mapping[str, str], origins: Origins) -> None:
    """Put systemd's credentials (``LoadCredential=``) into the tables ``raw``.

    Their names are ``mqtt.username``, ``mqtt.password``, ``camera.<id>.username`` and ``camera.<id>.password``.
    Raises ``ConfigError`` for one that is there but cannot be read.
    """
    if not (folder := environ.get("CREDENTIALS_DIRECTORY")):
        return
    for key in ("username", "password"):
        if (secret := _read_credential(Path(folder) / f"mqtt.{key}")) is not None:
            mqtt = raw.setdefault("mqtt", {})
            if isinstance(mqtt, dict):
                mqtt[key] = secret
                origins[("mqtt", key)] = f"credential mqtt.{key}"
        for camera in tables_of(raw, "cameras"):
            if (secret := _read_credential(Path(folder) / f"camera.{camera.get('id')}.{key}")) is not None:
                camera[key] = secret


def tables_of(raw: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The ``[[key]]`` tables of ``raw``, without items that are no tables."""
    value = raw.get(key)
    return [table for table in value if isinstance(table, dict)] if isinstance(value, list) else []


def _fields_of(section: str) -> dict[str, Any]:
    model = Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    return {key: field.annotation for key, field in model.model_fields.items()}


def _is_list(annotation: Any) -> bool:
    return any(get_origin(kind) is tuple for kind in (annotation, *get_args(annotation)))


def _read_credential(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: the credential cannot be read; check its rights and that it is text"]) from error
