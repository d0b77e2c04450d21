"""Reads ``smartpark.toml``, the environment and systemd's credentials into a ``Config``, or reports every error.

A later source wins: defaults, file, environment (``SMARTPARK_<SECTION>_<KEY>``), credentials directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from edge.config.cross_checks import cross_check
from edge.config.file_errors import read_toml, validation_errors
from edge.config.overrides import apply_credentials, apply_environment
from edge.config.schema import Config
from edge.core.errors import ConfigError, shown_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.config.file_errors import Origins

SYSTEM_CONFIG = Path("/etc/smartpark/smartpark.toml")


def find_config(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration file to use: the given one, else ``SMARTPARK_CONFIG``, else the system's if it exists."""
    if given is not None:
        return given
    if name := environ.get("SMARTPARK_CONFIG"):
        return Path(name)
    return SYSTEM_CONFIG if SYSTEM_CONFIG.exists() else None


def load_config(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of ``path`` (None: defaults alone), overridden by the environment and credentials.

    Raises ``ConfigError`` with a line for each error: the file, the key, what is wrong, what is right. Relative paths
    of the file (``database.path``, ``backup.folder``, ``detector.models_dir``, ``mqtt.ca_file``, a camera's clip) are
    left as they are, relative to the working directory.
    """
    name = shown_name(path) if path is not None else "(no file)"
    raw = read_toml(path) if path is not None else {}
    origins: Origins = {}
    problems = list(apply_environment(raw, environ, origins))
    apply_credentials(raw, environ, origins)
    config: Config | None = None
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        problems += validation_errors(error, Config, raw, name, origins)
    problems += [f"{name}: {problem}" for problem in cross_check(raw)]
    if problems or config is None:
        raise ConfigError(problems)
    return config


def load_config_to_run(path: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """As ``load_config``, for a daemon, which also needs a floor and a camera with a gate."""
    config = load_config(path, environ)
    problems = []
    if not config.floors:
        problems.append("floors: there is none; add a [[floors]] table with name and total_slots")
    if not any(camera.gates for camera in config.cameras):
        problems.append(
            "cameras: there is no camera with a gate; add [[cameras]] with id and source, and [[cameras.gates]]"
        )
    if problems:
        name = shown_name(path) if path is not None else f"(no file, and no {SYSTEM_CONFIG})"
        raise ConfigError([f"{name}: {problem}" for problem in problems])
    return config
