"""This module makes the run id, with which the track ids of a camera begin."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from edge.capture.clips.clip_file import content_digest
from edge.config.camera_address import SourceKind

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig, Config


def run_id(config: Config, camera: CameraConfig) -> str:
    """The beginning of the track ids of a camera.

    For a live camera, and a file that is played like one, it is unique to this start of the daemon. For a recording it
    is a digest of its content and of the configuration of detection, tracking and counting, so that a replay gives the
    same ids, and so the same events.
    Raises ``SourceError`` for a recording that cannot be read.
    """
    address = camera.address
    if address.kind is SourceKind.FILE and not address.realtime:
        content = content_digest(address.file)
    elif address.kind is SourceKind.SIMULATION and "recorded=1" in camera.source:
        content = camera.source
    else:
        return f"{datetime.now(UTC):%Y%m%dT%H%M%S}{secrets.token_hex(3)}"
    inputs = {
        "content": content,
        "detector": config.detector.model_dump(mode="json", exclude={"models_dir", "threads"}),
        "tracker": config.tracker.model_dump(mode="json"),
        "counting": config.counting.model_dump(mode="json"),
        "mechanisms": config.mechanisms.model_dump(mode="json"),
        "camera": camera.model_dump(mode="json", include={"id", "fps", "gates"}),
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]
