"""The simulated ramp's traffic: the same in every run, with a truth that agrees with the boxes."""

from __future__ import annotations

import pickle
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.events import Direction
from edge.core.line_geometry import signed_distance
from edge.core.shapes import Point
from edge.simulator.scene import Scene, SceneParameters, TrueBox, TrueCrossing
from edge.simulator.traffic.lane import LaneState

CAR = 4.6 * 0.072  # a car's length in the nearer lane, in frame widths
HOUR = 3600.0
LANE_SCALE = {Direction.ENTRY: 1.0, Direction.EXIT: 0.78}
LENGTHS = {"sedan": 4.6, "hatchback": 4.0, "van": 4.9, "motorbike": 2.4}

seeds = st.integers(0, 2**32)
shares = st.sampled_from([0.0, 0.3, 1.0])
busy = st.builds(
    SceneParameters,
    seed=seeds,
    vehicles_per_minute=st.sampled_from([6.0, 12.0, 40.0]),
    entry_share=shares,
    max_speed=st.sampled_from([0.2, 0.35, 1.0]),
    stop_on_line=shares,
    tailgating=shares,
    u_turns=st.sampled_from([0.0, 0.3]),
    noise=st.just(0.0),
)
quick = settings(max_examples=25, deadline=None)


def boxes_over_time(scene: Scene, until: float, every: float = 1 / 16) -> list[tuple[float, list[TrueBox]]]:
    """The boxes at evenly spaced seconds."""
    return [(index * every, scene.boxes(index * every)) for index in range(int(until / every))]


def length(box: TrueBox) -> float:
    """A vehicle's length in frame widths."""
    return LENGTHS[box.kind] * 0.072 * LANE_SCALE[box.direction]


def gaps(boxes: list[TrueBox], width: float) -> list[tuple[TrueBox, TrueBox, float]]:
    """Follower, leader and the distance between their bumpers in car lengths of their lane, for each pair of a lane."""
    found = []
    for direction in Direction:
        lane = [box for box in boxes if box.direction is direction]
        lane.sort(key=lambda true_box: true_box.box.x1, reverse=direction is Direction.ENTRY)
        for leader, follower in pairwise(lane):
            behind, before = (follower, leader) if direction is Direction.ENTRY else (leader, follower)
            way = before.box.x1 - behind.box.x2
            found.append((follower, leader, way / width / (CAR * LANE_SCALE[direction])))
    return found


def test_other_seed_other_traffic() -> None:
    """Another seed gives other crossings."""
    first, second = (Scene(SceneParameters(seed=seed)).crossings(HOUR / 6) for seed in (1, 2))
    assert first
    assert second
    assert [crossing.at for crossing in first] != [crossing.at for crossing in second]


def test_truth_does_not_depend_on_frame_rate_or_size() -> None:
    """The traffic is the same at any frame rate and size, however often it is asked for."""
    truth = Scene(SceneParameters(seed=7, tailgating=0.3, stop_on_line=0.3)).crossings(120)
    assert len(truth) > 10
    for fps, width, height in ((5, 160, 96), (30, 1280, 720), (7.3, 640, 480)):
        scene = Scene(SceneParameters(seed=7, tailgating=0.3, stop_on_line=0.3, fps=fps, width=width, height=height))
        for index in range(int(120 * fps)):
            scene.boxes(index / fps)
        assert scene.crossings(120) == truth
        assert scene.crossings(60) == [crossing for crossing in truth if crossing.at <= 60]


