"""What the field does to cameras: each fault with how it begins, how it ends, and what the camera's problem says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.film_cameras import FilmCamera

ALL = frozenset({"rtsp", "mjpeg", "gstreamer"})
OWN = frozenset({"rtsp", "mjpeg"})  # GStreamer's server has no switches for these
RTSP = frozenset({"rtsp"})


@dataclass(frozen=True)
class Rig:
    """A camera with its usual film, and another one of the same traffic."""

    camera: FilmCamera
    usual: Path
    other: Path

    def restart(self, film: Path | None = None, **keys: object) -> None:
        """Kill it and start it again."""
        self.camera.kill()
        self.camera.start(film or self.usual, **keys)


@dataclass(frozen=True)
class Fault:
    """``kinds`` are the cameras it can be done to; ``problem`` is a part of what the log says of the camera.

    ``shows_nothing``: no picture comes while it lasts, so that the camera is blind for just that time.
    """

    name: str
    begin: Callable[[Rig], None]
    end: Callable[[Rig], None]
    kinds: frozenset[str] = ALL
    problem: str = ""
    shows_nothing: bool = True


def _setting(name: str, begin: float | str, end: float | str) -> tuple[Callable[[Rig], None], Callable[[Rig], None]]:
    return (lambda rig: rig.camera.set(name, begin)), (lambda rig: rig.camera.set(name, end))


KILLED = Fault("killed", lambda rig: rig.camera.kill(), Rig.restart, problem="refuses connections")
STOPPED = Fault("stopped", lambda rig: rig.camera.suspend(), lambda rig: rig.camera.resume())
CHANGED = Fault(
    "back with another size, rate and codec",
    lambda rig: rig.camera.kill(),
    lambda rig: rig.restart(rig.other),
    problem="refuses connections",
)
PASSWORD = Fault(
    "another password",
    lambda rig: rig.restart(credentials="gate:other"),
    Rig.restart,
    OWN,
    "refuses the user or the password (401)",
)
RUBBISH = Fault("random bytes", *_setting("garbage", 1, 0), OWN, shows_nothing=False)
SILENT = Fault("sends nothing", *_setting("paused", 1, 0), OWN)


def _mute(rig: Rig) -> None:
    rig.restart()
    rig.camera.set("stuck_at", "DESCRIBE")


MUTE = Fault("silent after DESCRIBE", _mute, Rig.restart, RTSP)
JUMPING = Fault("jumping times", *_setting("stamp_shift", 3600.0, 0.0), RTSP, shows_nothing=False)
LOSING = Fault("lost packets inside TCP", *_setting("loss", 0.3, 0.0), RTSP, shows_nothing=False)


def _late(rig: Rig) -> None:
    rig.restart()
    rig.camera.set("paused", 1)


LATE = Fault("first packet long after PLAY", _late, lambda rig: rig.camera.set("paused", 0), OWN)

# What happens in a soak; the others are in tests/system/test_field.py only.
SOAK = (KILLED, STOPPED, RUBBISH, CHANGED, SILENT, PASSWORD)
