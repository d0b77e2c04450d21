"""Tests how a track is classified, by its labels, its size, its motion and the people near it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted_tracks import COUNTING, SIZE, make_evidence, make_track

from edge.config.schema import CountingConfig
from edge.core.events import VehicleType
from edge.core.tracks import Reason, UsualSize
from edge.counting.decision.classification import (
    Classification,
    TrackClass,
    classify,
    dominant_label,
    has_unreliable_size,
    usual_vehicle_side,
)

AREA = float(SIZE[0] * SIZE[1])
CYCLISTS = CountingConfig(bicycles=True)
# Vehicles are usually 100 x 100 pixels here, and a person's box has the area of a square of 30.
LEARNED = UsualSize(100.0, 100.0, 30.0)


def classified(
    confidences: dict[str, float], *, side: float = 100.0, usual_size: UsualSize = LEARNED, **evidence: Any
) -> Classification:
    """The class of a track that was seen for a second with these confidences and moved by three of its sides."""
    seen = make_evidence(confidences, **{"path": 3 * side, **evidence})
    return classify(make_track(300, size=(side, side), evidence=seen, usual_size=usual_size), COUNTING, AREA)


def refusal(confidences: dict[str, float], usual_confidence: float | None) -> Reason | None:
    """Why a track with these confidences does not count at a gate with this usual confidence."""
    track = make_track(300, evidence=make_evidence(confidences, path=300.0), usual_size=LEARNED)
    return classify(track, COUNTING, AREA, usual_confidence).refusal(COUNTING)


@pytest.mark.parametrize("name", ["car", "motorcycle", "bus", "truck", "train", "boat"])
def test_a_track_with_a_vehicles_name_is_a_vehicle(name: str) -> None:
    """YOLO calls a school bus from an odd side a boat."""
    assert classified({name: 0.8}).track_class is TrackClass.VEHICLE
    assert classified({name: 0.8}).refusal(COUNTING) is None


@pytest.mark.parametrize("name", ["cell phone", "remote", "suitcase on wheels", "refrigerator"])
def test_a_track_without_a_vehicles_name_counts_by_size_and_motion(name: str) -> None:
    """YOLO calls a car from straight above a cell phone."""
    result = classified({name: 0.4})
    assert result.track_class is TrackClass.UNNAMED
    assert result.refusal(COUNTING) is None


@pytest.mark.parametrize(
    ("side", "evidence"),
    [
        pytest.param(100.0, {"path": 20.0}, id="does not move"),
        pytest.param(20.0, {"path": 200.0}, id="is tiny"),
        pytest.param(45.0, {"path": 200.0}, id="is smaller than vehicles are here"),
        pytest.param(100.0, {"sightings": 1}, id="was detected once"),
    ],
)
def test_a_small_or_resting_track_without_a_vehicles_name_does_not_count(side: float, evidence: dict[str, Any]) -> None:
    """A bench, a lamp or a flag gives no evidence of a vehicle."""
    assert classified({"bench": 0.4}, side=side, **evidence).refusal(COUNTING) is Reason.NO_EVIDENCE


def test_a_trolley_is_recognised_by_the_size_of_people() -> None:
    """What is hardly larger than a person does not count, even where no vehicle was seen yet."""
    trolley = classified({"chair": 0.5}, side=80.0, usual_size=UsualSize(person=75.0))
    assert trolley.refusal(COUNTING) is Reason.NO_EVIDENCE
    assert classified({"chair": 0.5}, side=200.0, usual_size=UsualSize(person=75.0)).refusal(COUNTING) is None


@pytest.mark.parametrize(
    "confidences", [{"person": 0.7}, {"person": 0.7, "car": 0.1}, {"person": 0.6, "motorcycle": 0.05}]
)
def test_a_person_does_not_count(confidences: dict[str, float]) -> None:
    """A few detections with another name do not change that."""
    assert classified(confidences).refusal(COUNTING) is Reason.PERSON


def test_a_rider_is_a_motorcycle() -> None:
    """A person who is called a motorcycle nearly as often sits on one."""
    assert classified({"person": 0.6, "motorcycle": 0.4}).refusal(COUNTING) is None


@pytest.mark.parametrize("name", ["skateboard", "chair", "bench", "dining table"])
def test_a_track_that_stays_with_a_person_is_pushed(name: str) -> None:
    """Trolleys and prams have a person beside them for most of their way."""
    assert classified({name: 0.6}, person_seconds=0.8).refusal(COUNTING) is Reason.PERSON
    assert classified({name: 0.6}, person_seconds=0.1).refusal(COUNTING) is None


def test_a_car_behind_a_person_stays_a_car() -> None:
    """A person who walks in front of it all the way does not make it a trolley."""
    assert classified({"car": 0.7}, person_seconds=1.0).refusal(COUNTING) is None


def test_bicycles_count_only_where_the_configuration_says_so() -> None:
    """A motorcycle that is called a bicycle now and then is still a motorcycle."""
    assert classified({"bicycle": 0.6}).refusal(COUNTING) is Reason.BICYCLE
    assert classified({"bicycle": 0.6}).refusal(CYCLISTS) is None
    assert classified({"bicycle": 0.2, "motorcycle": 0.6}).refusal(COUNTING) is None


def test_headlights_are_a_vehicle_of_which_only_lights_are_seen() -> None:
    """YOLO calls them traffic lights."""
    result = classified({"traffic light": 0.3})
    assert result.track_class is TrackClass.LIGHTS
    assert result.refusal(COUNTING) is None


def test_lights_alone_do_not_count_where_vehicles_are_seen_clearly() -> None:
    """By day a traffic light or a lamp on a wall is what it is called."""
    assert refusal({"traffic light": 0.3}, 0.4) is None
    assert refusal({"traffic light": 0.4}, 0.4) is None
    assert refusal({"traffic light": 0.3}, None) is None
    assert refusal({"traffic light": 0.3}, 0.9) is Reason.NO_EVIDENCE


def test_a_faint_track_does_not_count_where_vehicles_are_seen_clearly() -> None:
    """The usual confidence at the gate decides what a low confidence is worth."""
    assert refusal({"car": 0.08}, None) is None
    assert refusal({"car": 0.08}, 0.2) is None
    assert refusal({"car": 0.08}, 0.9) is Reason.NO_EVIDENCE
    assert refusal({"car": 0.1}, 0.4) is None
    assert refusal({"car": 0.1}, 0.9) is Reason.NO_EVIDENCE


def test_a_rider_is_no_smaller_than_a_person_on_foot() -> None:
    """People side by side are now and then called a motorcycle, but are not as large as one."""
    confidences = {"person": 0.5, "motorcycle": 0.4}
    assert classified(confidences, side=60.0, usual_size=UsualSize(person=55.0)).refusal(COUNTING) is None
    assert classified(confidences, side=40.0, usual_size=UsualSize(person=55.0)).refusal(COUNTING) is Reason.PERSON
    confidences = {"motorcycle": 0.4, "person": 0.25}
    assert classified(confidences, side=24.0).refusal(COUNTING) is Reason.PERSON
    assert classified(confidences, side=60.0).refusal(COUNTING) is None


def test_a_tiny_and_unsure_track_is_nothing() -> None:
    """A toy or a reflection is much smaller than any vehicle at its place."""
    assert classified({"car": 0.15}, side=30.0).track_class is TrackClass.NOTHING
    assert classified({"car": 0.8}, side=30.0).track_class is TrackClass.VEHICLE
    assert classified({"car": 0.15}, side=30.0, usual_size=UsualSize()).track_class is TrackClass.VEHICLE


def test_too_little_evidence_does_not_count() -> None:
    """The configuration says how much evidence is enough."""
    flash = classified({"car": 0.06}, seconds=0.1, sightings=2)
    assert flash.refusal(COUNTING) is Reason.NO_EVIDENCE
    assert flash.refusal(CountingConfig(least_evidence=0.001)) is None


def test_the_vehicle_classes_are_those_of_the_configuration() -> None:
    """Where trains pass, a train need not be a vehicle."""
    train = make_track(300, evidence=make_evidence({"train": 0.8}, path=20.0))
    assert classify(train, COUNTING, AREA).track_class is TrackClass.VEHICLE
    assert classify(train, CountingConfig(vehicle_classes=("car",)), AREA).track_class is TrackClass.UNNAMED


@given(st.dictionaries(st.sampled_from(["car", "bus", "person", "cell phone", "traffic light"]), st.floats(0, 1)))
def test_evidence_is_never_more_than_the_votes(confidences: dict[str, float]) -> None:
    """This holds for any labels of a track."""
    assert 0 <= classified(confidences).evidence <= sum(confidences.values()) + 1e-9


@pytest.mark.parametrize(
    ("votes", "label"),
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
def test_the_label_has_most_votes_and_vehicle_types_come_first(votes: dict[str, float], label: str) -> None:
    """Boards show a vehicle type where one was ever seen, else the label with most votes."""
    assert dominant_label(votes) == label
    if label == "cell phone":
        assert VehicleType.of(label) is VehicleType.OTHER


def test_the_size_of_lights_and_of_unnamed_tracks_is_unreliable() -> None:
    """Their boxes say little about the vehicle's size."""
    classes = COUNTING.vehicle_classes
    assert has_unreliable_size(make_track(300, confidences={"traffic light": 0.5}), classes)
    assert has_unreliable_size(make_track(300, confidences={"kite": 0.5, "car": 0.1}), classes)
    assert not has_unreliable_size(make_track(300, confidences={"car": 0.7}), classes)


def test_the_usual_side_is_known_when_width_and_height_are() -> None:
    """It is the side of a square with the same area."""
    assert usual_vehicle_side(make_track(300, usual_size=UsualSize(200.0, 50.0))) == pytest.approx(100.0)
    assert usual_vehicle_side(make_track(300, usual_size=UsualSize(person=30.0))) is None
