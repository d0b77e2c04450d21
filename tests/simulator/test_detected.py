"""The real YOLO11n on the simulator's frames: what is drawn is seen, steadily, and nothing else is.

Needs ``yolo11n.onnx`` in the folder ``SMARTPARK_DETECTOR_MODELS_DIR`` (default: the project's ``models``).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from support.network import Network, iou

from edge.simulator.drawing.garage import View
from edge.simulator.drawing.painter import Painter, outline
from edge.simulator.drawing.vehicles import DrawnVehicle
from edge.simulator.scene import Scene, SceneParameters
from edge.simulator.traffic.kinds import FAR_LANE, NEAR_LANE, USUAL_KINDS

EXPECTED = {
    "sedan": {"car"},
    "hatchback": {"car"},
    "van": {"car", "truck"},
    "motorbike": {"motorcycle"},
}


@pytest.mark.parametrize("light", ["day", "dusk"])
def test_empty_garage_shows_no_vehicle(network: Network, light: str) -> None:
    """Walls, columns, signs and painted floor are never taken for a vehicle, not even at confidence 0.1."""
    scene = Scene(SceneParameters(vehicles_per_minute=0, light=light))
    for at in (0.0, 0.1, 0.2):
        assert network.detect(scene.render(at)) == []


@pytest.mark.parametrize("lanes", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("light", ["day", "dusk"])
def test_every_kind_and_colour_is_seen_for_sure(network: Network, light: str, lanes: int) -> None:
    """In the middle of the picture each kind has a median confidence over 0.8, each colour, lane and place over 0.6.

    Each colour is drawn on one of two lanes by turns, or on both.
    """
    painter = Painter(View(640, 360), light, 2.0, 1)
    for kind in USUAL_KINDS:
        sure = []
        for number, colour in enumerate(kind.colours):
            for lane in ((NEAR_LANE, FAR_LANE) * 2)[number % 2 :][:lanes]:
                vehicle = DrawnVehicle(
                    kind, colour, lane, (0.3, 0.42, 0.5, 0.58, 0.7)[(number + (lane is FAR_LANE)) % 5]
                )
                seen = network.detect(painter.paint([vehicle], number))
                assert seen, vehicle
                assert seen[0].confidence > 0.6, vehicle
                assert seen[0].label in EXPECTED[kind.name], vehicle
                assert iou(seen[0].box, outline(View(640, 360), vehicle)) > 0.5, vehicle
                sure.append(seen[0].confidence)
        assert np.median(sure) > 0.8, kind.name


@pytest.mark.parametrize(("every", "fewest"), [(1.0, 5), pytest.param(0.3, 15, marks=pytest.mark.long)])
def test_detection_is_steady_while_vehicles_drive_by(network: Network, every: float, fewest: int) -> None:
    """By day each vehicle that is wholly in the picture has one box, never under 0.4, in the median over 0.8."""
    scene = Scene(SceneParameters(seed=8, vehicles_per_minute=20))
    sure: dict[str, list[float]] = defaultdict(list)
    for at in np.arange(3, 63, every):
        truth = scene.boxes(float(at))
        found = [detection for detection in network.detect(scene.render(float(at))) if detection.confidence >= 0.3]
        for vehicle in truth:
            if vehicle.box.x1 <= 0 or vehicle.box.x2 >= 640:
                continue
            own = [detection for detection in found if iou(detection.box, vehicle.box) > 0.3]
            assert len(own) == 1, (at, vehicle, found)
            assert own[0].confidence > 0.4, (at, vehicle)
            assert own[0].label in EXPECTED[vehicle.kind], (at, vehicle)
            sure[vehicle.kind].append(own[0].confidence)
        whole = [detection for detection in found if detection.box.x1 > 1 and detection.box.x2 < 639]
        assert len(whole) <= len(truth), (at, found)
    assert set(sure) == set(EXPECTED)
    for kind, values in sure.items():
        assert len(values) >= fewest, kind
        assert np.median(values) > 0.8, kind
