"""Configures the demo: two simulated cameras, two floors, and a database in a folder of its own.

entrance    street | Ground Floor        an entry adds a vehicle to the Ground Floor
upper-ramp  Ground Floor | First Floor   an entry moves a vehicle from the Ground Floor to the First Floor
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.config.load import load_config
from edge.config.schema import Config
from edge.simulator.scene import Scene

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What ``smartpark demo`` is asked to do.

    ``seconds`` of traffic are simulated at ``fps`` frames a second and camera, ``width`` x ``height`` pixels each; the
    network sees them scaled to ``image_size``. With ``every_frame`` the simulated time waits until a frame has been
    processed, so that the count does not depend on the machine's speed; otherwise it is real time, and a slow machine
    loses frames. ``broker`` is the host and port of the broker to use; None finds or starts one.
    """

    folder: Path
    seconds: float
    seed: int
    fps: float
    vehicles_per_minute: float
    image_size: int
    broker: tuple[str, int] | None = None
    every_frame: bool = False
    width: int = 640
    height: int = 360


def demo_config(options: DemoOptions, host: str, port: int) -> Config:
    """The configuration of the demo, with the broker at ``host`` and ``port``.

    The detector's section is the one of the environment: where the weights are, and how many threads.
    """
    gate = {"id": "ramp", "line": Scene.LINE, "inside": Scene.INSIDE}
    scene = (
        f"sim:ramp?fps={options.fps:g}&vehicles_per_minute={options.vehicles_per_minute:g}&seconds={options.seconds:g}"
        f"&width={options.width}&height={options.height}&recorded={options.every_frame:d}"
    )
    return Config.model_validate(
        {
            # A name that no real site on a shared broker has.
            "site": {"id": f"demo-{secrets.token_hex(3)}"},
            "device": {"id": "desk"},
            "database": {"path": options.folder / "smartpark.db"},
            "detector": load_config(None).detector.model_copy(update={"image_size": options.image_size}),
            "mqtt": {"host": host, "port": port},
            "floors": [
                {"name": "Ground Floor", "total_slots": 120, "opening_vehicles": 60},
                {"name": "First Floor", "total_slots": 80, "opening_vehicles": 40},
            ],
            "cameras": [
                {
                    "id": "entrance",
                    "source": f"{scene}&seed={2 * options.seed}",
                    "gates": [{**gate, "floor": "Ground Floor"}],
                },
                {
                    "id": "upper-ramp",
                    "source": f"{scene}&seed={2 * options.seed + 1}",
                    "gates": [{**gate, "floor": "First Floor", "outside_floor": "Ground Floor"}],
                },
            ],
        }
    )
