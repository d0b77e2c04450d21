"""A daemon with cameras of which any may fail beside one that never does, and a board: for the tests of the field."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support.camera_faults import Rig
from support.field_daemon import FieldDaemon
from support.film_cameras import FilmCamera
from support.films import make_film

from edge.simulator.scene import SceneParameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Small pictures and dense traffic. A key picture comes every two seconds.
TRAFFIC = SceneParameters(seed=3, width=256, height=144, fps=5, vehicles_per_minute=40, seconds=20, motorbike_share=0.0)
OTHER_SIZE, FPS = (320, 180), 5
STEADY = "steady"


@dataclass
class Bench:
    """A daemon with cameras, and a board."""

    daemon: FieldDaemon
    rigs: dict[str, Rig]
    board: Any
    eventually: Callable[..., Any]
    epoch: float

    def available(self, camera: str) -> bytes | None:
        """What the board shows of a camera's floor."""
        shown: bytes | None = self.board.last(f"smartpark/garage/floor/floor-{camera}/available")
        return shown

    def wait_for_frames(self, since: float, cameras: set[str] | None = None) -> None:
        """Wait for a frame of each camera that was taken after ``since``."""
        wanted = cameras or set(self.rigs)
        self.eventually(
            lambda: {frame.camera for frame in self.daemon.frames() if frame.taken > since} >= wanted,
            120,
            f"frames of {wanted}\n{self.daemon.log[-3000:]}",
            every=0.05,
        )

    def wait_until_seen(self, cameras: set[str]) -> None:
        """Wait until no camera is blind and the boards show numbers again."""

        def done() -> bool:
            lasting = {interval.camera for interval in self.daemon.blind() if interval.ended == float("inf")}
            return not lasting & cameras and all((self.available(each) or b"--") != b"--" for each in cameras)

        self.eventually(done, 120, f"{cameras} are seen\n{self.daemon.log[-3000:]}", every=0.05)

    def wait_for_event(self, camera: str, since: float) -> None:
        """Wait for an event of a camera after ``since``."""
        self.eventually(
            lambda: any(event.camera == camera and event.at > since for event in self.daemon.events()),
            120,
            f"{camera} counts\n{self.daemon.log[-3000:]}",
            every=0.1,
        )


@pytest.fixture
def field_bench(
    tmp_path: Path, weights: Path, mosquitto: Any, listen: Any, eventually: Callable[..., Any], monkeypatch: Any
) -> Iterator[Callable[..., Bench]]:
    """Starts cameras of the given kinds and a daemon: ``field_bench({"name": FilmCamera(...)})``."""
    monkeypatch.setenv("SMARTPARK_DETECTOR_MODELS_DIR", str(weights))
    made: list[Bench] = []

    def start(kinds: dict[str, str], fps: int = FPS, sections: str = "", **keys: Any) -> Bench:
        epoch = time.monotonic()
        cameras = {name: FilmCamera(kind, epoch, **(keys if name != STEADY else {})) for name, kind in kinds.items()}
        films: dict[str, tuple[Path, Path]] = {}
        rigs: dict[str, Rig] = {}
        mosquitto.start()
        daemon = FieldDaemon(tmp_path, cameras, mosquitto.port, 256)
        made.append(bench := Bench(daemon, rigs, listen(mosquitto.port), eventually, epoch))
        for name, camera in cameras.items():
            codecs = ("mjpeg", "mjpeg") if camera.kind == "mjpeg" else ("h264", "hevc")
            if codecs[0] not in films:
                films[codecs[0]] = (
                    make_film(TRAFFIC, codecs[0], fps=fps).save(tmp_path / f"{codecs[0]}.film"),
                    make_film(TRAFFIC, codecs[1], OTHER_SIZE, fps + 1).save(tmp_path / f"{codecs[0]}.other"),
                )
            rigs[name] = Rig(camera, *films[codecs[0]])
            camera.start(rigs[name].usual)
        daemon.configure(sections)
        daemon.start()
        bench.wait_for_frames(epoch)
        bench.wait_until_seen(set(kinds))
        return bench

    yield start
    for bench in made:
        bench.daemon.close()
