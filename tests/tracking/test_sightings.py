"""From a detector's boxes to one sighting a vehicle."""

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
from edge.tracking.sightings import Sightings, sightings

IGNORED = frozenset(TrackerConfig().ignored_classes)


def found(*detections: Detection, groups: bool = True, **changes: Any) -> Sightings:
    """The sightings of these, with the defaults."""
    settings = {
        "ignored": IGNORED,
        "merge_iou": 0.6,
        "sure": 0.3,
        "groups": groups,
        "parameters": DEFAULT_TRACKING.sightings,
        **changes,
    }
    return sightings(detections, **settings)


def kept(*detections: Detection, **changes: Any) -> list[Detection]:
    """Those that made a sighting, surest first."""
    by_box = {tuple(one.box): one for one in detections}
    return [by_box[tuple(box)] for box in found(*detections, **changes).boxes]


def thing(x: float, y: float, width: float, height: float, label: str = "car", confidence: float = 0.8) -> Detection:
    """A box about (x, y)."""
    return Detection(box_at(x, y, width, height), label, confidence)


def test_a_van_that_is_also_a_truck_is_one_vehicle() -> None:
    """Boxes of several classes on one place become the surest one, which remembers all names; neighbours stay."""
    van, same, neighbour = car(100, confidence=0.6), car(104, confidence=0.5, label="truck"), car(220)
    one = found(same, van, neighbour)
    assert [tuple(box) for box in one.boxes] == [tuple(neighbour.box), tuple(van.box)]
    assert one.votes == ({"car": 0.8}, {"car": 0.6, "truck": 0.5})
    assert one.confidences.tolist() == [0.8, 0.6]


def test_one_name_is_said_once_a_frame() -> None:
    """Two boxes of one class on one place are not twice the evidence."""
    assert found(car(100, confidence=0.6), car(102, confidence=0.4)).votes == ({"car": 0.6},)


@pytest.mark.parametrize("label", sorted(IGNORED))
def test_animals_and_what_people_carry_are_no_sighting(label: str) -> None:
    """Whatever else the detector is told to find."""
    assert kept(car(100, label=label)) == []


def test_people_are_kept_apart() -> None:
    """They are nobody's vehicle, but where they are is known; a weak box of one is no person."""
    walker = thing(100, 200, 30, 80, "person", 0.7)
    ghost = thing(300, 200, 30, 80, "person", 0.1)
    one = found(walker, ghost, car(500))
    assert [tuple(box) for box in one.boxes] == [tuple(car(500).box)]
    assert [tuple(box) for box in one.people] == [tuple(walker.box)]


@pytest.mark.parametrize("cycle", ["motorcycle", "bicycle"])
def test_a_person_on_a_cycle_is_a_rider(cycle: str) -> None:
    """The two boxes are one sighting, and no one on foot."""
    rider = thing(100, 200, 40, 80, "person", 0.8)
    one = found(rider, thing(100, 204, 40, 76, cycle, 0.5))
    assert len(one) == 1
    assert one.votes[0] == {"person": 0.8, cycle: 0.5}
    assert len(one.people) == 0


def test_a_box_about_two_vehicles_is_dropped() -> None:
    """Both have boxes of their own; with one of them alone it is the vehicle."""
    left, right = thing(100, 200, 90, 60), thing(200, 200, 90, 60)
    both = thing(150, 200, 200, 64, "truck", 0.4)
    assert kept(left, both, right) == [left, right]
    assert kept(left, both, right, groups=False) == [left, right, both]
    assert kept(thing(100, 200, 190, 60), thing(100, 100, 60, 60)) != []


def test_a_lorry_with_its_windows_is_no_group() -> None:
    """Small boxes in a large one do not make it a group, nor do those that fill little of it."""
    lorry = thing(200, 200, 300, 120, "truck", 0.8)
    windows = [thing(100, 180, 40, 30, "tv", 0.3), thing(180, 180, 40, 30, "tv", 0.3)]
    assert lorry in kept(lorry, *windows)


def test_a_weak_box_in_a_sure_one_is_explained_by_it() -> None:
    """A lamp of a car that is seen; but a sure box stays, wherever it lies, and so does one that stands free."""
    whole = thing(200, 200, 120, 80, confidence=0.8)
    lamp = thing(160, 210, 20, 16, "traffic light", 0.1)
    assert kept(whole, lamp) == [whole]
    sure = thing(160, 210, 20, 16, "traffic light", 0.5)
    assert kept(whole, sure) == [whole, sure]
    free = thing(400, 210, 20, 16, "traffic light", 0.1)
    assert kept(whole, free) == [whole, free]
    about = thing(200, 200, 200, 130, "bus", 0.1)
    assert kept(whole, about) == [whole]


def test_an_empty_frame_has_no_sightings() -> None:
    """Nothing in, nothing out."""
    one = found()
    assert (len(one), one.boxes.shape, one.people.shape) == (0, (0, 4), (0, 4))
    assert len(found(thing(100, 100, 30, 80, "person"))) == 0


boxes = st.builds(
    lambda x, y, w, h, label, confidence: Detection(Box(x, y, x + w, y + h), label, confidence),
    *(st.floats(0, 500), st.floats(0, 300), st.floats(1, 200), st.floats(1, 200)),
    *(st.sampled_from(["car", "truck", "person", "motorcycle", "dog", "cell phone"]), st.floats(0.05, 1)),
)


@given(st.lists(boxes, max_size=12))
def test_whatever_is_detected_nothing_is_made_up(detections: list[Detection]) -> None:
    """Each sighting has the box and confidence of a detection; the surest first; and never more than were detected."""
    one = found(*detections)
    assert len(one) <= len(detections)
    confidences = one.confidences.tolist()
    assert confidences == sorted(confidences, reverse=True)
    known = {(tuple(d.box), d.confidence) for d in detections}
    assert all((tuple(b), c) in known for b, c in zip(one.boxes, confidences, strict=True))
    assert all(max(votes.values()) == c for votes, c in zip(one.votes, confidences, strict=True))
    assert np.isin(one.people, [list(d.box) for d in detections] or [[0.0] * 4]).all()
