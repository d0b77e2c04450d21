"""Finds the files that come with the product: the manifest of the weights, the example configuration, the units.

They stand beside the package in a checkout, and within it in a wheel.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
# pyproject.toml puts them into edge/data of a wheel; these are their places in a checkout.
_CHECKOUT = {
    "models.toml": "models/models.toml",
    "smartpark.toml": "config/smartpark.toml",
    "smartpark-edge.service": "systemd/smartpark-edge.service",
    "smartpark-backup.service": "systemd/smartpark-backup.service",
    "smartpark-backup.timer": "systemd/smartpark-backup.timer",
}


def bundled_file(name: str) -> Path:
    """The path of a file that comes with the product, by the name it has in a wheel."""
    checkout = _PACKAGE.parent / _CHECKOUT[name]
    packed = _PACKAGE / "data" / name
    return packed if packed.exists() else checkout
