"""Files that come with the product but stand beside the package in a checkout: the manifest, the example
configuration, the units."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
# In a wheel they lie in edge/data (see pyproject.toml); in a checkout in their own folders.
_CHECKOUT = {
    "models.toml": "models/models.toml",
    "smartpark.toml": "config/smartpark.toml",
    "smartpark-edge.service": "systemd/smartpark-edge.service",
    "smartpark-backup.service": "systemd/smartpark-backup.service",
    "smartpark-backup.timer": "systemd/smartpark-backup.timer",
}


def resource(name: str) -> Path:
    """Path of a file that comes with the product."""
    checkout = _PACKAGE.parent / _CHECKOUT[name]
    packed = _PACKAGE / "data" / name
    return packed if packed.exists() else checkout
