"""Tests that a frame's detections become one sighting for each vehicle, and that sightings add up as evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scripted import box_at, car

from edge.config.schema import TrackerConfig
from edge.core.frames import Detection
from edge.core.shapes import Box
from edge.tracking.parameters import DEFAULT_TRACKING
from edge.tracking.sightings import EvidenceTally, Sighting, Sightings, merge_detections

IGNORED = frozenset(TrackerConfig().ignored_classes)


def sightings_of(*detections: Detection, **changes: Any) -> Sightings:
    """The sightings of these detections, with the default settings."""
    settings = {
        "ignored": IGNORED,
        "merge_iou": 0.6,
        "sure": 0.3,
        "drop_groups": True,
        "parameters": DEFAULT_TRACKING.sightings,
        **changes,
    }
    return merge_detections(detections, **settings)


def kept(*detections: Detection, **changes: Any) -> list[Detection]:
    """The detections whose boxes became sightings, the most confident first."""
    by_box = {tuple(detection.box): detection for detection in detections}
    return [by_box[tuple(box)] for box in sightings_of(*detections, **changes).boxes]


def detection_at(
    x: float, y: float, width: float, height: float, label: str = "car", confidence: float = 0.8
) -> Detection:
    """A detection around (x, y)."""
    return Detection(box_at(x, y, width, height), label, confidence)


def test_a_van_that_is_also_a_truck_is_one_vehicle() -> None:
    """Boxes of several classes in one place become the most confident one, with the votes of all; neighbours stay."""
    van, same, neighbour = car(100, confidence=0.6), car(104, confidence=0.5, label="truck"), car(220)
    found = sightings_of(same, van, neighbour)
    assert [tuple(box) for box in found.boxes] == [tuple(neighbour.box), tuple(van.box)]
    assert found.votes == ({"car": 0.8}, {"car": 0.6, "truck": 0.5})
    assert found.confidences.tolist() == [0.8, 0.6]


def test_a_class_has_one_vote_a_frame() -> None:
    """Two boxes of one class in one place are not twice the evidence."""
    assert sightings_of(car(100, confidence=0.6), car(102, confidence=0.4)).votes == ({"car": 0.6},)


@pytest.mark.parametrize("label", sorted(IGNORED))
def test_animals_and_what_people_carry_are_no_sighting(label: str) -> None:
    """The classes of ``tracker.ignored_classes``."""
    assert kept(car(100, label=label)) == []


def test_people_on_foot_are_no_sightings() -> None:
    """Their boxes are kept apart; a weak box of a person is left out."""
    walker = detection_at(100, 200, 30, 80, "person", 0.7)
    weak = detection_at(300, 200, 30, 80, "person", 0.1)
    found = sightings_of(walker, weak, car(500))
    assert [tuple(box) for box in found.boxes] == [tuple(car(500).box)]
    assert [tuple(box) for box in found.people] == [tuple(walker.box)]


@pytest.mark.parametrize("cycle", ["motorcycle", "bicycle"])
def test_a_person_on_a_cycle_is_a_rider(cycle: str) -> None:
    """The two boxes are one sighting, and no person on foot."""
    rider = detection_at(100, 200, 40, 80, "person", 0.8)
    found = sightings_of(rider, detection_at(100, 204, 40, 76, cycle, 0.5))
    assert len(found) == 1
    assert found.votes[0] == {"person": 0.8, cycle: 0.5}
    assert len(found.people) == 0


def test_a_box_around_two_vehicles_is_removed() -> None:
    """Only where both have boxes of their own, and the mechanism ``group_boxes`` is on."""
    left, right = detection_at(100, 200, 90, 60), detection_at(200, 200, 90, 60)
    both = detection_at(150, 200, 200, 64, "truck", 0.4)
    assert kept(left, both, right) == [left, right]
    assert kept(left, both, right, drop_groups=False) == [left, right, both]
    assert kept(detection_at(100, 200, 190, 60), detection_at(100, 100, 60, 60)) != []


def test_a_lorry_with_its_windows_is_no_group() -> None:
    """Boxes that are small beside a large one, or fill little of it, do not make it a group."""
    lorry = detection_at(200, 200, 300, 120, "truck", 0.8)
    windows = [detection_at(100, 180, 40, 30, "tv", 0.3), detection_at(180, 180, 40, 30, "tv", 0.3)]
    assert lorry in kept(lorry, *windows)


def test_a_weak_box_nested_with_a_sure_one_is_removed() -> None:
    """A lamp of a car, or a box around it; a sure box in the car, and a weak one beside it, stay."""
    whole = detection_at(200, 200, 120, 80, confidence=0.8)
    lamp = detection_at(160, 210, 20, 16, "traffic light", 0.1)
    assert kept(whole, lamp) == [whole]
    sure = detection_at(160, 210, 20, 16, "traffic light", 0.5)
    assert kept(whole, sure) == [whole, sure]
    free = detection_at(400, 210, 20, 16, "traffic light", 0.1)
    assert kept(whole, free) == [whole, free]
    around = detection_at(200, 200, 200, 130, "bus", 0.1)
    assert kept(whole, around) == [whole]


def test_an_empty_frame_has_no_sightings() -> None:
    """Nor has a frame in which only a person was detected."""
    found = sightings_of()
    assert (len(found), found.boxes.shape, found.people.shape) == (0, (0, 4), (0, 4))
    assert len(sightings_of(detection_at(100, 100, 30, 80, "person"))) == 0


boxes = st.builds(
    lambda x, y, w, h, label, confidence: Detection(Box(x, y, x + w, y + h), label, confidence),
    *(st.floats(0, 500), st.floats(0, 300), st.floats(1, 200), st.floats(1, 200)),
    *(st.sampled_from(["car", "truck", "person", "motorcycle", "dog", "cell phone"]), st.floats(0.05, 1)),
)


@given(st.lists(boxes, max_size=12))
def test_each_sighting_is_one_of_the_detections(detections: list[Detection]) -> None:
    """Whatever is detected: with its box and confidence, the most confident first, and at most as many."""
    found = sightings_of(*detections)
    assert len(found) <= len(detections)
    confidences = found.confidences.tolist()
    assert confidences == sorted(confidences, reverse=True)
    known = {(tuple(d.box), d.confidence) for d in detections}
    assert all((tuple(b), c) in known for b, c in zip(found.boxes, confidences, strict=True))
    assert all(max(votes.values()) == c for votes, c in zip(found.votes, confidences, strict=True))
    assert np.isin(found.people, [list(d.box) for d in detections] or [[0.0] * 4]).all()


def test_evidence_adds_up_over_the_seconds_that_sightings_stand_for() -> None:
    """Votes are confidence x seconds by class; the peak is the largest sum of all while it fades."""
    tally = EvidenceTally()
    tally.add(Sighting(np.zeros(4), 0.8, {"car": 0.8, "truck": 0.5}), 0.2)
    tally.fading *= 0.5
    tally.add(Sighting(np.zeros(4), 0.5, {"car": 0.5}), 0.1)
    found = tally.result()
    assert (found.sightings, found.best_confidence) == (2, 0.8)
    assert found.seconds == pytest.approx(0.3)
    assert found.votes == {"car": pytest.approx(0.21), "truck": pytest.approx(0.1)}
    assert found.peak == pytest.approx(0.16)


def test_the_evidence_of_two_tracks_of_one_vehicle_is_merged() -> None:
    """Times, votes and distances add up; of confidences and peaks the larger one stays."""
    tally = EvidenceTally(3, 0.6, 0.8, {"car": 0.4}, 0.1, 0.4, 0.25, 50.0)
    tally.merge(EvidenceTally(2, 0.4, 0.9, {"car": 0.1, "bus": 0.2}, 0.3, 0.3, 0.5, 20.0))
    assert tally == EvidenceTally(5, 1.0, 0.9, {"car": 0.5, "bus": 0.2}, 0.3, 0.4, 0.75, 70.0)
