"""Tests tracker, gate and pipeline together over scripted scenes, from what a frame shows to the events.

Boxes and motion are given by script: nothing is drawn or detected, so that each case says exactly what happened.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.scripted import SceneObject, ScriptedScene, frame_times, stop_to_stop, straight

from edge.config.schema import CameraConfig, Config
from edge.core.events import Direction, Event, VehicleType
from edge.core.frames import Detection, Frame, FrameTime
from edge.core.shapes import Box
from edge.core.tracks import Reason
from edge.pipeline import FrameResult, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ENTRY, EXIT = Direction.ENTRY, Direction.EXIT
# The line stands upright in the middle of 640 x 360 pixels, inside is on the right.
GATE = {"id": "g", "line": ((0.5, 0.1), (0.5, 0.95)), "inside": (0.9, 0.5), "floor": "F"}
RATES = [3.0, 5.0, 10.0, 30.0]


class EmptyDetector:
    """A detector that finds nothing."""

    def detect(self, image: Any, share: float = 1.0) -> list[Any]:
        """No detections, as a detector returns them."""
        return []


@dataclass
class PipelineRun:
    """A pipeline and what came out of it."""

    config: Config = field(default_factory=Config)
    gate: dict[str, Any] = field(default_factory=lambda: GATE)
    batches: list[Sequence[Event]] = field(default_factory=list)
    results: list[FrameResult] = field(default_factory=list)
    live: bool = False

    def __post_init__(self) -> None:
        """Make the pipeline."""
        camera = CameraConfig.model_validate({"id": "cam", "source": "clip.mp4", "gates": [self.gate]})
        self.pipeline = Pipeline(
            *(camera, self.config, "run", EmptyDetector(), self.batches.append, self.results.append),
            live=self.live,
        )

    @property
    def events(self) -> list[Event]:
        """The events of all batches."""
        return [event for batch in self.batches for event in batch]

    @property
    def directions(self) -> list[Direction]:
        """The directions of all events, in the order of their times."""
        return [event.direction for event in sorted(self.events, key=lambda event: event.timestamp)]

    @property
    def reasons(self) -> set[Reason]:
        """The reasons of all verdicts."""
        return {verdict.reason for result in self.results for verdict in result.verdicts}


def count(
    *things: SceneObject, seconds: float, rate: float = 10.0, times: Iterable[float] = (), **config: Any
) -> PipelineRun:
    """Run a pipeline over a scene to its end, at ``rate`` frames a second or at the given times."""
    run = PipelineRun(Config.model_validate(config))
    scene = ScriptedScene(things)
    for at in times or frame_times(seconds, rate):
        run.pipeline.count(scene.observe(at), FrameTime(NOON + timedelta(seconds=at), at, scene.size))
    run.pipeline.finish()
    return run


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("start", "speed", "direction"), [(60, 150, ENTRY), (580, -150, EXIT)])
def test_a_vehicle_that_crosses_is_one_event(start: float, speed: float, direction: Direction, rate: float) -> None:
    """It has the time at which the vehicle was on the line, its type and its confidence."""
    (event,) = count(SceneObject(straight(start, speed)), seconds=3.4, rate=rate).events
    assert (event.direction, event.vehicle_type, event.confidence) == (direction, VehicleType.CAR, 0.8)
    assert (event.timestamp - NOON).total_seconds() == pytest.approx(260 / 150, abs=0.15)


def test_events_are_submitted_when_decided_and_the_rest_at_the_end() -> None:
    """Each crossing is submitted once, as events that belong together."""
    held_back = {"early_decision": False}
    whole = count(SceneObject(straight(60, 150)), seconds=3.4, mechanisms=held_back)
    decided_at = [result.frame_time.monotonic for result in whole.results if result.crossings]
    assert len(decided_at) == 1
    assert 260 / 150 + 0.5 < decided_at[0] < 260 / 150 + 1.5
    cut = count(SceneObject(straight(60, 150)), seconds=2.0, mechanisms=held_back)
    assert not any(result.crossings for result in cut.results)
    assert [len(batch) for batch in cut.batches] == [1]
    cut.pipeline.finish()
    assert len(cut.batches) == 1
    PipelineRun().pipeline.finish()


class CarDetector:
    """A detector that finds the bright square of ``frames_of_a_drive``, and notes the images that it got."""

    def __init__(self) -> None:
        self.images: list[tuple[int, ...]] = []

    def detect(self, image: Any, share: float = 1.0) -> list[Any]:
        """The square's box in the image."""
        self.images.append(image.shape)
        rows, columns = np.nonzero(image[:, :, 0] > 200)
        if not len(rows):
            return []
        box = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return [Detection(box, "car", 0.8)]


