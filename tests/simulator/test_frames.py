"""The simulated ramp's frames and its address: what is drawn is what the truth says, at any size and in any light."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from edge.core.errors import SourceError
from edge.core.events import Direction
from edge.simulator.scene import Scene, SceneParameters, parse_scene

KINDS = {"sedan", "hatchback", "van", "motorbike"}


@pytest.mark.parametrize("light", ["day", "dusk"])
def test_same_seed_same_pixels(light: str) -> None:
    """Two scenes of the same parameters draw the same frames, pixel for pixel."""
    first, second = (Scene(SceneParameters(seed=4, light=light)) for _ in range(2))
    for at in (0.0, 3.7, 12.0, 12.1, 30.0):
        assert np.array_equal(first.render(at), second.render(at))


def test_stop_traffic_leaves_the_bare_garage() -> None:
    """When the picture is empty, the frame is the one without traffic."""
    scene = Scene(SceneParameters(seed=1, noise=0.0, light="dusk"))
    bare = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0, light="dusk")).render(0)
    assert not np.array_equal(scene.render(20), bare)
    assert np.array_equal(scene.render(scene.stop_traffic(20)), bare)


@pytest.mark.parametrize(("width", "height"), [(160, 96), (640, 480), (1000, 300), (1280, 720), (321, 243)])
def test_any_size(width: int, height: int) -> None:
    """Frames have the size asked for, boxes lie inside, and lanes are where they are at any size."""
    scene = Scene(SceneParameters(seed=1, width=width, height=height))
    usual = Scene(SceneParameters(seed=1))
    for at in (10.0, 15.0, 20.0):
        frame = scene.render(at)
        assert frame.shape == (height, width, 3)
        assert frame.dtype == np.uint8
        for true_box, same in zip(scene.boxes(at), usual.boxes(at), strict=True):
            assert 0 <= true_box.box.x1 < true_box.box.x2 <= width
            assert 0 <= true_box.box.y1 < true_box.box.y2 <= height
            assert true_box.box.x1 / width == pytest.approx(same.box.x1 / 640)
            assert Scene.LINE[0][1] < true_box.box.center.y / height < Scene.LINE[1][1]


def test_boxes_hold_what_is_drawn() -> None:
    """A vehicle's box is the extent of what it changes in the picture, but for the shadow."""
    scene = Scene(SceneParameters(seed=2, noise=0.0))
    bare = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0)).render(0).astype(int)
    kinds = set()
    for crossing in scene.crossings(300):
        boxes = scene.boxes(crossing.at)
        if len(boxes) > 1:
            continue
        kinds.add(crossing.kind)
        box = boxes[0].box
        ys, xs = np.nonzero(np.abs(scene.render(crossing.at) - bare).max(axis=2) > 24)
        assert ys.min() == pytest.approx(box.y1, abs=4)
        assert -2 <= ys.max() - box.y2 <= 10
        body = xs[ys < box.y2 - 12]
        assert body.min() == pytest.approx(box.x1, abs=4)
        assert body.max() == pytest.approx(box.x2, abs=4)
    assert kinds == KINDS


def test_nearer_lane_hides_the_farther() -> None:
    """Where vehicles of both lanes overlap, the picture shows the nearer vehicle as if it were alone."""
    scene = Scene(SceneParameters(seed=1, noise=0.0, vehicles_per_minute=40))
    roofs: dict[int, dict[bool, np.ndarray]] = defaultdict(dict)
    for at in np.arange(0, 120, 1 / 16):
        boxes = scene.boxes(at)
        far = [true_box.box for true_box in boxes if true_box.direction is Direction.EXIT]
        for near in (
            true_box for true_box in boxes if true_box.direction is Direction.ENTRY and true_box.kind == "van"
        ):
            x, y = near.box.center.x, near.box.y1 + 2
            if near.box.x1 > 0 and near.box.x2 < 640:
                hides = any(box.x1 + 60 < x < box.x2 - 60 and box.y2 > y + 4 for box in far)
                alone = all(x + 60 < box.x1 or x - 60 > box.x2 for box in far)
                if hides or alone:
                    roof = scene.render(at)[int(y) : int(y) + 2, int(x) - 20 : int(x)]
                    roofs[near.vehicle].setdefault(hides, roof.astype(int))
    both = [views for views in roofs.values() if len(views) == 2]
    assert both
    for views in both:
        assert np.abs(views[True] - views[False]).max() <= 8


@pytest.mark.parametrize("level", [1.0, 4.0, 10.0])
def test_noise_has_the_level_asked_for(level: float) -> None:
    """Pixels stray from the clean picture with the standard deviation asked for, anew in every frame."""
    noisy = Scene(SceneParameters(vehicles_per_minute=0, noise=level))
    clean = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0)).render(0).astype(float)
    middle = (clean > 60) & (clean < 190)  # where nothing is cut off at black or white
    first, second = (noisy.render(at).astype(float) - clean for at in (0.0, 0.1))
    assert first[middle].std() == pytest.approx(level, rel=0.1)
    assert first[middle].mean() == pytest.approx(0, abs=0.1)
    assert abs(np.corrcoef(first[middle], second[middle])[0, 1]) < 0.05


