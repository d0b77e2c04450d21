"""What begins a camera's track ids."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edge.capture.clip_file import content_digest

if TYPE_CHECKING:
    from edge.config.schema import CameraConfig, Config


def run_id(config: Config, camera: CameraConfig) -> str:
    """What begins a camera's track ids.

    For a live camera unique to this start of the daemon. For a recording derived from its content and from all of the
    configuration that has a say in what is seen, so that a replay makes the same ids and so the same events.
    """
    source = Path(camera.source)
    if source.is_file():
        content = content_digest(source)
    elif camera.source.startswith("sim:") and "recorded=1" in camera.source:
        content = camera.source
    else:
        return f"{datetime.now(UTC):%Y%m%dT%H%M%S}{secrets.token_hex(3)}"
    decides = {
        "content": content,
        "detector": config.detector.model_dump(mode="json", exclude={"models_dir", "threads"}),
        "tracker": config.tracker.model_dump(mode="json"),
        "counting": config.counting.model_dump(mode="json"),
        "mechanisms": config.mechanisms.model_dump(mode="json"),
        "camera": camera.model_dump(mode="json", include={"id", "fps", "gates"}),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