def frames_of_a_drive(starts: float, seconds: float) -> Iterator[Frame]:
    """An empty yard of 1280 x 720 pixels, in which a vehicle drives through a small gate from a time on."""
    yard = np.random.default_rng(2).integers(60, 120, (720, 1280, 3), dtype=np.uint8)
    for number, at in enumerate(frame_times(seconds, 10.0)):
        image = yard.copy()
        left = round(300 + 150 * (at - starts))
        if at >= starts and left < 1280:
            image[300:360, max(0, left) : left + 100] = 220
        yield Frame(image, NOON + timedelta(seconds=at), at, number)


@pytest.mark.parametrize("mechanisms", [{}, {"motion_gating": False}, {"region_of_interest": False}])
def test_the_detector_looks_at_the_gate_and_only_when_something_moves(mechanisms: dict[str, bool]) -> None:
    """The event is the same without the mechanisms; with them few looks see the yard before the vehicle comes."""
    config = Config.model_validate({"mechanisms": mechanisms})
    gate = {"id": "g", "line": ((0.45, 0.35), (0.45, 0.6)), "inside": (0.9, 0.5), "floor": "F"}
    camera = CameraConfig.model_validate({"id": "cam", "source": "clip.mp4", "gates": [gate]})
    detector, events = CarDetector(), list[Event]()
    pipeline = Pipeline(camera, config, "run", detector, events.extend)
    for frame in frames_of_a_drive(starts=20.0, seconds=27.0):
        pipeline.process(frame)
    pipeline.finish()
    (event,) = events
    assert event.direction is ENTRY
    assert (event.timestamp - NOON).total_seconds() == pytest.approx(20 + (0.45 * 1280 - 350) / 150, abs=0.05)
    assert pipeline.statistics.frames == 271
    assert len(detector.images) + pipeline.statistics.still == 271
    assert (pipeline.statistics.still > 150) is config.mechanisms.motion_gating
    assert set(detector.images) == ({(576, 384, 3)} if config.mechanisms.region_of_interest else {(720, 1280, 3)})


def test_a_configured_region_is_looked_at() -> None:
    """It replaces that of the gates, rounded up to what the network can use."""
    gate = {"id": "g", "line": ((0.45, 0.35), (0.45, 0.6)), "inside": (0.9, 0.5), "floor": "F"}
    table = {"id": "cam", "source": "clip.mp4", "gates": [gate], "region": (0.4, 0.3, 0.7, 0.9)}
    pipeline = Pipeline(CameraConfig.model_validate(table), Config(), "run", EmptyDetector(), lambda events: None)
    assert pipeline.region((1280, 720)) == Box(512, 208, 896, 656)
    assert pipeline.region((640, 360)).width == 192


def test_a_gate_between_two_floors_submits_both_events_together() -> None:
    """They are stored in one transaction."""
    run = PipelineRun(gate={**GATE, "outside_floor": "Street"})
    scene = ScriptedScene([SceneObject(straight(60, 150))])
    for at in frame_times(3.4, 10.0):
        run.pipeline.count(scene.observe(at), FrameTime(NOON, at, scene.size))
    assert [[(event.floor, event.direction) for event in batch] for batch in run.batches] == [
        [("F", ENTRY), ("Street", EXIT)]
    ]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    ("stops", "expected"),
    [
        pytest.param([(0, 60), (2, 318), (9, 322), (11, 580)], [ENTRY], id="stops on the line"),
        pytest.param([(0, 250), (10, 400)], [ENTRY], id="creeps"),
        pytest.param([(0, 100), (2, 325), (4, 325), (6, 100)], [], id="turns back in the gate"),
        pytest.param([(0, 60), (2, 480), (4, 480), (6, 60)], [ENTRY, EXIT], id="crosses and comes back"),
        pytest.param([(0, 150), (8, 151)], [], id="parks"),
    ],
)
def test_a_slow_vehicle_counts_as_often_as_it_crosses(
    stops: list[tuple[float, float]], expected: list[Direction], rate: float
) -> None:
    """This holds at every frame rate."""
    assert count(SceneObject(stop_to_stop(*stops)), seconds=stops[-1][0] + 1, rate=rate).directions == expected


