"""The people on foot in the simulator: they walk, push and pass by, and never count."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.network import shared_area

from edge.simulator.drawing.canvas import Canvas
from edge.simulator.drawing.people import draw_person, person_extent
from edge.simulator.drawing.sprites import Sprite, SpriteCache
from edge.simulator.scene import Scene, SceneParameters
from edge.simulator.traffic.appearance import SKINS, TOPS, TROUSERS, PersonLook
from edge.simulator.traffic.kinds import LANES, NEAR_LANE_METRES, WIDTHS_PER_METRE, scale_at
from edge.simulator.traffic.walkers import BETWEEN_ROWS, FRONT_ROWS, WALK_MARGIN, WALL_ROWS, Walkers

HOUR = 3600.0
BODY = 1.8  # metres that a car is wide: so far it reaches behind the row on which its wheels stand


@pytest.mark.parametrize(("trolleys", "prams"), [(0.0, 0.0), (0.4, 0.0), (0.3, 0.3), (0.0, 1.0)])
def test_as_many_people_as_the_parameters_say(trolleys: float, prams: float) -> None:
    """An hour has about as many people as the parameters say, in both directions, with trolleys and prams."""
    walkers = Walkers(SceneParameters(seed=3, pedestrians=8.0, trolleys=trolleys, prams=prams))
    seen = {walker.number: walker for second in range(int(2 * HOUR)) for walker in walkers.at(float(second))}
    assert len(seen) == pytest.approx(2 * 60 * 8, rel=0.12)
    pushed = Counter(walker.look.pushes for walker in seen.values())
    # A companion pushes nothing.
    alone = 1 + 0.3 * (1 - trolleys - prams)
    assert pushed["trolley"] / len(seen) == pytest.approx(trolleys / alone, abs=0.05)
    assert pushed["pram"] / len(seen) == pytest.approx(prams / alone, abs=0.05)
    assert sum(walker.rightwards for walker in seen.values()) / len(seen) == pytest.approx(0.5, abs=0.06)
    assert len({walker.row for walker in seen.values()}) >= 6


def test_people_look_different() -> None:
    """They are from 1.6 to 1.9 m tall, of every skin, coat and trousers there is, some with a bag, some in twos."""
    walkers = Walkers(SceneParameters(seed=5, pedestrians=20.0, trolleys=0.2, prams=0.1))
    seen = {walker.number: walker for second in range(int(HOUR / 2)) for walker in walkers.at(float(second))}
    looks = [walker.look for walker in seen.values()]
    assert min(look.height for look in looks) < 1.65 < 1.85 < max(look.height for look in looks) <= 1.9
    assert {look.skin for look in looks} == set(SKINS)
    assert {look.top for look in looks} == set(TOPS)
    assert {look.trousers for look in looks} == set(TROUSERS)
    assert {look.bag for look in looks} == {look.long_hair for look in looks} == {False, True}
    entered = Counter(round(walker.enters_at - 0.35, 6) for walker in seen.values())
    assert any(round(walker.enters_at, 6) in entered for walker in seen.values())


@given(st.integers(0, 2**32), st.sampled_from([5.0, 30.0, 60.0]), st.booleans())
@settings(max_examples=15, deadline=None)
def test_people_walk_where_nothing_drives(seed: int, per_minute: float, three_lanes: bool) -> None:
    """People keep to strips beside the vehicles, walk steadily, and keep a distance to the person ahead."""
    walkers = Walkers(
        SceneParameters(
            seed=seed, pedestrians=per_minute, trolleys=0.3, prams=0.2, side_by_side=0.5 if three_lanes else 0.0
        )
    )
    depths = {lane: NEAR_LANE_METRES / lane.scale for lane in LANES if three_lanes or lane.row != 289}
    for second in range(0, 120, 2):
        now = walkers.at(float(second))
        tracks: dict[float, list[float]] = defaultdict(list)
        for walker in now:
            depth = NEAR_LANE_METRES / scale_at(walker.row)
            assert all(not near - 0.2 < depth < near + BODY + 0.2 for near in depths.values()), walker.row
            assert 0.7 <= walker.speed / WIDTHS_PER_METRE / scale_at(walker.row) <= 1.65
            assert -WALK_MARGIN - 1e-9 <= walker.x_at(float(second)) <= 1 + WALK_MARGIN + 1e-9
            if walker.row in (*WALL_ROWS, *FRONT_ROWS, *BETWEEN_ROWS):
                tracks[walker.row].append(walker.x_at(float(second)) / WIDTHS_PER_METRE / scale_at(walker.row))
        for places in tracks.values():
            places.sort()
            assert all(later - earlier > 0.8 for earlier, later in pairwise(places))


def test_people_are_a_function_of_time() -> None:
    """At any moment, however often it is asked for, the same people are at the same places; few are kept."""
    often, once = (Walkers(SceneParameters(seed=9, pedestrians=12.0, trolleys=0.3, prams=0.1)) for _ in range(2))
    for index in range(3000):
        often.at(index / 10)
    late = [(walker, walker.x_at(250.0)) for walker in once.at(250.0)]
    assert late
    assert [(walker, walker.x_at(250.0)) for walker in often.at(250.0)] == late
    assert len(Walkers(SceneParameters(seed=9, pedestrians=60.0, trolleys=0.3, prams=0.1)).at(10 * HOUR)) < 40
    assert Walkers(SceneParameters(seed=9)).at(HOUR) == []


def test_people_never_count() -> None:
    """With hundreds of people and not one vehicle nothing crosses, and with vehicles they change nothing."""
    crowd = SceneParameters(seed=1, vehicles_per_minute=0, pedestrians=40, trolleys=0.4, prams=0.2)
    scene = Scene(crowd)
    assert scene.crossings(HOUR) == []
    assert scene.boxes(100.0) == []
    assert {person.kind for second in range(300) for person in scene.people(float(second))} == {
        "person",
        "trolley",
        "pram",
    }
    busy = Scene(SceneParameters(seed=1, pedestrians=40))
    assert busy.crossings(HOUR) == Scene(SceneParameters(seed=1)).crossings(HOUR)


@pytest.mark.parametrize("pushes", ["", "trolley", "pram"])
def test_a_step_swings_legs_and_arms_over_standing_feet(pushes: str) -> None:
    """Over a stride the picture changes, the feet stay on the ground, the head keeps its height, nothing is cut off."""
    look = PersonLook(1.75, SKINS[1], (20, 20, 20), TOPS[0], TROUSERS[0], long_hair=False, bag=True, pushes=pushes)
    back, ahead = person_extent(look)
    pictures = []
    for way in np.linspace(0, 0.83 * 1.75, 9):
        canvas = Canvas(back + ahead + 0.4, 2.5, back + 0.2, 0.2, 60.0)
        draw_person(canvas, look, float(way))
        rows, columns = np.nonzero(canvas.alpha)
        assert (2.3 - rows.max() / 60) == pytest.approx(0.0, abs=0.04)
        assert (2.3 - rows.min() / 60) == pytest.approx(1.75, abs=0.10)
        assert columns.min() / 60 >= 0.1
        assert columns.max() / 60 <= back + ahead + 0.3
        pictures.append(canvas.bgr)
    assert np.array_equal(pictures[0], pictures[-1])  # a stride later the picture is the same
    moved = [int((cv2.absdiff(picture, pictures[0]) > 0).any(axis=2).sum()) for picture in pictures[1:-1]]
    assert min(moved) > 400


def test_pictures_of_people_are_kept_within_bounds() -> None:
    """A stride's pictures are drawn once and used again; the least recently used are dropped at the limit."""
    made: list[str] = []

    def make(name: str) -> Sprite:
        made.append(name)
        return Sprite(np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10, 3), np.uint8), 5.0, 8)

    kept = SpriteCache(limit=1800)  # three of 600 bytes
    for name in "abcabdbaca":
        kept.get(name, partial(make, name))
        assert kept.size <= 1800
    assert "".join(made) == "abcdc"
    assert SpriteCache(limit=1).get("larger than all", partial(make, "x")).size == 600


