"""Tests of movement in a small grey picture: vehicles move it, light, rain, leaves and a clock do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.scheduling.movement import MovementDetector

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.core.frames import Image

WIDTH, HEIGHT = 320, 180
FPS = 5
SETTLING = 20  # seconds in which the background is learned


def make_yard() -> Image:
    """A yard: soft texture with darker and brighter surfaces."""
    random = np.random.default_rng(5)
    coarse = random.integers(60, 190, (6, 10), dtype=np.uint8)
    fine = random.integers(0, 40, (HEIGHT // 4, WIDTH // 4), dtype=np.uint8)
    surfaces = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    texture = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    grey = np.clip(surfaces + texture - 20, 20, 235).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


YARD = make_yard()
# The noise of a sensor in some frames; making it anew for each would take most of the time of these tests.
NOISES = [np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 1)).astype(np.float32) for seed in range(7)]


def noisy(image: Image, number: int, sigma: float = 3.0) -> Image:
    """The image with a sensor's noise."""
    height, width = image.shape[:2]
    noise = np.roll(NOISES[number % len(NOISES)], 13 * number, axis=1)[:height, :width]
    return np.asarray(np.clip(image + sigma * noise, 0, 255), dtype=np.uint8)


def movements(scene: Callable[[int], Image], seconds: float, *, occupied: bool = False) -> list[bool]:
    """What the detector says of each frame of a scene, after the yard was learned."""
    detector = MovementDetector()
    for number in range(SETTLING * FPS):
        detector.look(noisy(YARD, number), number / FPS, occupied=False)
    return [
        detector.look(noisy(scene(number), 1000 + number), SETTLING + number / FPS, occupied=occupied)
        for number in range(round(seconds * FPS))
    ]