@pytest.mark.parametrize("rate", RATES)
def test_a_box_that_trembles_on_the_line_does_not_count(rate: float) -> None:
    """The boxes of the detector jump by a few pixels while the vehicle stands."""
    trembling = SceneObject(lambda at: (320 + 5 * np.sin(40 * at), 200 + 3 * np.cos(31 * at)), is_solid=False)
    assert count(trembling, seconds=8, rate=rate).directions == []


@pytest.mark.parametrize("rate", RATES)
def test_a_vehicle_that_is_hidden_for_five_seconds_on_the_line_is_one(rate: float) -> None:
    """It stands there while something hides it or the detector fails, and drives on."""
    stops = stop_to_stop((0, 100), (2, 325), (10, 325), (12, 560))
    hidden = SceneObject(stops, is_detected=lambda at: not 4 < at < 9)
    assert count(hidden, seconds=13, rate=rate).directions == [ENTRY]


@pytest.mark.parametrize("rate", [3.0, 5.0])
@pytest.mark.parametrize("hidden", [0.5, 0.8])
def test_a_vehicle_that_goes_faster_while_a_pillar_hides_it_on_the_line_is_one(hidden: float, rate: float) -> None:
    """It is seen again half a length further than expected; only stitching finds that it is the lost vehicle."""

    def place(at: float) -> tuple[float, float]:
        return 170 + 150 * at + 58 * min(1.0, max(0.0, (at - 1) / hidden)), 200

    vehicle = SceneObject(place, is_detected=lambda at: not 1 < at < 1 + hidden)
    pillar = SceneObject(
        stop_to_stop((0, 349 + 75 * hidden)), size=(25 + 150 * hidden, 300.0), is_detected=lambda at: False
    )
    assert count(vehicle, pillar, seconds=4, rate=rate).directions == [ENTRY]
    assert count(vehicle, pillar, seconds=4, rate=rate, mechanisms={"stitching": False}).directions == []


def test_vehicles_that_drive_in_front_of_parked_vehicles_count_and_these_do_not() -> None:
    """The parked ones stand on both sides of the line, and are hidden and seen again."""
    parked = [SceneObject(straight(x, 0, y=120), size=(90.0, 60.0)) for x in (160, 270, 375, 480)]
    driving = [SceneObject(straight(-60 - 300 * n, 130, y=200), size=(110.0, 80.0)) for n in range(3)]
    assert count(*parked, *driving, seconds=12).directions == [ENTRY] * 3


def test_boxes_that_jump_between_parked_vehicles_do_not_count() -> None:
    """In bad light now the vehicle before the line is detected, now the one beyond it."""
    before = SceneObject(straight(262, 0), is_detected=lambda at: at < 3 or int(at * 2) % 2 == 0, confidence=0.4)
    beyond = SceneObject(straight(378, 0), is_detected=lambda at: at < 3 or int(at * 2) % 2 == 1, confidence=0.4)
    assert count(before, beyond, seconds=15).directions == []


@pytest.mark.parametrize("rate", RATES)
def test_vehicles_that_tailgate_all_count(rate: float) -> None:
    """Three drive a fifth of a length apart."""
    row = [SceneObject(straight(-60 - 120 * n, 120)) for n in range(3)]
    assert count(*row, seconds=7, rate=rate).directions == [ENTRY] * 3


