"""What the simulator's vehicles do besides driving by: the truth is right for all of it, alone and together."""

from __future__ import annotations

import pickle
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.events import Direction
from edge.simulator.scene import Scene, SceneParameters, TrueBox, TrueCrossing
from edge.simulator.traffic.kinds import ALL_KINDS, LANES, MIDDLE_LANE, NEAR_LANE
from edge.simulator.traffic.lane import STEP_SECONDS
from edge.simulator.traffic.traffic import Traffic

HOUR = 3600.0
LENGTHS = {kind.name: kind.length * 0.072 for kind in ALL_KINDS}
SCALES = {round(lane.row): lane.scale for lane in LANES}

shares = st.sampled_from([0.0, 0.3, 1.0])
parts = st.sampled_from([0.0, 0.3])
wild = st.builds(
    SceneParameters,
    seed=st.integers(0, 2**32),
    vehicles_per_minute=st.sampled_from([12.0, 40.0]),
    entry_share=st.sampled_from([0.3, 0.8]),
    max_speed=st.sampled_from([0.2, 0.35, 1.0]),
    stop_on_line=parts,
    tailgating=parts,
    side_by_side=shares,
    u_turns=parts,
    returns=parts,
    motorbike_share=parts,
    bicycle_share=parts,
    long_share=parts,
    barrier=st.sampled_from([0, 1]),
    noise=st.just(0.0),
)
quick = settings(max_examples=12, deadline=None)


def changed(parameters: SceneParameters, **keys: float) -> SceneParameters:
    """The same parameters with some changed."""
    return SceneParameters(**{name: getattr(parameters, name) for name in parameters.__slots__} | keys)


def by_vehicle(found: list[TrueCrossing]) -> dict[int, list[TrueCrossing]]:
    """The crossings of each vehicle."""
    crossings: dict[int, list[TrueCrossing]] = defaultdict(list)
    for crossing in found:
        crossings[crossing.vehicle].append(crossing)
    return crossings


@given(wild)
@quick
def test_crossings_are_where_the_boxes_pass_the_line(parameters: SceneParameters) -> None:
    """Each crossing is the moment a box's middle is on the line, in its direction then; there are no others."""
    scene, every = Scene(parameters), 1 / 16
    before: dict[int, tuple[float, bool]] = {}
    seen: dict[int, list[tuple[float, float, Direction]]] = defaultdict(list)
    for at in (index * every for index in range(60 * 16)):
        for true_box in scene.boxes(at):
            inside = true_box.box.center.x > 320
            last = before.get(true_box.vehicle)
            if last is not None and last[1] is not inside:
                seen[true_box.vehicle].append((last[0], at, Direction.ENTRY if inside else Direction.EXIT))
            before[true_box.vehicle] = at, inside
    truth = by_vehicle(
        sorted(scene.crossings(60 - every) + scene.bicycles(60 - every), key=lambda crossing: crossing.at)
    )
    assert set(truth) == set(seen)
    for number, found in truth.items():
        assert len(found) == len(seen[number])
        for crossing, (earlier, later, way) in zip(found, seen[number], strict=True):
            assert crossing.direction is way
            assert earlier <= crossing.at <= later


@given(wild)
@quick
def test_vehicles_of_a_lane_never_overlap(parameters: SceneParameters) -> None:
    """On none of the lanes two vehicles come closer than half a car, whatever they do and wait for."""
    ramp = Traffic(parameters)
    for step in range(0, 60 * 32, 4):
        ramp.advance(step)
        for lane in LANES:
            driving = [vehicle for vehicle in ramp.vehicles() if vehicle.lane == lane]
            for leader, follower in pairwise(driving):
                way = leader.place - follower.place - (leader.length + follower.length) / 2
                assert way >= 0.46 * 4.6 * 0.072 * lane.scale, step * STEP_SECONDS


@given(wild)
@quick
def test_vehicles_move_smoothly(parameters: SceneParameters) -> None:
    """No vehicle moves farther than the greatest speed allows, nor jumps in or out of the picture."""
    scene, every = Scene(parameters), 1 / 40
    last: dict[int, TrueBox] = {}
    for index in range(30 * 40):
        now = {true_box.vehicle: true_box for true_box in scene.boxes(index * every)}
        farthest = parameters.max_speed * every + 1e-9
        for number in now.keys() & last.keys():
            for side in ("x1", "x2"):
                assert abs(getattr(now[number].box, side) - getattr(last[number].box, side)) / 640 <= farthest
        for number in now.keys() ^ last.keys():
            true_box = now.get(number) or last[number]
            assert index == 0 or min(true_box.box.x2, 640 - true_box.box.x1) / 640 <= farthest
        last = now