@given(busy)
@quick
def test_crossings_are_where_the_boxes_pass_the_line(parameters: SceneParameters) -> None:
    """Each crossing is the moment a box's middle is on the line, in its direction, and there are no others."""
    scene = Scene(parameters)
    line = [Point(*point) for point in Scene.LINE]
    inside = signed_distance(line, Point(*Scene.INSIDE)) > 0
    middle: dict[int, tuple[float, bool]] = {}
    seen: dict[int, list[tuple[float, float, Direction]]] = defaultdict(list)
    for at, boxes in boxes_over_time(scene, 60):
        for true_box in boxes:
            center = true_box.box.center
            on_floor = (signed_distance(line, Point(center.x / 640, center.y / 360)) > 0) is inside
            before = middle.get(true_box.vehicle)
            if before is not None and before[1] is not on_floor:
                way = Direction.ENTRY if on_floor else Direction.EXIT
                seen[true_box.vehicle].append((before[0], at, way))
            middle[true_box.vehicle] = at, on_floor
    truth = {crossing.vehicle: crossing for crossing in scene.crossings(60 - 1 / 16)}
    assert set(truth) == set(seen)
    exact = Scene(parameters)
    for crossing in sorted(truth.values(), key=lambda each: each.at):
        ((before_at, after_at, way),) = seen[crossing.vehicle]
        assert way is crossing.direction
        assert before_at <= crossing.at <= after_at
        (box,) = (true_box.box for true_box in exact.boxes(crossing.at) if true_box.vehicle == crossing.vehicle)
        assert box.center.x == pytest.approx(320, abs=1e-6)


@given(busy)
@quick
def test_vehicles_of_a_lane_never_overlap(parameters: SceneParameters) -> None:
    """Bumpers keep about their distance: half a car when tailgating is on, 1.2 cars when it is not."""
    least = 1.2 if parameters.tailgating == 0 else 0.5
    for at, boxes in boxes_over_time(Scene(parameters), 60):
        for _, _, way in gaps(boxes, parameters.width):
            assert way >= least - 0.04, at


@given(busy)
@quick
def test_vehicles_move_smoothly(parameters: SceneParameters) -> None:
    """No vehicle moves farther between two moments than its speed allows, nor jumps in or out of the picture."""
    last: dict[int, TrueBox] = {}
    for at, boxes in boxes_over_time(Scene(parameters), 30, every=1 / 40):
        now = {true_box.vehicle: true_box for true_box in boxes}
        for number in now.keys() & last.keys():
            for side in ("x1", "x2"):
                moved = abs(getattr(now[number].box, side) - getattr(last[number].box, side)) / 640
                assert moved <= parameters.max_speed / 40 + 1e-9
        for number in now.keys() ^ last.keys():
            true_box = now.get(number) or last[number]
            assert at == 0 or min(true_box.box.x2, 640 - true_box.box.x1) / 640 <= parameters.max_speed / 40 + 1e-9
        last = now


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_share_of_entries(share: float) -> None:
    """The share of entries over an hour is that of the parameters."""
    crossings = Scene(SceneParameters(seed=2, entry_share=share)).crossings(HOUR)
    entries = sum(crossing.direction is Direction.ENTRY for crossing in crossings)
    assert entries / len(crossings) == pytest.approx(share, abs=0.05)


def test_rate_and_kinds() -> None:
    """An hour has as many vehicles as the parameters say, of every kind."""
    crossings = Scene(SceneParameters(seed=3)).crossings(HOUR)
    assert len(crossings) == pytest.approx(720, rel=0.1)
    assert {crossing.kind for crossing in crossings} == set(LENGTHS)
    assert [crossing.at for crossing in crossings] == sorted(crossing.at for crossing in crossings)
    assert len({crossing.vehicle for crossing in crossings}) == len(crossings)


def test_no_traffic_at_all() -> None:
    """With 0 vehicles a minute the garage stays empty."""
    scene = Scene(SceneParameters(vehicles_per_minute=0))
    assert scene.crossings(10 * HOUR) == []
    assert scene.boxes(HOUR) == []
    assert scene.stop_traffic(2 * HOUR) == 2 * HOUR