@pytest.mark.parametrize("rate", RATES)
def test_vehicles_side_by_side_are_two(rate: float) -> None:
    """They may drive in one direction or in both."""
    upper, lower = SceneObject(straight(60, 150, y=140)), SceneObject(straight(64, 150, y=215))
    against = SceneObject(straight(580, -150, y=215))
    assert count(upper, lower, seconds=3.4, rate=rate).directions == [ENTRY, ENTRY]
    assert sorted(count(upper, against, seconds=3.4, rate=rate).directions) == [ENTRY, EXIT]


@pytest.mark.parametrize("rate", RATES)
def test_a_long_vehicle_whose_cab_is_seen_apart_is_one(rate: float) -> None:
    """First the cab is seen alone, then the whole, with the cab now and then in it."""
    whole = SceneObject(straight(-140, 130), size=(280.0, 90.0), label="truck", is_detected=lambda at: at > 2.2)
    cab = SceneObject(
        straight(-40, 130), size=(80.0, 85.0), confidence=0.6, is_detected=lambda at: at < 2.2 or int(at * 5) % 3 == 0,
        is_solid=False,
    )  # fmt: skip
    assert count(whole, cab, seconds=6, rate=rate).directions == [ENTRY]


@pytest.mark.parametrize(
    ("label", "size", "expected"),
    [
        ("motorcycle", (50.0, 60.0), VehicleType.MOTORCYCLE),
        ("bus", (260.0, 110.0), VehicleType.BUS),
        ("boat", (200.0, 100.0), VehicleType.OTHER),
        ("cell phone", (120.0, 80.0), VehicleType.OTHER),
    ],
)
def test_vehicles_of_every_label_count(label: str, size: tuple[float, float], expected: VehicleType) -> None:
    """A label that no vehicle has counts where size and motion are those of a vehicle."""
    events = count(SceneObject(straight(60, 150), size=size, label=label, confidence=0.4), seconds=3.4).events
    assert [event.vehicle_type for event in events] == [expected]


@pytest.mark.parametrize("label", ["person", "dog", "backpack"])
def test_people_and_animals_and_bags_do_not_count(label: str) -> None:
    """They do not, however large and surely detected."""
    walker = SceneObject(straight(60, 100), size=(90.0, 180.0), label=label, confidence=0.9)
    assert count(walker, seconds=6).directions == []


def test_a_trolley_with_the_person_who_pushes_it_does_not_count() -> None:
    """The person near it decides, not the detector's label."""
    trolley = SceneObject(straight(80, 60), size=(110.0, 90.0), label="chair", confidence=0.6)
    person = SceneObject(straight(65, 60, y=190), size=(60.0, 170.0), label="person", confidence=0.7, is_solid=False)
    run = count(trolley, person, seconds=8)
    assert run.directions == []
    assert Reason.PERSON in run.reasons


def test_bicycles_count_where_the_configuration_says_so() -> None:
    """A bicycle counts with its rider, who is then no person on foot."""
    bicycle = SceneObject(straight(60, 130), size=(70.0, 80.0), label="bicycle", confidence=0.6)
    rider = SceneObject(straight(60, 130, y=198), size=(66.0, 80.0), label="person", confidence=0.7, is_solid=False)
    assert count(bicycle, rider, seconds=5).directions == []
    (event,) = count(bicycle, rider, seconds=5, counting={"bicycles": True}).events
    assert event.vehicle_type is VehicleType.BICYCLE


@pytest.mark.parametrize("rate", [3.0, 5.0, 10.0])
def test_a_vehicle_that_is_detected_only_beyond_the_line_has_crossed(rate: float) -> None:
    """The detector finds it late, and its motion shows where it came from."""
    late = SceneObject(straight(40, 160), is_detected=lambda at: at > 2.0)
    (event,) = count(late, seconds=3.6, rate=rate).events
    assert event.direction is ENTRY
    assert (event.timestamp - NOON).total_seconds() == pytest.approx(280 / 160, abs=0.4)


def test_a_vehicle_that_parks_beyond_the_line_and_leaves_to_the_inside_has_not_crossed() -> None:
    """It was first seen beyond the line, and for long."""
    leaves = SceneObject(stop_to_stop((0, 390), (4, 390), (6, 620)))
    assert count(leaves, seconds=7).directions == []