@given(wild, st.floats(20, 60))
@quick
def test_seconds_end_with_an_empty_picture(parameters: SceneParameters, seconds: float) -> None:
    """Up to ``seconds`` the traffic is that of the endless scene, less those that would not have left by then."""
    scene, endless = Scene(changed(parameters, seconds=seconds)), Scene(parameters)
    came = set()
    for index in range(int(seconds * 8)):
        kept = scene.boxes(index / 8)
        assert set(kept) <= set(endless.boxes(index / 8))
        came |= {true_box.vehicle for true_box in kept}
    assert all(scene.boxes(seconds + later) == [] for later in (0, 0.5, 5, HOUR))
    truth = scene.crossings(seconds + HOUR)
    assert {crossing.vehicle for crossing in truth} <= came
    assert [crossing for crossing in endless.crossings(seconds) if crossing.vehicle in came] == truth


@given(wild, st.floats(1, 40))
@quick
def test_stop_traffic_lets_no_vehicle_in(parameters: SceneParameters, at: float) -> None:
    """The vehicles in the picture drive on, no other comes, and at the returned second the picture is empty."""
    scene = Scene(parameters)
    inside = {true_box.vehicle for true_box in scene.boxes(at)}
    before = scene.crossings(at)
    empty_at = scene.stop_traffic(at)
    for moment in (at + index / 8 for index in range(400)):
        seen = {true_box.vehicle for true_box in scene.boxes(moment)}
        assert seen <= inside
        assert not (seen and moment >= empty_at)
    truth = scene.crossings(at + HOUR)
    assert truth[: len(before)] == before
    assert {crossing.vehicle for crossing in truth[len(before) :]} <= inside


def test_everything_does_not_depend_on_frame_rate_or_size() -> None:
    """With everything at once too, the traffic is the same at any frame rate and size."""
    keys: dict[str, Any] = {
        "seed": 7,
        "tailgating": 0.2,
        "stop_on_line": 0.2,
        "side_by_side": 0.4,
        "u_turns": 0.1,
        "returns": 0.2,
    }
    keys |= {"bicycle_share": 0.1, "long_share": 0.1, "barrier": 1, "idle_swings": 3, "vehicles_per_minute": 30}
    keys |= {"pedestrians": 10, "trolleys": 0.3}
    whole = Scene(SceneParameters(**keys))
    truth, bicycles, people = whole.crossings(120), whole.bicycles(120), whole.people(61.7)
    assert len(truth) > 15
    assert bicycles
    assert people
    for fps, width, height in ((5, 160, 96), (30, 1280, 720), (7.3, 640, 480)):
        scene = Scene(SceneParameters(**keys, fps=fps, width=width, height=height))
        for index in range(int(60 * fps)):
            scene.boxes(index / fps)
            scene.people(index / fps)
        assert scene.crossings(120) == truth
        assert scene.bicycles(120) == bicycles
        for person, same in zip(scene.people(61.7), people, strict=True):
            assert (person.person, person.kind) == (same.person, same.kind)
            assert person.box.x1 / width == pytest.approx(same.box.x1 / 640)


def test_returns_are_two_crossings() -> None:
    """With ``returns`` 1 each car passes the line, stops with its tail a third beyond, and passes it back."""
    parameters = SceneParameters(seed=6, returns=1.0, motorbike_share=0.0)
    ramp, scene = Traffic(parameters), Scene(parameters)
    beyond: dict[int, float] = defaultdict(float)
    for step in range(300 * 32):
        ramp.advance(step)
        for vehicle in ramp.vehicles():
            tail = vehicle.place - vehicle.length / 2 - 0.5
            beyond[vehicle.number] = max(beyond[vehicle.number], tail / vehicle.length)
    found = by_vehicle(scene.crossings(300))
    done = {number: pair for number, pair in found.items() if len(pair) == 2}
    assert len(done) > 15
    assert len(found) - len(done) <= 2  # those on their way at the end
    for number, (there, back) in done.items():
        assert there.direction is back.direction.opposite
        assert back.at - there.at > 2
        assert 0.33 <= beyond[number] <= 0.45
    assert {there.direction for there, _ in done.values()} == set(Direction)


def test_returns_and_u_turns_share_one_whole() -> None:
    """The shares of vehicles that turn short of the line and beyond it are those of the parameters."""
    scene = Scene(SceneParameters(seed=6, u_turns=0.3, returns=0.3, vehicles_per_minute=6, motorbike_share=0.0))
    seen: set[int] = set()
    for index in range(int(2 * HOUR)):
        seen |= {true_box.vehicle for true_box in scene.boxes(float(index))}
    count = Counter(len(found) for found in by_vehicle(scene.crossings(2 * HOUR)).values())
    assert count[2] / len(seen) == pytest.approx(0.3, abs=0.05)
    assert count[1] / len(seen) == pytest.approx(0.4, abs=0.05)


