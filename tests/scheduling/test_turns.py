"""Tests of the cameras' turns at one detector."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge.scheduling.turns import DetectorTurns, Need

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = np.zeros((4, 4, 3), np.uint8)


class SlowDetector:
    """A detector that works until it is let go, and knows whether two used it at the same time."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.seen: list[float] = []
        self.users = 0
        self.most_users = 0

    def detect(self, image: Any, share: float = 1.0) -> list[Any]:
        """Note whose image it is, and wait."""
        self.users += 1
        self.most_users = max(self.most_users, self.users)
        self.seen.append(share)
        assert self.go.acquire(timeout=60)
        self.users -= 1
        return []


class Bench:
    """A detector, its turns, and cameras whose threads ask for it; each camera is known by its ``share``."""

    def __init__(self) -> None:
        self.now = 100.0
        self.detector = SlowDetector()
        self.turns = DetectorTurns(self.detector, lambda: self.now)
        self.threads: list[threading.Thread] = []
        self.asked: list[float] = []
        self.waited: dict[float, float] = {}

    def ask(self, camera: float, need: Need, eventually: Callable[..., Any], *, fails: bool = False) -> None:
        """Let a camera ask for the detector, and return when it waits or uses it."""

        def run() -> None:
            turn = self.turns.for_camera()
            with turn.next_turn(need) as waited:
                self.waited[camera] = waited
                self.asked.append(camera)
                if not fails:
                    turn.begin()
                    turn.detect(IMAGE, camera)

        before = self.turns.waiting + len(self.asked)
        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()
        eventually(lambda: self.turns.waiting + len(self.asked) > before)

    def finish(self) -> list[float]:
        """Let the detector look at all; the cameras in the order in which they had their turn."""
        for _ in self.threads:
            self.detector.go.release()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        assert self.detector.most_users == 1
        return self.detector.seen


def test_the_camera_with_a_vehicle_at_its_gate_comes_first(eventually: Callable[..., Any]) -> None:
    """Then movement, then the rare look at a still yard; equal needs in the order in which they asked."""
    bench = Bench()
    bench.ask(1, Need.NOTHING_MOVES, eventually)
    eventually(lambda: bench.detector.seen == [1])
    bench.ask(2, Need.NOTHING_MOVES, eventually)  # is the next, and stays it
    bench.ask(3, Need.NOTHING_MOVES, eventually)
    bench.ask(4, Need.MOVEMENT, eventually)
    bench.ask(5, Need.VEHICLE, eventually)
    bench.ask(6, Need.VEHICLE, eventually)
    assert bench.finish() == [1, 2, 5, 6, 4, 3]


def test_no_camera_waits_for_ever_behind_others(eventually: Callable[..., Any]) -> None:
    """A frame that waited for 0.3 s comes before all that are needed more."""
    bench = Bench()
    bench.ask(1, Need.VEHICLE, eventually)
    bench.ask(2, Need.VEHICLE, eventually)
    bench.ask(3, Need.NOTHING_MOVES, eventually)
    bench.now += 0.4
    bench.ask(4, Need.VEHICLE, eventually)
    assert bench.finish() == [1, 2, 3, 4]


def test_the_next_camera_knows_for_how_long_it_waited(eventually: Callable[..., Any]) -> None:
    """It is told while the detector is still in use, so that it can take a newer frame meanwhile."""
    bench = Bench()
    bench.ask(1, Need.MOVEMENT, eventually)
    bench.ask(2, Need.MOVEMENT, eventually)
    eventually(lambda: 2 in bench.waited)
    bench.ask(3, Need.MOVEMENT, eventually)
    bench.now += 0.25
    assert (bench.waited[1], bench.waited[2]) == (0, 0)
    bench.detector.go.release()
    eventually(lambda: 3 in bench.waited)
    assert bench.waited[3] == 0.25
    bench.finish()


def test_a_camera_that_gives_up_its_turn_stops_nobody(eventually: Callable[..., Any]) -> None:
    """Its thread may end by an error between its turn and the detector."""
    bench = Bench()
    bench.ask(1, Need.VEHICLE, eventually, fails=True)
    bench.ask(2, Need.VEHICLE, eventually)
    assert bench.finish() == [2]


def test_a_detector_that_fails_ends_the_turn() -> None:
    """The error reaches the camera, and the next camera has its turn."""

    class Broken:
        def detect(self, image: Any, share: float = 1.0) -> list[Any]:
            raise RuntimeError("no memory")

    turns = DetectorTurns(Broken())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no memory"):
            turns.for_camera().detect(IMAGE)
    with pytest.raises(RuntimeError, match="outside of a turn"):
        turns.for_camera().begin()


def test_many_cameras_take_turns() -> None:
    """Every request is answered once, and never two at the same time, in whatever order threads run."""
    detector = SlowDetector()
    turns = DetectorTurns(detector)
    for _ in range(8 * 50):
        detector.go.release()

    def camera(number: int) -> None:
        turn = turns.for_camera()
        for look in range(50):
            with turn.next_turn(Need(look % 3)):
                turn.detect(IMAGE, number)

    threads = [threading.Thread(target=camera, args=(number,), daemon=True) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(detector.seen) == sorted(number for number in range(8) for _ in range(50))
    assert detector.most_users == 1
