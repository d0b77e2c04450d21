"""The real YOLO11n on what the simulator draws beside cars: each is detected as what it is, and as nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from support.network import PEOPLE, VEHICLES, Network, iou, shared_area

from edge.simulator.drawing.garage import View
from edge.simulator.drawing.painter import DrawnArm, Painter, outline
from edge.simulator.drawing.vehicles import DrawnVehicle
from edge.simulator.scene import Scene, SceneParameters, TrueBox
from edge.simulator.traffic.kinds import BICYCLE_KIND, FAR_LANE, LONG_KINDS, MIDDLE_LANE, NEAR_LANE

VIEW = View(640, 360)
LIGHTS = pytest.mark.parametrize("light", ["day", "dusk"])


def whole(box) -> bool:
    """Whether a box is wholly in the picture."""
    return box.x1 > 0 and box.x2 < 640


def best(network: Network, scene: Scene, at: float, boxes: list[TrueBox]) -> list[float]:
    """For each of the boxes the greatest confidence of a vehicle that is detected there."""
    found = network.detect(scene.render(at))
    return [
        max((detection.confidence for detection in found if iou(detection.box, box.box) > 0.3), default=0.0)
        for box in boxes
    ]


@LIGHTS
def test_people_are_seen_as_people_and_never_as_vehicles(network: Network, light: str) -> None:
    """Walkers, also behind trolleys and prams, are persons at over 0.4 in most frames; no vehicle is at over 0.2."""
    keys: dict[str, Any] = {"vehicles_per_minute": 0, "pedestrians": 40, "trolleys": 0.35, "prams": 0.2, "light": light}
    scene = Scene(SceneParameters(seed=3, **keys))
    sure: dict[str, list[float]] = {"person": [], "trolley": [], "pram": []}
    for at in np.arange(10, 62, 5.5):
        found = network.detect(scene.render(float(at)), PEOPLE | VEHICLES)
        assert [detection for detection in found if detection.label != "person" and detection.confidence > 0.2] == []
        people = [person for person in scene.people(float(at)) if whole(person.box)]
        for person in people:
            if any(shared_area(person.box, other.box) > 0 for other in people if other is not person):
                continue
            own = [seen.confidence for seen in found if shared_area(seen.box, person.box) > 0.7 * seen.box.area]
            sure[person.kind].append(max(own, default=0.0))
    for kind, values in sure.items():
        assert len(values) >= 5, kind
        assert np.median(values) > 0.5, kind
        assert np.mean(np.array(values) > 0.4) > 0.5, kind


@LIGHTS
def test_bicycles_are_seen_as_bicycles_with_a_rider(network: Network, light: str) -> None:
    """A bicycle is a bicycle at over 0.4 in nearly all pictures, on both lanes, and somebody sits on it."""
    painter = Painter(VIEW, light, 2.0, 1)
    labels: Counter[str] = Counter()
    sure, riders = [], []
    for number, colour in enumerate(BICYCLE_KIND.colours):
        for lane in (NEAR_LANE, FAR_LANE):
            bicycle = DrawnVehicle(
                BICYCLE_KIND, colour, lane, (0.3, 0.42, 0.51, 0.58, 0.7)[(number + int(lane.row)) % 5]
            )
            found = network.detect(painter.paint([bicycle], number), PEOPLE | VEHICLES)
            own = [detection for detection in found if iou(detection.box, outline(VIEW, bicycle)) > 0.15]
            vehicle = max(
                (detection for detection in own if detection.label != "person"),
                key=lambda detection: detection.confidence,
            )
            labels[vehicle.label] += 1
            sure.append(vehicle.confidence)
            riders.append(max((detection.confidence for detection in own if detection.label == "person"), default=0.0))
    assert labels["bicycle"] >= 7
    assert np.median(sure) > 0.6
    assert np.mean(np.array(sure) > 0.4) > 0.8
    assert np.median(riders) > 0.5


@LIGHTS
@pytest.mark.parametrize("kind", LONG_KINDS)
def test_long_vehicles_are_seen(network: Network, kind, light: str) -> None:
    """A minibus is a bus, car or truck; a car with a trailer is a car, and its trailer seldom another vehicle."""
    painter = Painter(VIEW, light, 2.0, 1)
    sure, more = [], []
    for number, colour in enumerate(kind.colours):
        for lane in (NEAR_LANE, FAR_LANE):
            vehicle = DrawnVehicle(kind, colour, lane, (0.5, 0.42, 0.56)[number % 3])
            found = network.detect(painter.paint([vehicle], number))
            own = [detection for detection in found if iou(detection.box, outline(VIEW, vehicle)) > 0.25]
            assert own[0].label in {"car", "truck", "bus"}, vehicle
            assert iou(own[0].box, outline(VIEW, vehicle)) > (0.7 if kind.name == "minibus" else 0.3), vehicle
            sure.append(own[0].confidence)
            more += [
                detection for detection in found if detection.confidence > 0.3 and iou(detection.box, own[0].box) < 0.5
            ]
    assert min(sure) > 0.5
    assert np.median(sure) > 0.8
    assert len(more) <= (3 if kind.name == "trailer" else 0)


@LIGHTS
def test_both_of_a_pair_are_seen(network: Network, light: str) -> None:
    """Of two vehicles abreast the nearer is detected as well as ever, and the farther nearly always."""
    keys: dict[str, Any] = {"side_by_side": 1.0, "entry_share": 1.0, "vehicles_per_minute": 30, "motorbike_share": 0.0}
    scene = Scene(SceneParameters(seed=6, light=light, **keys))
    nearer, farther = [], []
    for at in np.arange(4, 90, 0.8):
        boxes = [true_box for true_box in scene.boxes(float(at)) if whole(true_box.box)]
        if len(boxes) != 2 or shared_area(boxes[0].box, boxes[1].box) == 0:
            continue
        sure = best(network, scene, float(at), boxes)
        farther.append(sure[0])
        nearer.append(sure[1])
        if len(farther) == 8:
            break
    assert len(farther) == 8
    assert min(nearer) > 0.6
    assert np.median(farther) > 0.6
    assert np.mean(np.array(farther) > 0.3) > 0.8


@LIGHTS
def test_barriers_are_never_seen_as_vehicles(network: Network, light: str) -> None:
    """Whether an arm is down, up or on its way, it is no vehicle, not even at confidence 0.2."""
    for three_lanes in (False, True):
        painter = Painter(VIEW, light, 2.0, 1, three_lanes=three_lanes)
        for number, lift in enumerate((0.0, 0.4, 0.8, 1.0) if three_lanes else (0.2, 1.0)):
            arms = [
                DrawnArm(FAR_LANE, lift),
                *([DrawnArm(MIDDLE_LANE, 1 - lift)] if three_lanes else []),
                DrawnArm(NEAR_LANE, lift),
            ]
            assert [
                detection for detection in network.detect(painter.paint(arms, number)) if detection.confidence > 0.2
            ] == []


@pytest.mark.parametrize(
    "keys", [{"light": "dusk", "beams": 1.0}, {"flicker": 0.5}, {"barrier": 1}, {"noise": 12.0}], ids=str
)
def test_disturbances_leave_one_box_a_vehicle(network: Network, keys: dict[str, Any]) -> None:
    """Beams, flickering light, barriers and noise neither hide a vehicle nor cause a second detection."""
    scene = Scene(SceneParameters(seed=8, vehicles_per_minute=20, **keys))
    sure = []
    for at in np.arange(4, 34, 4.0):
        truth = scene.boxes(float(at))
        found = [detection for detection in network.detect(scene.render(float(at))) if detection.confidence >= 0.3]
        assert all(
            max(shared_area(detection.box, box.box) for box in truth) > 0.5 * detection.box.area for detection in found
        ), at
        for vehicle in (box for box in truth if whole(box.box)):
            own = [detection for detection in found if iou(detection.box, vehicle.box) > 0.3]
            assert own, (at, vehicle)
            assert all(iou(detection.box, own[0].box) > 0.5 for detection in own), (
                at,
                vehicle,
            )  # a part of it, at most
            sure.append(own[0].confidence)
    assert len(sure) >= 5
    assert min(sure) > 0.4
    assert np.median(sure) > 0.8