def test_two_wheelers_and_long_vehicles_do_not_back_over_the_line() -> None:
    """A vehicle without a reverse gear, or too long for the picture, crosses once whatever ``returns`` says."""
    keys: dict[str, Any] = {"returns": 1.0, "motorbike_share": 0.5, "bicycle_share": 0.2, "long_share": 0.3}
    scene = Scene(SceneParameters(seed=3, **keys))
    found = by_vehicle(scene.crossings(1200) + scene.bicycles(1200))
    assert {pair[0].kind for pair in found.values() if len(pair) == 2} == {"sedan", "hatchback", "van"}
    single = {pair[0].kind for pair in found.values() if len(pair) == 1 and pair[0].at < 1150}
    assert single == {"motorbike", "bicycle", "minibus", "trailer"}


def test_pairs_cross_the_line_at_nearly_the_same_time() -> None:
    """With ``side_by_side`` 0.5 that share of those entering has another vehicle abreast, and each crosses."""
    parameters = SceneParameters(seed=9, side_by_side=0.5, entry_share=0.7, seconds=HOUR)
    ramp = Traffic(parameters)
    pairs: dict[int, int] = {}
    lanes: dict[int, float] = {}
    for step in range(0, int(HOUR * 32), 16):
        ramp.advance(step)
        for vehicle in ramp.vehicles():
            lanes[vehicle.number] = vehicle.lane.row
            if vehicle.beside is not None:
                pairs[vehicle.number] = vehicle.beside.number
    truth = {crossing.vehicle: crossing for crossing in Scene(parameters).crossings(HOUR)}
    assert set(truth) == set(lanes)
    near = [number for number, floor in lanes.items() if floor == NEAR_LANE.row]
    assert len(pairs) / len(near) == pytest.approx(0.5, abs=0.06)
    assert set(pairs) == {number for number, floor in lanes.items() if floor == MIDDLE_LANE.row}
    for farther, nearer in pairs.items():
        assert truth[farther].direction is truth[nearer].direction is Direction.ENTRY
        assert 0.1 < abs(truth[farther].at - truth[nearer].at) < 1.5
    ahead = [truth[farther].at < truth[nearer].at for farther, nearer in pairs.items()]
    assert 0.35 < sum(ahead) / len(ahead) < 0.65


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"motorbike_share": 0.6}, {"motorbike": 0.6, "sedan": 0.184}),
        ({"long_share": 0.4}, {"minibus": 0.2, "trailer": 0.2, "motorbike": 0.078}),
        ({"bicycle_share": 0.3, "long_share": 0.2}, {"bicycle": 0.3, "minibus": 0.1, "trailer": 0.1}),
        ({"motorbike_share": 1.0}, {"motorbike": 1.0}),
        ({"bicycle_share": 1.0}, {"bicycle": 1.0}),
    ],
)
def test_shares_of_kinds(keys: dict[str, Any], expected: dict[str, float]) -> None:
    """Over half an hour each kind has its share; bicycles are never among the vehicles."""
    scene = Scene(SceneParameters(seed=2, vehicles_per_minute=25, **keys))
    vehicles, bicycles = scene.crossings(HOUR / 2), scene.bicycles(HOUR / 2)
    assert all(crossing.kind != "bicycle" for crossing in vehicles)
    assert all(crossing.kind == "bicycle" for crossing in bicycles)
    count = Counter(crossing.kind for crossing in vehicles + bicycles)
    for kind, share in expected.items():
        assert count[kind] / count.total() == pytest.approx(share, abs=0.05)


def test_long_vehicles_fit_into_the_picture() -> None:
    """At the moment it crosses, a minibus or a car with its trailer is wholly in the picture, on every lane."""
    scene = Scene(SceneParameters(seed=3, long_share=1.0, vehicles_per_minute=6))
    kinds = set()
    for crossing in scene.crossings(600):
        (box,) = (true_box.box for true_box in scene.boxes(crossing.at) if true_box.vehicle == crossing.vehicle)
        assert box.x1 > 60
        assert box.x2 < 580
        kinds.add((crossing.kind, crossing.direction))
    assert len(kinds) == 4


@pytest.mark.parametrize("hours", [0.5, pytest.param(2, marks=pytest.mark.long)])
def test_a_long_run_of_everything_takes_little_memory(hours: float) -> None:
    """After a long run with everything at once the scene has hardly grown."""
    keys: dict[str, Any] = {"stop_on_line": 0.1, "u_turns": 0.1, "tailgating": 0.1, "side_by_side": 0.2, "returns": 0.1}
    keys |= {"barrier": 1, "idle_swings": 1, "pedestrians": 6, "trolleys": 0.3, "prams": 0.1}
    scene = Scene(SceneParameters(seed=13, vehicles_per_minute=8, bicycle_share=0.1, long_share=0.1, **keys))
    scene.boxes(HOUR / 4)
    scene.people(HOUR / 4)
    scene.crossings(HOUR / 4)
    before = len(pickle.dumps(scene))
    crossings = scene.crossings(hours * HOUR) + scene.bicycles(hours * HOUR)
    scene.boxes(hours * HOUR)
    scene.people(hours * HOUR)
    assert len(pickle.dumps(scene)) - before < 2 * 17 * len(crossings) + 25_000
    assert len(crossings) > 250 * hours