def test_dusk_is_darker_with_lamps_lit() -> None:
    """At dusk the picture is much darker, and lamps shine beyond a vehicle's box."""
    day, dusk = (Scene(SceneParameters(seed=1, noise=0.0, light=light)) for light in ("day", "dusk"))
    at = day.crossings(60)[0].at
    assert dusk.crossings(60) == day.crossings(60)
    assert dusk.render(at).mean() < 0.6 * day.render(at).mean()
    bare = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0, light="dusk")).render(0)
    brighter = dusk.render(at).astype(int) - bare
    (box,) = (true_box.box for true_box in dusk.boxes(at) if abs(true_box.box.center.x - 320) < 1)
    rows = slice(int(box.y1), int(box.y2))
    left, right = int(box.x1), int(box.x2)
    beside = np.concatenate((brighter[rows, left - 10 : left - 2], brighter[rows, right + 2 : right + 10]))
    assert beside.max() > 60


def test_going_back_gives_the_same_again() -> None:
    """A frame of an earlier second is the one that was drawn then, and looking ahead changes nothing."""
    scene = Scene(SceneParameters(seed=11, u_turns=0.2))
    first = scene.render(12.34)
    scene.crossings(500)
    scene.render(40.0)
    again = scene.render(12.34)
    assert np.array_equal(first, again)
    assert not np.shares_memory(first, again)


def test_parse_reads_every_kind_of_value() -> None:
    """Keys are the parameters' names; what is not given keeps its default."""
    assert parse_scene("sim:ramp") == SceneParameters()
    assert parse_scene("sim:ramp?") == SceneParameters()
    assert parse_scene(
        "sim:ramp?seed=3&fps=12.5&light=dusk&width=160&height=96&u_turns=1&seconds=30"
    ) == SceneParameters(seed=3, fps=12.5, light="dusk", width=160, height=96, u_turns=1.0, seconds=30.0)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("sim:garage", ["garage", "sim:ramp"]),
        ("sim:", ["scene", "sim:ramp"]),
        ("simulator", ["simulator", "sim:ramp"]),
        ("sim:ramp?sped=1", ["sped", "did you mean", "seed"]),
        ("sim:ramp?weather=rain", ["weather", "the keys are", "light"]),
        ("sim:ramp?seed=1&seed=2", ["seed", "twice"]),
        ("sim:ramp?seed", ["seed", "key=value"]),
        ("sim:ramp?seed=", ["seed", "whole number"]),
        ("sim:ramp?seed=1.5", ["seed", "whole number"]),
        ("sim:ramp?seed=-1", ["seed", "from 0"]),
        ("sim:ramp?width=100", ["width", "from 160"]),
        ("sim:ramp?fps=fast", ["fps", "a number"]),
        ("sim:ramp?fps=0", ["fps", "from 0.1"]),
        ("sim:ramp?noise=nan", ["noise", "from 0"]),
        ("sim:ramp?seconds=inf", ["seconds", "from 0"]),
        ("sim:ramp?entry_share=1.01", ["entry_share", "to 1"]),
        ("sim:ramp?min_speed=0.5&max_speed=0.4", ["min_speed", "max_speed", "lower"]),
        ("sim:ramp?light=night", ["light", "day, dusk"]),
        ("sim:ramp?seconds=10&offset=10", ["seconds", "offset"]),
        ("sim:ramp?u_turns=0.6&returns=0.5", ["u_turns", "returns", "lower"]),
        ("sim:ramp?bicycle_share=0.6&long_share=0.5", ["bicycle_share", "long_share", "lower"]),
        ("sim:ramp?pedestrians=5&trolleys=0.6&prams=0.5", ["trolleys", "prams", "lower"]),
        ("sim:ramp?trolleys=0.5", ["trolleys", "give pedestrians"]),
        ("sim:ramp?idle_swings=2", ["idle_swings", "give barrier"]),
        ("sim:ramp?barrier=0.5", ["barrier", "whole number"]),
        ("sim:ramp?barrier=2", ["barrier", "to 1"]),
        ("sim:ramp?flicker=0.9", ["flicker", "to 0.8"]),
        ("sim:ramp?beams=1", ["beams", "light=dusk"]),
    ],
)
def test_parse_refuses_with_key_and_remedy(source: str, parts: list[str]) -> None:
    """A wrong address is refused with the key and what to write instead."""
    with pytest.raises(SourceError) as refused:
        parse_scene(source)
    assert all(part in str(refused.value) for part in parts), str(refused.value)