def with_box(x: float, y: float = 90, width: int = 45, height: int = 22, level: int = 40) -> Image:
    """The yard with a vehicle: a dark body with a brighter roof, its left edge at ``x``."""
    image = YARD.copy()
    left, top = round(x), round(y)
    cv2.rectangle(image, (left, top), (left + width, top + height), (level,) * 3, -1)
    roof = (left + width // 4, top + height // 5), (left + 3 * width // 4, top + height // 2)
    cv2.rectangle(image, *roof, (min(255, level + 70),) * 3, -1)
    return image


def test_a_still_yard_does_not_move() -> None:
    """A sensor's noise is no motion."""
    assert not any(movements(lambda number: YARD, 10))


@pytest.mark.parametrize(
    ("speed", "size"),
    [
        pytest.param(100, (45, 22), id="fast"),
        pytest.param(10, (45, 22), id="at walking pace"),
        pytest.param(30, (12, 10), id="a motorcycle far away"),
    ],
)
def test_a_vehicle_moves(speed: float, size: tuple[int, int]) -> None:
    """Every frame in which it drives shows it, from the second after half of it came into the picture."""
    drives = movements(lambda number: with_box(-size[0] / 2 + speed * number / FPS, 90, *size), 100 / speed)
    assert all(drives[1:])


def test_a_vehicle_that_creeps_moves() -> None:
    """It drives its own length in half a minute, and is not taken for the background."""
    creeps = movements(lambda number: with_box(50 + 1.5 * number / FPS), 30)
    assert sum(creeps) > 0.9 * len(creeps)


def test_a_vehicle_that_stops_becomes_the_background_and_moves_again() -> None:
    """Within half a minute it is no movement any more; when it drives on, it is at once."""
    stop, start = 3 * FPS, 43 * FPS
    places = [min(number, stop) + max(0, number - start) for number in range(46 * FPS)]
    moves = movements(lambda number: with_box(8 * places[number]), 46)
    assert all(moves[FPS:stop])
    assert not any(moves[start - 10 * FPS : start])
    assert all(moves[start + 3 :])


def test_while_a_vehicle_is_near_it_stays_in_view_for_longer() -> None:
    """The background changes slowly then: what stands before a barrier is not forgotten in ten seconds."""
    stands = movements(lambda number: with_box(200), 15, occupied=True)
    assert all(stands)


@pytest.mark.parametrize(
    "light",
    [
        pytest.param(lambda at: 1 + 0.5 * at / 20, id="the sun comes out"),
        pytest.param(lambda at: 1 - 0.6 * at / 20, id="dusk, much too fast"),
        pytest.param(lambda at: 0.55 if at > 5 else 1.0, id="a lamp goes out"),
        pytest.param(lambda at: 1 + 0.1 * np.sin(at * 9), id="a lamp flickers"),
    ],
)
def test_light_that_changes_is_no_motion(light: Callable[[float], float]) -> None:
    """A change in brightness of the whole picture, slow or sudden, wakes the detector for a second at most."""

    def scene(number: int) -> Image:
        return np.asarray(np.clip(YARD * light(number / FPS), 0, 255), dtype=np.uint8)

    assert sum(movements(scene, 20)) <= FPS


def test_rain_is_no_motion() -> None:
    """Bright streaks all over the picture, others in each frame."""

    def scene(number: int) -> Image:
        random = np.random.default_rng(number)
        image = YARD.copy()
        for x, y in random.integers(0, (WIDTH, HEIGHT), (60, 2)):
            cv2.line(image, (int(x), int(y)), (int(x) + 1, int(y) + 7), (210, 210, 210), 1)
        return image

    moves = movements(scene, 20)
    assert sum(moves[5 * FPS :]) <= FPS // 2


def test_leaves_that_sway_become_the_background() -> None:
    """A bush that sways for a while is no motion any more, and a vehicle in front of it is."""
    bush = noisy(np.asarray(cv2.resize(YARD[::3, ::3], (60, 60)), dtype=np.uint8), 7, 30)

    def sway(number: int, image: Image) -> Image:
        x, y = 200 + round(2 * np.sin(number * 1.3)), 30 + round(1.5 * np.sin(number * 0.9))
        image[y : y + 60, x : x + 60] = bush
        return image

    def scene(number: int) -> Image:
        image = YARD.copy() if number < 60 * FPS else with_box(4 * (number - 60 * FPS) + 150, 60)
        return sway(number, image)

    moves = movements(scene, 65)
    assert not any(moves[50 * FPS : 60 * FPS])
    assert any(moves[60 * FPS + 5 :])


def test_a_clock_in_the_picture_becomes_the_background() -> None:
    """The seconds that a camera writes into its picture change for ever."""

    def scene(number: int) -> Image:
        image = YARD.copy()
        text = f"2026-03-01 08:{number // FPS // 60:02}:{number // FPS % 60:02}"
        cv2.putText(image, text, (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (255, 255, 255), 1)
        return image

    moves = movements(scene, 90)
    assert sum(moves[60 * FPS :]) <= 3 * FPS


def test_by_night_a_dark_vehicle_moves() -> None:
    """The yard has a tenth of its light, the sensor more noise."""
    detector = MovementDetector()

    def night(image: Image, number: int) -> Image:
        return noisy(np.asarray(image // 10, dtype=np.uint8), number, 1.5)

    for number in range(SETTLING * FPS):
        detector.look(night(YARD, number), number / FPS, occupied=False)
    still = [detector.look(night(YARD, number), SETTLING + number / FPS, occupied=False) for number in range(50)]
    moves = [
        detector.look(night(with_box(5 * number), number), SETTLING + 5 + number / FPS, occupied=False)
        for number in range(5, 50)
    ]
    assert sum(still) == 0
    assert sum(moves) > 0.8 * len(moves)


@pytest.mark.parametrize("size", [(1920, 1080), (352, 288), (90, 700), (31, 17), (3840, 2160)])
def test_any_size_of_picture_is_looked_at(size: tuple[int, int]) -> None:
    """The first picture is movement, and one of another size; an equal one is not."""
    detector = MovementDetector()
    image = np.asarray(cv2.resize(YARD, size), dtype=np.uint8)
    assert detector.look(image, 0.0, occupied=False)
    assert not detector.look(image, 0.1, occupied=False)
    assert detector.look(YARD, 0.2, occupied=False)
    detector.forget()
    assert detector.look(YARD, 0.3, occupied=False)