@given(busy, st.floats(5, 60))
@quick
def test_seconds_end_with_an_empty_picture(parameters: SceneParameters, seconds: float) -> None:
    """Up to ``seconds`` the traffic is that of the endless scene, less those that would not have left by then."""
    fields = {name: getattr(parameters, name) for name in parameters.__slots__}
    scene, endless = Scene(SceneParameters(**fields | {"seconds": seconds})), Scene(parameters)
    came: dict[int, float] = {}
    for at, boxes in boxes_over_time(endless, seconds):
        kept = scene.boxes(at)
        assert set(kept) <= set(boxes)
        for true_box in kept:
            came[true_box.vehicle] = at
    assert scene.boxes(seconds) == []
    assert all(scene.boxes(seconds + later) == [] for later in (0.5, 5, 60, HOUR))
    truth = scene.crossings(seconds + HOUR)
    assert {crossing.vehicle for crossing in truth} <= set(came)
    assert [crossing for crossing in endless.crossings(seconds) if crossing.vehicle in came] == truth


def test_seconds_leave_most_of_the_traffic() -> None:
    """A bounded scene is busy until shortly before its end."""
    scene = Scene(SceneParameters(seed=5, seconds=300))
    truth = scene.crossings(300)
    assert len(truth) == pytest.approx(60, rel=0.25)
    assert truth[-1].at > 270


@given(busy, st.floats(1, 40))
@quick
def test_stop_traffic_lets_no_vehicle_in(parameters: SceneParameters, at: float) -> None:
    """The vehicles in the picture drive on, no other comes, and at the returned second the picture is empty."""
    scene, other = Scene(parameters), Scene(parameters)
    inside = {true_box.vehicle for true_box in scene.boxes(at)}
    before = scene.crossings(at)
    empty_at = scene.stop_traffic(at)
    assert empty_at >= at
    times = [at + index / 8 for index in range(400)]
    for moment in times:
        seen = {true_box.vehicle for true_box in scene.boxes(moment)}
        assert seen == {true_box.vehicle for true_box in other.boxes(moment)} & inside
        assert not (seen and moment >= empty_at)
    assert scene.stop_traffic(at + 1) in (empty_at, at + 1)
    truth = scene.crossings(at + HOUR)
    assert truth[: len(before)] == before
    assert truth == [
        crossing for crossing in other.crossings(times[-1]) if crossing.at <= at or crossing.vehicle in inside
    ]


def test_u_turns_never_cross() -> None:
    """A vehicle that turns keeps its middle well short of the line, and leaves where it came from."""
    scene = Scene(SceneParameters(seed=6, u_turns=1.0))
    nearest: dict[int, float] = {}
    last: dict[int, TrueBox] = {}
    for _, boxes in boxes_over_time(scene, 300):
        for true_box in boxes:
            ahead = true_box.box.x2 if true_box.direction is Direction.ENTRY else 640 - true_box.box.x1
            middle = ahead / 640 - length(true_box) / 2
            short = (0.5 - middle) / length(true_box)
            nearest[true_box.vehicle] = min(nearest.get(true_box.vehicle, 1.0), short)
            last[true_box.vehicle] = true_box
    assert len(nearest) > 20
    gone = nearest.keys() - {true_box.vehicle for true_box in scene.boxes(300)}
    assert all(0.25 <= nearest[number] <= 0.6 for number in gone)
    assert any(nearest[number] < 0.5 for number in gone)  # the bumper over the line
    for number in gone:
        true_box = last[number]
        edge = true_box.box.x1 if true_box.direction is Direction.ENTRY else 640 - true_box.box.x2
        assert edge == 0
    assert scene.crossings(HOUR) == []


