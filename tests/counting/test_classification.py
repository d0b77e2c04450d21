"""What a track is taken for, by what it was called, its size, its motion and the people about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ways import COUNTING, SIZE, evidence, track

from edge.config.schema import CountingConfig
from edge.core.events import VehicleType
from edge.core.tracks import Reason, Usual
from edge.counting.classification import (
    Classification,
    TrackClass,
    classify,
    dominant_label,
    has_unreliable_size,
    usual_vehicle_side,
)

AREA = float(SIZE[0] * SIZE[1])
CYCLISTS = CountingConfig(bicycles=True)
# A vehicle is usually 100 x 100 here, and a person's box has the area of a square of 30.
LEARNED = Usual(100.0, 100.0, 30.0)


def kind(votes: dict[str, float], *, side: float = 100.0, usual: Usual = LEARNED, **shown: float) -> Classification:
    """The judgement on a track that was called so for a second; it went three of its sides."""
    known = evidence(votes, **{"path": 3 * side, **shown})  # type: ignore[arg-type]
    return classify(track(300, size=(side, side), shown=known, usual=usual), COUNTING, AREA)


@pytest.mark.parametrize("name", ["car", "motorcycle", "bus", "truck", "train", "boat"])
def test_what_bears_a_vehicles_name_is_one(name: str) -> None:
    """A school bus from an odd side is a boat to YOLO."""
    assert kind({name: 0.8}).track_class is TrackClass.VEHICLE
    assert kind({name: 0.8}).refusal(COUNTING) is None


@pytest.mark.parametrize("name", ["cell phone", "remote", "suitcase on wheels", "refrigerator"])
def test_what_has_no_vehicles_name_is_one_by_size_and_motion(name: str) -> None:
    """From straight above cars are cell phones; one that is as large as a vehicle and goes its way counts."""
    judged = kind({name: 0.4})
    assert judged.track_class is TrackClass.UNNAMED
    assert judged.refusal(COUNTING) is None


@pytest.mark.parametrize(
    ("side", "shown"),
    [
        pytest.param(100.0, {"path": 20.0}, id="does not move"),
        pytest.param(20.0, {"path": 200.0}, id="is tiny"),
        pytest.param(45.0, {"path": 200.0}, id="is smaller than vehicles are here"),
        pytest.param(100.0, {"sightings": 1}, id="was seen but once"),
    ],
)
def test_without_a_vehicles_name_small_or_resting_things_are_none(side: float, shown: dict[str, float]) -> None:
    """A bench, a lamp, a flag: there is no evidence of a vehicle."""
    assert kind({"bench": 0.4}, side=side, **shown).refusal(COUNTING) is Reason.NO_EVIDENCE


def test_a_trolley_is_known_by_the_size_of_people() -> None:
    """Hardly larger than a person: no vehicle, even where no vehicle was seen yet."""
    assert kind({"chair": 0.5}, side=80.0, usual=Usual(person=75.0)).refusal(COUNTING) is Reason.NO_EVIDENCE
    assert kind({"chair": 0.5}, side=200.0, usual=Usual(person=75.0)).refusal(COUNTING) is None


@pytest.mark.parametrize("votes", [{"person": 0.7}, {"person": 0.7, "car": 0.1}, {"person": 0.6, "motorcycle": 0.05}])
def test_a_person_is_none(votes: dict[str, float]) -> None:
    """Also one who was taken for something else now and then."""
    assert kind(votes).refusal(COUNTING) is Reason.PERSON


def test_a_rider_is_a_motorcycle() -> None:
    """A person who is half a motorcycle sits on one."""
    assert kind({"person": 0.6, "motorcycle": 0.4}).refusal(COUNTING) is None


@pytest.mark.parametrize("name", ["skateboard", "chair", "bench", "dining table"])
def test_what_goes_with_a_person_is_pushed_by_one(name: str) -> None:
    """Trolleys and prams have a person beside them most of their way."""
    assert kind({name: 0.6}, person_seconds=0.8).refusal(COUNTING) is Reason.PERSON
    assert kind({name: 0.6}, person_seconds=0.1).refusal(COUNTING) is None


def test_a_car_behind_a_person_stays_a_car() -> None:
    """Somebody who walks in front of it all the way does not make it a trolley."""
    assert kind({"car": 0.7}, person_seconds=1.0).refusal(COUNTING) is None


def test_bicycles_count_only_where_the_configuration_says_so() -> None:
    """They take no slot, unless told so; a motorcycle that looks like one now and then is still one."""
    assert kind({"bicycle": 0.6}).refusal(COUNTING) is Reason.BICYCLE
    assert kind({"bicycle": 0.6}).refusal(CYCLISTS) is None
    assert kind({"bicycle": 0.2, "motorcycle": 0.6}).refusal(COUNTING) is None


def test_headlights_are_a_vehicle_of_which_only_lamps_are_seen() -> None:
    """To YOLO they are traffic lights."""
    judged = kind({"traffic light": 0.3})
    assert judged.track_class is TrackClass.LIGHTS
    assert judged.refusal(COUNTING) is None


def test_lights_alone_are_none_where_vehicles_are_seen_well() -> None:
    """By day a traffic light, or a lamp on a wall, is one."""
    lamp = track(300, shown=evidence({"traffic light": 0.3}, path=300.0), usual=LEARNED)
    assert classify(lamp, COUNTING, AREA, 0.4).refusal(COUNTING) is None
    assert classify(lamp, COUNTING, AREA, 0.9).refusal(COUNTING) is Reason.NO_EVIDENCE


def test_what_is_faint_where_vehicles_are_not_is_none() -> None:
    """How sure the detector usually is at this gate says what a weak look is worth."""
    faint = track(300, shown=evidence({"car": 0.08}, path=300.0), usual=LEARNED)
    assert classify(faint, COUNTING, AREA, None).refusal(COUNTING) is None
    assert classify(faint, COUNTING, AREA, 0.2).refusal(COUNTING) is None
    assert classify(faint, COUNTING, AREA, 0.9).refusal(COUNTING) is Reason.NO_EVIDENCE


def test_a_rider_is_no_smaller_than_people_are() -> None:
    """Somebody with a thing that looks like a motorcycle: as small as a person on foot, or smaller."""
    votes = {"person": 0.5, "motorcycle": 0.4}
    assert kind(votes, side=60.0, usual=Usual(person=55.0)).refusal(COUNTING) is None
    assert kind(votes, side=40.0, usual=Usual(person=55.0)).refusal(COUNTING) is Reason.PERSON


def test_something_tiny_and_unsure_is_nothing() -> None:
    """Much smaller than any vehicle at that place: a toy, a reflection."""
    assert kind({"car": 0.15}, side=30.0).track_class is TrackClass.NOTHING
    assert kind({"car": 0.8}, side=30.0).track_class is TrackClass.VEHICLE
    assert kind({"car": 0.15}, side=30.0, usual=Usual()).track_class is TrackClass.VEHICLE


def test_too_little_evidence_is_none() -> None:
    """A weak flash is not enough; how much is, the configuration says."""
    flash = kind({"car": 0.06}, seconds=0.1, sightings=2)
    assert flash.refusal(COUNTING) is Reason.NO_EVIDENCE
    assert flash.refusal(CountingConfig(least_evidence=0.001)) is None


def test_the_vehicle_classes_are_the_configurations() -> None:
    """Where trains pass, a train need not be a vehicle."""
    shown = track(300, shown=evidence({"train": 0.8}, path=20.0))
    assert classify(shown, COUNTING, AREA).track_class is TrackClass.VEHICLE
    assert classify(shown, CountingConfig(vehicle_classes=("car",)), AREA).track_class is TrackClass.UNNAMED


@given(st.dictionaries(st.sampled_from(["car", "bus", "person", "cell phone", "traffic light"]), st.floats(0, 1)))
def test_evidence_is_never_more_than_was_seen(votes: dict[str, float]) -> None:
    """Whatever a track was called."""
    judged = kind(votes)
    assert 0 <= judged.evidence <= sum(votes.values()) + 1e-9


@pytest.mark.parametrize(
    ("votes", "name"),
    [
        ({"car": 0.3, "truck": 0.2}, "car"),
        ({"boat": 0.9, "bus": 0.2}, "bus"),
        ({"cell phone": 0.6, "remote": 0.4}, "cell phone"),
        ({"bicycle": 0.6, "motorcycle": 0.4}, "motorcycle"),
        ({"person": 0.7, "bicycle": 0.5}, "bicycle"),
        ({"person": 0.7, "motorcycle": 0.5}, "motorcycle"),
        ({}, ""),
    ],
)
def test_the_name_is_voted_and_vehicle_types_come_first(votes: dict[str, float], name: str) -> None:
    """What the boards show is a vehicle type where any was ever seen, else what was seen most."""
    assert dominant_label(votes) == name
    if name == "cell phone":
        assert VehicleType.of(name) is VehicleType.OTHER


def test_a_weak_track_tells_little_of_the_vehicles_size() -> None:
    """Lamps, and what was never sure."""
    classes = COUNTING.vehicle_classes
    assert has_unreliable_size(track(300, votes={"traffic light": 0.5}), classes)
    assert has_unreliable_size(track(300, votes={"car": 0.1}), classes)
    assert not has_unreliable_size(track(300, votes={"car": 0.7}), classes)


def test_the_usual_side_is_known_when_width_and_height_are() -> None:
    """The side of a square as large."""
    assert usual_vehicle_side(track(300, usual=Usual(200.0, 50.0))) == pytest.approx(100.0)
    assert usual_vehicle_side(track(300, usual=Usual(person=30.0))) is None


def test_where_vehicles_are_seen_well_faint_things_and_lights_are_none() -> None:
    """What the detector hardly sees where it is sure of every vehicle is none; where it never is, it is one."""

    def judged(votes: dict[str, float], usual: float | None) -> Reason | None:
        known = track(300, shown=evidence(votes, path=300.0), usual=LEARNED)
        return classify(known, COUNTING, AREA, usual).refusal(COUNTING)

    assert judged({"car": 0.1}, 0.9) is Reason.NO_EVIDENCE
    assert judged({"traffic light": 0.4}, 0.9) is Reason.NO_EVIDENCE
    for usual in (0.4, None):
        assert judged({"car": 0.1}, usual) is None
        assert judged({"traffic light": 0.4}, usual) is None


def test_a_rider_is_no_smaller_than_a_person() -> None:
    """People side by side are now and then a motorcycle to the detector, but not as large as one."""
    votes = {"motorcycle": 0.4, "person": 0.25}
    assert kind(votes, side=24.0).refusal(COUNTING) is Reason.PERSON
    assert kind(votes, side=60.0).refusal(COUNTING) is None
