"""What the simulator draws to disturb counting: barriers, vehicles that hide each other, beams, flickering light."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.core.events import Direction
from edge.simulator.drawing.colours import light_shares
from edge.simulator.drawing.garage import View
from edge.simulator.drawing.painter import DrawnArm, Painter
from edge.simulator.drawing.vehicles import DrawnVehicle
from edge.simulator.scene import Scene, SceneParameters
from edge.simulator.traffic.kinds import FAR_LANE, LONG_KINDS, MIDDLE_LANE, NEAR_LANE, USUAL_KINDS

SEDAN = USUAL_KINDS[0]
DAY: dict[str, Any] = {"light": "day", "noise": 0.0, "seed": 1}


def difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How far the pixels of two frames are apart: grey levels of the channel that differs most."""
    apart: np.ndarray = np.abs(first.astype(int) - second).max(axis=2)
    return apart


@pytest.mark.parametrize("lane", [NEAR_LANE, MIDDLE_LANE, FAR_LANE])
def test_an_arm_swings_up_from_its_post(lane) -> None:
    """An arm is red and white, lies low across its lane when it is down, and stands high over its post when up."""
    painter = Painter(View(640, 360), **DAY, three_lanes=True)
    bare = painter.paint([], 0)
    reds, tops = [], []
    for lift in (0.0, 0.3, 0.7, 1.0):
        frame = painter.paint([DrawnArm(lane, lift)], 0)
        ys, xs = np.nonzero(difference(frame, bare) > 24)
        assert xs.min() > 270
        assert xs.max() < 370
        drawn = frame[ys, xs].astype(int)
        reds.append(int(((drawn[:, 2] > 140) & (drawn[:, 1] < 90)).sum()))
        assert ((drawn > 200).all(axis=1)).sum() > 20
        tops.append(int(ys.min()))
    assert min(reds) > 30
    assert tops == sorted(tops, reverse=True)
    metre = 46 * lane.scale
    assert tops[0] - tops[-1] > 1.4 * metre


def test_vehicles_pass_before_and_behind_the_posts() -> None:
    """The nearer lane's post is drawn over a vehicle on the line, the farthest lane's is hidden by a vehicle."""
    scene = Scene(SceneParameters(seed=3, barrier=1, noise=0.0))
    painter = Painter(View(640, 360), **DAY)
    found = set()
    for crossing in scene.crossings(120):
        on_line = [(number, drawn) for number, drawn in scene.drawn_vehicles(crossing.at) if abs(drawn.x - 0.5) < 0.25]
        if len(on_line) > 1 or crossing.kind == "motorbike":
            continue
        if crossing.direction is Direction.ENTRY:
            post, shown = (slice(310, 325), slice(319, 327)), painter.paint([DrawnArm(NEAR_LANE, 1.0)], 0)
        else:
            post, shown = (slice(215, 235), slice(314, 320)), painter.paint([on_line[0][1]], 0)
        assert difference(scene.render(crossing.at), shown)[post].max() <= 2
        found.add(crossing.direction)
    assert found == set(Direction)


def test_a_farther_vehicle_stays_visible_beside_a_nearer_vehicle() -> None:
    """Of each vehicle that is driven abreast of, at least a third is seen while both are in the picture."""
    keys: dict[str, Any] = {
        "seed": 5,
        "side_by_side": 0.8,
        "entry_share": 1.0,
        "vehicles_per_minute": 25,
        "width": 320,
        "height": 180,
    }
    scene = Scene(SceneParameters(**keys, noise=0.0))
    painter = Painter(View(320, 180), **DAY, three_lanes=True)
    bare = painter.paint([], 0)
    shares: dict[int, list[float]] = {}
    for at in np.arange(3, 150, 0.6):
        seen = {number: drawn for number, drawn in scene.drawn_vehicles(float(at)) if 0.1 < drawn.x < 0.9}
        for number, farther in seen.items():
            nearer = [drawn for drawn in seen.values() if drawn.lane == NEAR_LANE]
            if farther.lane != MIDDLE_LANE or not nearer:
                continue
            alone = painter.paint([farther], 0)
            body = difference(alone, bare) > 24
            left = body & (difference(painter.paint([farther, *nearer], 0), alone) < 8)
            shares.setdefault(number, []).append(left.sum() / body.sum())
    assert len(shares) >= 12
    assert all(np.median(values) > 1 / 3 for values in shares.values())
    assert np.mean([value > 1 / 3 for values in shares.values() for value in values]) > 0.95
    assert min(np.median(values) for values in shares.values()) < 0.8  # and much is hidden


