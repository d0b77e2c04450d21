"""What the tests of snapshots share: a picture with known colours, and gates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.config.schema import GateConfig
from edge.core.shapes import Box
from edge.snapshot.snapshot import Snapshot, SnapshotBox

if TYPE_CHECKING:
    from collections.abc import Callable

TAKEN_AT = datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC)


def make_gate(**keys: Any) -> GateConfig:
    """A gate across the lower half of the picture."""
    values: dict[str, Any] = {
        "id": "in",
        "line": ((0.1, 0.6), (0.9, 0.6)),
        "inside": (0.5, 0.9),
        "floor": "Ground Floor",
    }
    return GateConfig(**{**values, **keys})


@pytest.fixture
def gate() -> Callable[..., GateConfig]:
    """``make_gate``."""
    return make_gate


@pytest.fixture
def snapshot() -> Callable[..., Snapshot]:
    """Makes a snapshot of a grey picture of 640 x 360 pixels, or ``size``, with other fields where they are given."""

    def make(size: tuple[int, int] = (640, 360), grey: int = 120, **keys: Any) -> Snapshot:
        image = np.full((size[1], size[0], 3), grey, np.uint8)
        values: dict[str, Any] = {
            "camera_id": "entrance",
            "image": image,
            "captured_at": TAKEN_AT,
            "origin": "the daemon's picture, 0.4 s old, camera up",
        }
        return Snapshot(**{**values, **keys})

    return make


@pytest.fixture
def boxes() -> tuple[SnapshotBox, ...]:
    """A box of each state."""
    return (
        SnapshotBox(Box(64, 36, 128, 72), "car", 0.83, "confirmed", "20261128T1740a-12"),
        SnapshotBox(Box(200, 36, 264, 72), "truck", 0.43, "tentative", "20261128T1740a-13"),
        SnapshotBox(Box(300, 36, 364, 72), "car", 0.7, "lost", "20261128T1740a-9"),
        SnapshotBox(Box(450, 36, 514, 72), "bus", 0.31),
    )