def test_people_are_drawn_where_their_boxes_are() -> None:
    """What a person on foot changes in the picture lies in the box, but for the shadow."""
    scene = Scene(SceneParameters(seed=3, vehicles_per_minute=0, pedestrians=4, trolleys=0.3, prams=0.3, noise=0.0))
    bare = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0)).render(0).astype(int)
    kinds = set()
    for second in range(300):
        people = scene.people(float(second))
        if len(people) != 1 or people[0].box.x1 <= 24 or people[0].box.x2 >= 616:
            continue
        box = people[0].box
        kinds.add(people[0].kind)
        changed = np.abs(scene.render(float(second)) - bare).max(axis=2)
        changed[:, :20] = changed[:, -20:] = 0  # the shadow of a person who is no longer in the picture
        assert np.nonzero(changed > 12)[0].min() == pytest.approx(box.y1, abs=5)
        ys, xs = np.nonzero(changed > 24)
        body = ys < box.y2 - 8
        assert xs[body].min() >= box.x1 - 3
        assert xs[body].max() <= box.x2 + 3
        assert (xs.max() - xs.min()) > 0.3 * (box.x2 - box.x1)
    assert kinds == {"person", "trolley", "pram"}


def test_the_nearer_hides_the_farther() -> None:
    """People before the nearer lane hide vehicles; vehicles hide the people along the wall."""
    keys: dict[str, Any] = {"seed": 4, "vehicles_per_minute": 20, "pedestrians": 30, "noise": 0.0}
    both, crowd, traffic = (
        Scene(SceneParameters(**keys | less)) for less in ({}, {"vehicles_per_minute": 0}, {"pedestrians": 0})
    )
    bare = Scene(SceneParameters(vehicles_per_minute=0, noise=0.0)).render(0).astype(int)
    found: Counter[str] = Counter()
    for at in np.arange(5, 200, 0.5):
        boxes = [vehicle.box for vehicle in both.boxes(at)]
        for person in both.people(at):
            strip = "front" if person.box.y2 > 340 else "wall" if person.box.y2 < 240 else ""
            met = [box for box in boxes if shared_area(box, person.box) > 0]
            if len(met) != 1 or not strip or found[strip] >= 3:
                continue
            x1, x2 = max(person.box.x1, met[0].x1) + 2, min(person.box.x2, met[0].x2) - 2
            y1, y2 = max(person.box.y1, met[0].y1) + 4, min(person.box.y2, met[0].y2) - 8
            if x2 - x1 < 12 or y2 - y1 < 20:
                continue
            area = slice(int(y1), int(y2)), slice(int(x1), int(x2))
            nearer, farther = (crowd, traffic) if strip == "front" else (traffic, crowd)
            drawn = np.abs(nearer.render(at)[area] - bare[area]).max(axis=2) > 60
            if drawn.sum() < 60:
                continue
            picture = both.render(at)[area].astype(int)
            assert np.abs(picture - nearer.render(at)[area])[drawn].max(axis=1).mean() < 3
            assert np.abs(picture - farther.render(at)[area])[drawn].max(axis=1).mean() > 10
            found[strip] += 1
    assert found == {"front": 3, "wall": 3}
