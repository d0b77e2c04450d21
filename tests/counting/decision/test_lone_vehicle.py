"""Tests when a crossing is decided at once, and that this never changes what is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.scripted_tracks import (
    COUNTING,
    ENTRY,
    EXIT,
    GATE,
    MECHANISMS,
    SIZE,
    WITHOUT_EARLY,
    GateResult,
    Vehicle,
    make_candidate_at,
    make_evidence,
    make_track,
    run_gate,
    standing,
    steady,
)

from edge.config.schema import CountingConfig
from edge.counting.crossing_path import LineCrossing
from edge.counting.decision.lone_vehicle import is_lone, is_settled
from edge.counting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.core.events import Direction
    from edge.core.tracks import Evidence, Verdict

CAR = (100.0, 60.0)
FRAME_AREA = 500_000.0
IN = steady(300, 700, 20)


def hold(*vehicles: Vehicle, rate: float = 10.0, **options: Any) -> float:
    """Seconds from the crossing of the first vehicle to its decision."""
    result = run_gate(*vehicles, rate=rate, **options)
    (verdict,) = [verdict for verdict in result.verdicts if verdict.track_id == vehicles[0].track_id]
    assert verdict.crossing is not None
    return verdict.at - verdict.crossing.at


@pytest.mark.parametrize("rate", [5.0, 10.0, 30.0])
def test_a_lone_vehicle_is_decided_within_three_tenths_of_a_second(rate: float) -> None:
    """It is decided with the first frame in which it has left the dead band: it drives a size a second."""
    vehicle = Vehicle(steady(250, 750, round(5 * rate)), size=CAR)
    assert hold(vehicle, rate=rate) <= 0.3
    assert hold(vehicle, rate=rate, mechanisms=WITHOUT_EARLY) > COUNTING.decide_seconds


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Vehicle(steady(200, 600, 20), track_id="r-2", size=CAR), id="follows"),
        pytest.param(Vehicle(IN, y=330, track_id="r-2", size=CAR), id="beside it"),
        pytest.param(Vehicle(steady(280, 680, 20), track_id="r-2", size=(40.0, 30.0), confidence=0.1), id="its part"),
        pytest.param(Vehicle(steady(440, 540, 20), track_id="r-2", size=CAR, confirmed_by=99), id="tentative"),
        pytest.param(Vehicle([440.0, 460.0, 480.0, *[None] * 20], track_id="r-2", size=CAR, first_frame=7), id="lost"),
        pytest.param(Vehicle(IN, label="person", track_id="r-2", size=(20.0, 60.0)), id="a person beside it"),
        pytest.param(Vehicle(IN[::-1], y=120, track_id="r-2", size=CAR), id="another crossing waits"),
    ],
)
def test_a_vehicle_that_is_not_alone_waits(other: Vehicle) -> None:
    """Another track is near that may be of the same vehicle, or another crossing of the gate waits."""
    assert hold(Vehicle(IN, size=CAR), other) > COUNTING.decide_seconds


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Vehicle(standing(400, 25), y=330, track_id="r-2", size=CAR), id="parked before the line"),
        pytest.param(Vehicle(standing(590, 25), y=330, track_id="r-2", size=CAR), id="parked beyond the line"),
        pytest.param(Vehicle(steady(460, 100, 25), y=330, track_id="r-2", size=CAR), id="drives away"),
        pytest.param(Vehicle(steady(0, 300, 20), track_id="r-2", size=CAR), id="follows far behind"),
    ],
)
def test_what_cannot_cross_soon_holds_nothing_back(other: Vehicle) -> None:
    """It is near, but parked or driving away; or it is too far away to be of the same vehicle."""
    assert hold(Vehicle(IN, size=CAR), other) <= 0.3


@pytest.mark.parametrize(
    "vehicle",
    [
        pytest.param(Vehicle(IN, label=lambda frame: "car" if frame % 2 else "truck"), id="two types"),
        pytest.param(Vehicle(IN, confidence=0.3), id="never seen surely"),
        pytest.param(Vehicle(steady(300, 900, 8)), id="seen for too short a time"),
        pytest.param(Vehicle(steady(540, 1000, 12), first_frame=10), id="not seen to cross"),
        pytest.param(Vehicle(IN, part_of="r-9"), id="it came out of another track"),
        pytest.param(Vehicle(IN, label="cell phone"), id="it has no vehicle's name"),
    ],
)
def test_a_vehicle_waits_that_may_still_turn_out_to_be_something_else(vehicle: Vehicle) -> None:
    """What is known of it when it has left the dead band may change."""
    early, late = hold(vehicle), hold(vehicle, mechanisms=WITHOUT_EARLY)
    assert early > 0.2
    assert early <= late


def test_a_person_is_not_decided_early() -> None:
    """A crossing that does not count is published by nobody: it may still turn out to be a vehicle."""
    assert hold(Vehicle(IN, label="person")) > COUNTING.decide_seconds


def test_a_wait_ends_when_enough_was_seen() -> None:
    """The rest of the wait becomes shorter, and what could be voted meanwhile becomes less."""
    vehicle = Vehicle(steady(400, 1000, 22), confidence=0.55)
    assert 0.2 < hold(vehicle, rate=20.0) < hold(vehicle, rate=20.0, mechanisms=WITHOUT_EARLY) - 0.1


def test_crossings_that_were_decided_hold_the_next_back_only_where_they_are_near() -> None:
    """In its direction, a crossing of a track that was right before it may be of a longer vehicle."""
    track = make_candidate_at(520)

    def alone(x: float, *, crossed_at: float = 9.6, direction: Direction = ENTRY) -> bool:
        other = make_candidate_at(x, track_id="r-2", crossed_at=crossed_at)
        other.crossing, other.is_decided = LineCrossing(direction, crossed_at), True
        return is_lone(track, [track, other], [track.track], 10.0)

    assert not alone(600)
    assert alone(600, direction=EXIT)
    assert alone(800)
    assert alone(600, crossed_at=5.0)


def test_an_undecided_crossing_holds_the_next_back_wherever_it_is() -> None:
    """So that the crossings of a gate are decided in their order."""
    track, other = make_candidate_at(520), make_candidate_at(900, track_id="r-2", crossed_at=5.0)
    assert not is_lone(track, [track, other], [track.track], 10.0)


def test_a_track_must_be_found_in_the_frame() -> None:
    """Where it is now is not known otherwise."""
    assert is_lone(make_candidate_at(520), [], [], 10.0)
    assert not is_lone(make_candidate_at(520), [], [], 10.1)


@pytest.mark.parametrize(
    ("evidence", "settled"),
    [
        (make_evidence({"car": 0.8}), True),
        (make_evidence({"car": 0.8, "truck": 0.1}), True),
        (make_evidence({"car": 0.5, "truck": 0.3}), False),
        (make_evidence({"car": 0.45}), False),
        (make_evidence({"car": 0.8}, seconds=0.2, sightings=2), False),
        (make_evidence({"car": 0.6, "bicycle": 0.4}), False),
        (make_evidence({"car": 0.5, "person": 0.9}), False),
        (make_evidence({"motorcycle": 0.7, "person": 0.3}), True),
        (make_evidence({"boat": 0.8}), False),
        (make_evidence({"traffic light": 0.8}), False),
    ],
)
def test_a_settled_track_keeps_its_type_whatever_is_voted(evidence: Evidence, settled: bool) -> None:
    """Its votes outweigh what half a second more of another class could bring."""
    assert is_settled(make_track(520, evidence=evidence), 0.6, COUNTING, FRAME_AREA, None) is settled


def test_the_usual_confidence_is_learned_when_the_wait_is_over() -> None:
    """A vehicle that was counted early is learned from once, and no sooner, also after a very long wait."""
    counting = CountingConfig(decide_seconds=7.0)
    gate = Gate(GATE, counting, MECHANISMS)
    vehicle = Vehicle([*steady(200, 700, 100), *[700.0] * 60], size=CAR)
    learned = []
    for frame in range(160):
        track = vehicle.track_in(frame, 10.0)
        assert track is not None
        gate.update([track], SIZE, frame / 10)
        learned.append(list(gate._decisions._confidences))
    (verdict,) = gate.verdicts()
    assert verdict.crossing is not None
    assert verdict.at < verdict.crossing.at + 5.0
    first = next(frame for frame, confidences in enumerate(learned) if confidences)
    assert first / 10 >= verdict.crossing.at + counting.decide_seconds
    assert learned[-1] == [0.8]


# -- laws ----------------------------------------------------------------------------------------------------------

RATES = st.sampled_from([5.0, 10.0, 15.0])
labels = st.sampled_from(["car", "car", "car", "truck", "motorcycle", "person", "bicycle", "cell phone"])
any_places = st.lists(st.integers(0, 1000).map(lambda x: x + 0.25), min_size=3, max_size=25)


@st.composite
def any_vehicles(draw: st.DrawFn) -> list[Vehicle]:
    """Tracks that may jump, each with any label and confidence."""
    return [
        Vehicle(
            draw(any_places),
            track_id=f"r-{number}",
            first_frame=draw(st.integers(0, 10)),
            label=draw(labels),
            confidence=draw(st.floats(0.05, 0.95)),
            size=CAR,
            y=draw(st.sampled_from([150.0, 220.0, 250.0, 330.0])),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


@st.composite
def driving_vehicles(draw: st.DrawFn) -> tuple[list[Vehicle], float]:
    """Vehicles that drive as vehicles do, some with a second track on them, and the frames a second."""
    rate = draw(RATES)
    found: list[Vehicle] = []
    for _ in range(draw(st.integers(1, 3))):
        forwards, speed = draw(st.booleans()), draw(st.floats(40, 250))
        seconds, start = draw(st.floats(1.5, 4.0)), draw(st.floats(250, 480))
        places = [start + speed * frame / rate for frame in range(round(seconds * rate))]
        vehicle = Vehicle(
            places if forwards else [1000 - x for x in places],
            track_id=f"r-{len(found)}",
            first_frame=draw(st.integers(0, 20)),
            label=draw(labels),
            confidence=draw(st.floats(0.05, 0.95)),
            size=CAR,
            y=draw(st.sampled_from([140.0, 215.0, 250.0, 330.0])),
        )
        found.append(vehicle)
        if draw(st.booleans()):
            found.append(second_track(draw, vehicle, f"r-{len(found)}"))
    return found, rate


def second_track(draw: st.DrawFn, vehicle: Vehicle, track_id: str) -> Vehicle:
    """A track on the same vehicle, off by a little or right behind it, for a part of its time."""
    first = draw(st.integers(0, len(vehicle.places) - 3))
    last = draw(st.integers(first + 3, len(vehicle.places)))
    off, scale = draw(st.floats(-120, 40)), draw(st.floats(0.3, 1.1))
    return replace(
        vehicle,
        places=[float(x) + off for x in vehicle.places[first:last]],  # type: ignore[arg-type]
        track_id=track_id,
        first_frame=vehicle.first_frame + first,
        confidence=draw(st.floats(0.05, 0.95)),
        label=draw(labels),
        size=(CAR[0] * scale, CAR[1] * scale),
        y=vehicle.y + draw(st.floats(-15, 15)),
    )


def both(vehicles: Sequence[Vehicle], rate: float) -> tuple[GateResult, GateResult]:
    """The scene with and without early decisions."""
    early, late = (run_gate(*vehicles, rate=rate, mechanisms=mechanisms) for mechanisms in (MECHANISMS, WITHOUT_EARLY))
    return early, late


def crossings_of(result: GateResult) -> dict[tuple[str, float], Verdict]:
    """The verdicts on line crossings by track and time; fails where a crossing has two."""
    found = [verdict for verdict in result.verdicts if verdict.crossing is not None]
    by_key = {(verdict.track_id, verdict.crossing.at): verdict for verdict in found if verdict.crossing is not None}
    assert len(by_key) == len(found)
    return by_key


# Two tracks on one vehicle that jump to and fro: the second is a duplicate, and was lone when it was decided.
JUMPING = (
    Vehicle([0.25, 508.25, 493.25, 582.25], "r-0", 1, confidence=0.5, size=(100.0, 60.0), y=150.0),
    Vehicle([0.25, 508.25, 476.25], "r-1", 0, confidence=0.5, size=(100.0, 60.0), y=150.0),
)


@given(any_vehicles(), RATES)
@example([*JUMPING], 5.0)
@settings(max_examples=150)
def test_each_crossing_is_decided_once_and_never_later(vehicles: list[Vehicle], rate: float) -> None:
    """Whatever tracks do, the same line crossings are decided, each once, and none later than after the whole wait."""
    early, late = (crossings_of(result) for result in both(vehicles, rate))
    assert early.keys() == late.keys()
    assert all(early[key].at <= late[key].at for key in early)
    assert all(early[key].counted for key in early if early[key].at < late[key].at)


@given(driving_vehicles())
@settings(max_examples=250)
def test_early_decisions_count_what_late_ones_count(scene: tuple[list[Vehicle], float]) -> None:
    """Of vehicles that drive, with second tracks on them, as many count in each direction."""
    early, late = both(*scene)
    assert Counter(early.directions) == Counter(late.directions)


@given(driving_vehicles())
@settings(max_examples=100)
def test_what_counts_early_keeps_its_type(scene: tuple[list[Vehicle], float]) -> None:
    """What counts early is a vehicle of the type that it is after the whole wait."""
    early, late = (crossings_of(result) for result in both(*scene))
    for key, verdict in early.items():
        if verdict.counted and late[key].counted and verdict.at < late[key].at:
            assert verdict.crossing is not None
            assert late[key].crossing is not None
            assert verdict.crossing.label == late[key].crossing.label  # type: ignore[union-attr]