@pytest.mark.parametrize("seed", range(4))
def test_a_third_of_the_frames_may_be_dropped(seed: int) -> None:
    """Three vehicles well apart are three with any uneven choice of 70 % of the frames."""
    row = [SceneObject(straight(-60 - 330 * n, 140)) for n in range(3)]
    chosen = np.random.default_rng(seed).random(10 * 10 + 1) > 0.3
    times = [at for at, is_taken in zip(frame_times(10.0, 10.0), chosen, strict=True) if is_taken]
    assert count(*row, seconds=0, times=times).directions == [ENTRY] * 3


def test_the_same_observations_give_the_same_events() -> None:
    """Ids, times and confidences are equal to the byte."""
    things = [SceneObject(straight(-60 - 150 * n, 120 + 5 * n), confidence=0.3 + 0.1 * n) for n in range(4)]
    first, second = (count(*things, seconds=8, rate=7.0).events for _ in range(2))
    assert first == second
    assert [event.event_id for event in first] == [event.event_id for event in second]


def test_process_observes_a_frame_and_the_statistics_have_every_stage() -> None:
    """``process`` runs the detector and the optical flow on the image."""
    run = PipelineRun()
    for number in range(5):
        image = np.zeros((360, 640, 3), np.uint8)
        run.pipeline.process(Frame(image, NOON + timedelta(seconds=number / 10), number / 10, number))
    statistics = run.pipeline.statistics
    assert statistics.frames == len(run.results) == 5
    assert statistics.frames_per_second == pytest.approx(10.0)
    assert set(statistics.milliseconds) == {"detect", "track", "count"}
    assert run.events == []


@pytest.mark.parametrize("live", [True, False])
def test_each_event_bears_the_parts_of_its_way_so_far(live: bool) -> None:
    """They add up to the time since the capture; the frames of a recording were captured at no time of this clock."""
    run, scene = PipelineRun(live=live), ScriptedScene([SceneObject(straight(60, 150))])
    began = time.monotonic() - 10.0
    for at in frame_times(3.4, 10.0):
        run.pipeline.count(scene.observe(at), FrameTime(NOON + timedelta(seconds=at), began + at, scene.size), 0.5)
    (event,) = run.events
    timing = event.timing
    assert timing is not None
    (decided,) = [result.frame_time.monotonic for result in run.results if result.crossings]
    assert timing.hold == pytest.approx(decided - began - 260 / 150, abs=0.05)
    assert timing.detect == 0.5
    assert timing.count > 0
    assert timing.submitted_at <= time.monotonic()
    if live:
        assert timing.queue is not None
        assert timing.queue + timing.detect + timing.count == pytest.approx(timing.submitted_at - decided)
    else:
        assert timing.queue is None


def test_events_of_crossings_that_were_decided_without_a_frame_have_no_timing() -> None:
    """At the end, or when the camera is silent, no frame was processed."""
    held_back = Config.model_validate({"mechanisms": {"early_decision": False}})
    run, scene = PipelineRun(held_back, live=True), ScriptedScene([SceneObject(straight(60, 150))])
    for at in frame_times(2.0, 10.0):
        run.pipeline.count(scene.observe(at), FrameTime(NOON + timedelta(seconds=at), at, scene.size))
    assert run.events == []
    run.pipeline.finish()
    assert [event.timing for event in run.events] == [None]


def test_each_decision_is_logged_at_debug_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Each event is logged at info with its id."""
    caplog.set_level("DEBUG", logger="edge.pipeline")
    run = count(SceneObject(straight(60, 150)), SceneObject(straight(60, 100, y=300), label="bicycle"), seconds=4.5)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    (event,) = run.events
    assert [line for level, line in lines if level == "INFO" and str(event.event_id) in line]
    decided = [line for level, line in lines if level == "DEBUG"]
    assert any("track=run-1 counted=yes reason='crossed'" in line for line in decided)
    assert any("counted=no reason='bicycle'" in line for line in decided)
