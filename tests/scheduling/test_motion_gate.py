"""Tests of the frames for which the detector is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.core.shapes import Box
from edge.core.tracks import LONG_GAP_SECONDS, Track, TrackState
from edge.scheduling.motion_gate import MotionGate
from edge.scheduling.parameters import DEFAULT_SCHEDULING
from edge.scheduling.turns import Need

REGION = Box(0, 0, 160, 90)
STILL = np.full((90, 160, 3), 90, np.uint8)
FPS = 10
VEHICLE = Track("a", TrackState.CONFIRMED, Box(20, 20, 80, 50), "car", 0.8, 0.0)
LIMITS = DEFAULT_SCHEDULING.gate


def picture(number: int) -> np.ndarray:
    """A picture in which a bright square is at a place of its own for each number."""
    image = STILL.copy()
    left = 10 * number % 120
    image[30:60, left : left + 30] = 200
    return image


class Watched:
    """A gate that gets frames, and looks at those that it wants."""

    def __init__(self, *, enabled: bool = True) -> None:
        self.gate = MotionGate(enabled=enabled)
        self.at = 0.0
        self.tracks: list[Track] = []
        self.undecided = False
        self.looks: list[float] = []

    def frame(self, image: np.ndarray = STILL) -> bool:
        """The next frame: whether the detector is wanted."""
        self.at += 1 / FPS
        wanted = self.gate.wants(image, self.at)
        if wanted:
            self.looks.append(self.at)
            self.gate.looked(self.at, self.tracks, REGION, undecided=self.undecided)
        return wanted

    def still(self, seconds: float) -> int:
        """So many seconds in which nothing moves: how often the detector was wanted."""
        return sum(self.frame() for _ in range(round(seconds * FPS)))


def test_the_detector_looks_every_two_seconds_while_nothing_moves() -> None:
    """After a second without movement; never so seldom that the tracks of parked vehicles would end."""
    watched = Watched()
    watched.still(LIMITS.still_seconds + 1)
    watched.looks.clear()
    assert watched.still(20) == pytest.approx(20 / LIMITS.look_seconds, abs=1)
    gaps = np.diff(watched.looks)
    assert max(gaps) < LONG_GAP_SECONDS
    assert watched.gate.need is Need.NOTHING_MOVES


def test_movement_wakes_the_detector_with_the_same_frame() -> None:
    """No frame of a vehicle is lost, and none until a second after it."""
    watched = Watched()
    watched.still(10)
    assert all(watched.frame(picture(number)) for number in range(10))
    assert watched.gate.need is Need.MOVEMENT
    assert watched.still(LIMITS.still_seconds - 0.2) == round((LIMITS.still_seconds - 0.2) * FPS)
    assert watched.still(10) <= 10 / LIMITS.look_seconds + 10


@pytest.mark.parametrize(
    ("changes", "near"),
    [
        pytest.param({}, True, id="moves"),
        pytest.param({"state": TrackState.LOST, "followed": False}, True, id="lost"),
        pytest.param({"resting": True}, False, id="parked"),
        pytest.param({"box": Box(500, 500, 600, 600)}, False, id="elsewhere"),
        pytest.param({"state": TrackState.ENDED}, False, id="ended"),
        pytest.param({"state": TrackState.TENTATIVE, "past": None}, False, id="never confirmed"),
    ],
)
def test_a_vehicle_near_a_gate_keeps_the_detector_awake(changes: dict[str, object], near: bool) -> None:
    """One that parks, or that is elsewhere, does not; nor does what was never confirmed as a track."""
    watched = Watched()
    watched.tracks = [replace(VEHICLE, **changes)]  # type: ignore[arg-type]
    watched.still(5)
    assert (watched.still(10) == 10 * FPS) is near
    watched.frame()
    assert (watched.gate.need is Need.VEHICLE) is near


def test_an_undecided_crossing_keeps_the_detector_awake() -> None:
    """It is decided by later frames, so they must be looked at."""
    watched = Watched()
    watched.undecided = True
    watched.still(5)
    assert watched.still(5) == 5 * FPS
    watched.undecided = False
    watched.frame()
    assert watched.still(10) <= 10 / LIMITS.look_seconds + 1


def test_switched_off_every_frame_is_looked_at() -> None:
    """As without the mechanism."""
    watched = Watched(enabled=False)
    assert watched.still(10) == 10 * FPS
    assert watched.gate.need is Need.MOVEMENT


def test_after_a_gap_the_picture_is_learned_anew() -> None:
    """What changed while there were no frames is no movement for long."""
    watched = Watched()
    watched.still(10)
    watched.at += 60
    changed = np.full_like(STILL, 160)
    assert watched.frame(changed)
    for _ in range(2 * FPS):
        watched.frame(changed)
    assert watched.gate.need is Need.NOTHING_MOVES
