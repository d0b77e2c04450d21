"""The picture of a camera high above a yard: 1920 x 1080 pixels, in which one gate takes a small part.

The scene about the gate is drawn by the simulator before anything is measured; what is around it never changes but for
the sensor's noise. A frame then costs the copy of the scene, and nothing is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.config.schema import CameraConfig
from edge.simulator.scene import Scene, SceneParameters

if TYPE_CHECKING:
    from edge.core.events import Direction
    from edge.core.frames import Image

WIDTH, HEIGHT = 1920, 1080
FPS = 10
_LEFT, _TOP = 420, 480  # of the scene in the picture
_CANVASES = 8  # a frame stays as it is for so many more
_STILLS = 5  # pictures of the empty scene, with other noise


class WideYard:
    """The frames of one camera. Traffic fills ``busy_seconds`` of each ``period`` seconds, from ``shift`` on."""

    def __init__(self, *, busy_seconds: float, period: float, shift: float = 0.0, seed: int = 11) -> None:
        """``busy_seconds`` equal to ``period`` is a yard that is never empty."""
        self.period = period
        self._shift = shift
        parameters = SceneParameters(seed=seed, vehicles_per_minute=40, seconds=busy_seconds, width=640, height=360)
        scene = Scene(parameters)
        self._busy = [scene.render(number / FPS) for number in range(round(busy_seconds * FPS))]
        self._truth = [(crossing.at, crossing.direction) for crossing in scene.crossings(busy_seconds)]
        empty = Scene(SceneParameters(seed=seed, vehicles_per_minute=0))
        self._empty = [empty.render(number / FPS) for number in range(_STILLS)]
        self._canvases = _canvases(self._empty[0])

    @property
    def line(self) -> tuple[tuple[float, float], ...]:
        """The gate's line as fractions of the picture."""
        return tuple(self._place(x, y) for x, y in Scene.LINE)

    def camera(self, camera_id: str = "yard") -> CameraConfig:
        """The camera with its gate."""
        gate = {"id": "gate", "line": self.line, "inside": self._place(*Scene.INSIDE), "floor": "Ground"}
        return CameraConfig.model_validate({"id": camera_id, "source": "sim:ramp", "fps": FPS, "gates": [gate]})

    def crossings(self, until: float) -> list[tuple[float, Direction]]:
        """The true crossings up to a second, by time."""
        found, start = [], self._shift
        while start < until:
            found += [(start + second, direction) for second, direction in self._truth if start + second < until]
            start += self.period
        return found

    def image(self, number: int) -> Image:
        """Frame ``number`` of the camera, at second ``number / FPS``. It is overwritten eight frames later."""
        canvas = self._canvases[number % _CANVASES]
        into = round((number / FPS - self._shift) % self.period * FPS)
        scene = self._busy[into] if into < len(self._busy) else self._empty[number % _STILLS]
        canvas[_TOP : _TOP + scene.shape[0], _LEFT : _LEFT + scene.shape[1]] = scene
        return canvas

    def _place(self, x: float, y: float) -> tuple[float, float]:
        height, width = self._empty[0].shape[:2]
        return (_LEFT + x * width) / WIDTH, (_TOP + y * height) / HEIGHT


def _canvases(scene: Image) -> list[Image]:
    """Pictures of what is around the scene, each with noise of its own."""
    random = np.random.default_rng(3)
    around = cv2.GaussianBlur(cv2.resize(scene, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), (0, 0), 9)
    noises = [random.normal(0, 2, (HEIGHT, WIDTH, 1)).astype(np.float32) for _ in range(2)]
    return [
        np.asarray(np.clip(around + np.roll(noises[number % 2], 97 * number, axis=1), 0, 255), dtype=np.uint8)
        for number in range(_CANVASES)
    ]