def test_beams_light_the_floor_ahead_and_nothing_else() -> None:
    """A beam makes the floor brighter for some metres ahead of a vehicle, and no pixel darker or elsewhere."""
    view = View(640, 360)
    plain, beaming = (Painter(view, "dusk", 0.0, 1, beams=beams) for beams in (0.0, 1.0))
    for lane, x, way in ((NEAR_LANE, 0.3, 1), (FAR_LANE, 0.7, -1)):
        vehicle = DrawnVehicle(SEDAN, "silver", lane, x)
        brighter = beaming.paint([vehicle], 0).astype(int) - plain.paint([vehicle], 0)
        assert brighter.min() >= 0
        ys, xs = np.nonzero(brighter.max(axis=2) > 10)
        front = x * 640 + way * 2.3 * 46 * lane.scale
        reach = way * (xs - front) / (46 * lane.scale)
        assert reach.min() > -0.5
        assert 4.0 < reach.max() <= 7.0
        assert ys.min() > lane.row - 1.3 * 46 * lane.scale
        assert brighter.max() > 40


def test_beams_come_in_and_go_out_smoothly() -> None:
    """No beam appears at once, and when the picture is empty the floor is dark again."""
    keys: dict[str, Any] = {"seed": 2, "light": "dusk", "noise": 0.0, "entry_share": 1.0, "vehicles_per_minute": 25}
    plain, beaming = (Scene(SceneParameters(**keys, beams=beams)) for beams in (0.0, 1.0))
    last, brightest = np.zeros((50, 120), int), 0
    for at in np.arange(2, 7, 1 / 15):
        light_now = difference(beaming.render(float(at)), plain.render(float(at)))[300:350, :120]
        assert np.abs(light_now - last).mean() < 5
        last, brightest = light_now, max(brightest, int(light_now.max()))
    assert brightest > 60
    bare = Scene(SceneParameters(vehicles_per_minute=0, light="dusk", noise=0.0)).render(0)
    assert np.array_equal(beaming.render(beaming.stop_traffic(20)), bare)


@pytest.mark.parametrize("strength", [0.2, 0.8])
def test_flicker_takes_its_share_of_the_light(strength: float) -> None:
    """Light comes and goes within the share asked for, slowly as clouds do, and at times at once where a lamp fails."""
    gains = np.array([light_shares(strength, 3, at / 10, 640) for at in range(3000)])
    assert gains.max() <= 1.0
    assert gains.min() >= 1 - strength - 1e-6
    assert gains.max() - gains.min() > 0.6 * strength
    steps = np.abs(np.diff(gains, axis=0)).max(axis=1)
    assert np.median(steps) < 0.05 * strength
    assert (steps > 0.3 * strength).sum() > 10
    uneven = gains.max(axis=1) - gains.min(axis=1)
    assert 0.02 < (uneven > 0.1 * strength).mean() < 0.5


def test_flicker_changes_only_the_light() -> None:
    """The frame is the steady one, column by column darker; truth and a second drawing are the same."""
    steady, first, second = (Scene(SceneParameters(seed=4, noise=0.0, flicker=flicker)) for flicker in (0.0, 0.6, 0.6))
    for at in (3.0, 11.5, 12.0, 30.25):
        frame = first.render(at)
        assert np.array_equal(frame, second.render(at))
        expected = steady.render(at) * light_shares(0.6, 4, at, 640)[None, :, None]
        assert np.abs(frame - expected).max() <= 0.51
    assert first.crossings(300) == steady.crossings(300)
    assert first.boxes(30.0) == steady.boxes(30.0)


@pytest.mark.parametrize("kind", LONG_KINDS)
def test_long_vehicles_fill_their_boxes(kind) -> None:
    """A minibus, and a car with its trailer, are drawn as long and high as they are said to be."""
    painter = Painter(View(640, 360), **DAY)
    bare = painter.paint([], 0)
    for lane in (NEAR_LANE, FAR_LANE):
        ys, xs = np.nonzero(difference(painter.paint([DrawnVehicle(kind, "blue", lane, 0.5)], 0), bare) > 24)
        metre = 46.08 * lane.scale
        assert (lane.row - ys.min()) / metre == pytest.approx(kind.height, abs=0.12)
        body = xs[ys < lane.row - 14]
        assert (body.max() - body.min()) / metre == pytest.approx(kind.length, abs=0.25)


def test_pixels_of_everything_repeat() -> None:
    """With all disturbances two scenes draw the same frames, in any order; another seed draws others."""
    keys: dict[str, Any] = {
        "light": "dusk",
        "beams": 0.8,
        "flicker": 0.4,
        "barrier": 1,
        "idle_swings": 5.0,
        "pedestrians": 20.0,
    }
    keys |= {"trolleys": 0.3, "side_by_side": 0.4, "returns": 0.2, "bicycle_share": 0.2, "long_share": 0.2}
    first, second = (Scene(SceneParameters(seed=4, vehicles_per_minute=25, **keys)) for _ in range(2))
    frames = {at: first.render(at) for at in (3.7, 12.0, 12.1, 30.0)}
    first.crossings(200)
    for at in (30.0, 12.1, 12.0, 3.7):
        assert np.array_equal(second.render(at), frames[at])
    other = Scene(SceneParameters(seed=5, vehicles_per_minute=25, **keys))
    assert not np.array_equal(other.render(30.0), frames[30.0])