def test_stops_on_the_line_last_and_count_once() -> None:
    """With ``stop_on_line`` 1 each vehicle stands on the line for 1 to 4 seconds and crosses it once."""
    scene = Scene(SceneParameters(seed=8, stop_on_line=1.0))
    stood: dict[int, float] = defaultdict(float)
    last: dict[int, TrueBox] = {}
    every = 1 / 16
    for _, boxes in boxes_over_time(scene, 300, every):
        for true_box in boxes:
            before = last.get(true_box.vehicle)
            off = abs(true_box.box.center.x / 640 - 0.5) / length(true_box)
            if before is not None and abs(true_box.box.x1 - before.box.x1) < 0.02 and off < 0.45:
                stood[true_box.vehicle] += every
                assert off <= 0.1
            last[true_box.vehicle] = true_box
    crossings = scene.crossings(295)
    assert len(crossings) > 20
    passed = [crossing.vehicle for crossing in crossings]
    assert len(set(passed)) == len(passed)
    assert all(0.9 <= stood[number] <= 4.4 for number in passed)
    assert max(stood.values()) - min(stood[number] for number in passed) > 1.5


def test_tailgaters_follow_at_half_a_car() -> None:
    """With ``tailgating`` 0.4 about that share is followed at half a car's length; without it no vehicle is."""
    for share in (0.0, 0.4):
        scene = Scene(SceneParameters(seed=9, tailgating=share))
        closest: dict[int, float] = {}
        seen: set[int] = set()
        for _, boxes in boxes_over_time(scene, HOUR / 2, every=0.25):
            seen |= {true_box.vehicle for true_box in boxes}
            for _, leader, way in gaps(boxes, 640):
                closest[leader.vehicle] = min(way, closest.get(leader.vehicle, 9.0))
        close = [number for number, way in closest.items() if way < 0.8]
        assert len(close) / len(seen) == pytest.approx(share, abs=0.07)
        assert all(way >= 0.49 for way in closest.values())


def test_offset_leaves_out_earlier_crossings() -> None:
    """With an offset the traffic is the same, and its truth begins there."""
    whole = Scene(SceneParameters(seed=12)).crossings(400)
    late = Scene(SceneParameters(seed=12, offset=200.0))
    assert late.crossings(400) == [crossing for crossing in whole if crossing.at >= 200]
    assert late.crossings(100) == []


@pytest.mark.parametrize("hours", [2, pytest.param(24, marks=pytest.mark.long)])
def test_a_long_run_takes_little_memory(hours: int) -> None:
    """After hours of traffic the scene has hardly grown."""
    scene = Scene(SceneParameters(seed=13, vehicles_per_minute=4, stop_on_line=0.1, u_turns=0.1, tailgating=0.1))
    scene.boxes(HOUR / 2)
    scene.crossings(HOUR / 2)
    before = len(pickle.dumps(scene))
    crossings = scene.crossings(hours * HOUR)
    scene.boxes(hours * HOUR)
    # Two logs of 17 bytes a crossing (one of them for looking ahead), and room for the vehicles of the moment.
    assert len(pickle.dumps(scene)) - before < 2 * 17 * len(crossings) + 10_000
    assert len(crossings) > 170 * hours


def test_steps_without_a_vehicle_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quiet hour is driven in few steps: only while a vehicle is on the ramp."""
    steps: set[float] = set()
    move = LaneState.move

    def counted(state: LaneState, now: float) -> list[TrueCrossing]:
        steps.add(now)
        return move(state, now)

    monkeypatch.setattr(LaneState, "move", counted)
    crossings = Scene(SceneParameters(seed=13, vehicles_per_minute=1)).crossings(HOUR)
    longest_drive = 1.6 / 0.18  # frame widths, by frame widths a second
    assert len(crossings) > 40
    assert len(steps) < 32 * longest_drive * (len(crossings) + 2) < 32 * HOUR / 4


def test_crossings_are_values() -> None:
    """A crossing says which vehicle, of which kind, in which direction and when."""
    first = Scene(SceneParameters(seed=1)).crossings(60)[0]
    assert first == TrueCrossing(first.vehicle, first.kind, first.direction, first.at)
    assert first.vehicle >= 1
    assert 0 < first.at <= 60
