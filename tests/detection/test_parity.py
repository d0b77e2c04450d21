"""Compares the ONNX runtime with Ultralytics: the same weights and frames must give the same detections."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.config.schema import DetectorConfig
from edge.core.errors import ModelError
from edge.detection.detector import make_detector
from edge.detection.onnx_runtime import OnnxDetector
from edge.detection.ultralytics_runtime import UltralyticsDetector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.core.frames import Detection, Image
    from edge.core.shapes import Box

FRAMES = 50
CONFIDENCE = 0.3
CONFIDENCE_TOLERANCE = 0.02
LEAST_IOU = 0.95
VEHICLES = ("car", "motorcycle", "bus", "truck")

without_extra = pytest.mark.skipif(
    importlib.util.find_spec("ultralytics") is None,
    reason="the extra [ultralytics] is not installed; run `make test-ultralytics`",
)


def uses_ultralytics(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that needs the extra, and skip it where the extra is not installed."""
    return pytest.mark.ultralytics(without_extra(test))


def frames(folder: Path, number: int) -> Iterator[tuple[str, Image]]:
    """``number`` frames, spread evenly over all clips of the folder, each with its name."""
    paths = sorted(folder.glob("*.mp4"))
    assert paths, f"no clips in {folder}"
    for order, path in enumerate(paths):
        share = number // len(paths) + (order < number % len(paths))
        capture = cv2.VideoCapture(str(path))
        # A container may state more frames than it holds, so the last tenth is not used.
        length = 0.9 * capture.get(cv2.CAP_PROP_FRAME_COUNT)
        for index in np.linspace(0, length, share).astype(int):
            capture.set(cv2.CAP_PROP_POS_FRAMES, float(index))
            read, image = capture.read()
            assert read, f"{path}: frame {index} cannot be read"
            yield f"{path.stem}[{index}]", np.asarray(image, dtype=np.uint8)
        capture.release()


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    shared = max(0.0, min(a.x2, b.x2) - max(a.x1, b.x1)) * max(0.0, min(a.y2, b.y2) - max(a.y1, b.y1))
    return shared / (a.area + b.area - shared) if shared else 0.0


def unmatched(
    these: Sequence[Detection], those: Sequence[Detection], worst: dict[str, float]
) -> Iterator[tuple[Detection, str]]:
    """Yield the sure detections of ``these`` that have no match among ``those``, each with the reason.

    Each detection matches one at most. A match may itself be a little under ``CONFIDENCE``: 0.301 and 0.299 agree.
    Writes the largest differences of the matches into ``worst``.
    """
    free = list(those)
    for detection in these:
        if detection.confidence <= CONFIDENCE:
            continue
        same_class = [other for other in free if other.label == detection.label]
        match = max(same_class, key=lambda other: iou(detection.box, other.box), default=None)
        if match is None or iou(detection.box, match.box) < LEAST_IOU:
            yield detection, f"no such box; nearest {match}"
            continue
        free.remove(match)
        difference = abs(detection.confidence - match.confidence)
        if difference > CONFIDENCE_TOLERANCE:
            yield detection, f"confidence differs from {match}"
        worst["boxes"] = worst.get("boxes", 0) + 1
        worst["confidence"] = max(worst.get("confidence", 0.0), difference)
        worst["iou"] = min(worst.get("iou", 1.0), iou(detection.box, match.box))
        worst["pixels"] = max(
            worst.get("pixels", 0.0), *(abs(x - y) for x, y in zip(detection.box, match.box, strict=True))
        )


@pytest.fixture(scope="module")
def sample(clips: Path) -> list[tuple[str, Image]]:
    """The frames on which the runtimes are compared, with their names."""
    named_frames = list(frames(clips, FRAMES))
    assert len(named_frames) == FRAMES
    return named_frames


def config(weights: Path, **changes: object) -> DetectorConfig:
    """The default configuration with the weights of this folder."""
    return DetectorConfig.model_validate({"models_dir": weights, **changes})


@uses_ultralytics
@pytest.mark.parametrize(
    ("image_size", "classes"), [(640, None), (640, VEHICLES), (320, None)], ids=["640", "640-vehicles", "320"]
)
def test_both_runtimes_detect_the_same(
    weights: Path,
    sample: list[tuple[str, Image]],
    image_size: int,
    classes: tuple[str, ...] | None,
    record_property: Callable[[str, object], None],
) -> None:
    """On 50 frames every sure box of one runtime matches a box of the same class of the other.

    By default all classes are kept; where some are configured, no box of another class is returned.
    """
    shared = {"image_size": image_size, "confidence": CONFIDENCE - CONFIDENCE_TOLERANCE, "classes": classes}
    onnx = OnnxDetector(config(weights, **shared))
    ultralytics = UltralyticsDetector(config(weights, runtime="ultralytics", **shared))
    onnx.start()
    ultralytics.start()
    worst: dict[str, float] = {}
    differences = []
    for name, image in sample:
        ours, theirs = onnx.detect(image), ultralytics.detect(image)
        assert classes is None or {detection.label for detection in [*ours, *theirs]} <= set(classes)
        differences += [(name, "only onnx", *found) for found in unmatched(ours, theirs, worst)]
        differences += [(name, "only ultralytics", *found) for found in unmatched(theirs, ours, worst)]
    onnx.close()
    ultralytics.close()
    for key, value in worst.items():
        record_property(key, value)
    print(f"largest differences at {image_size}: {worst}")
    assert differences == []
    assert worst["boxes"] > 2 * FRAMES, "too few boxes to compare"


@uses_ultralytics
@pytest.mark.parametrize("shape", [(352, 626), (640, 352), (97, 641)], ids=["odd", "upright", "flat"])
def test_both_runtimes_place_boxes_alike_in_frames_of_odd_shapes(
    weights: Path, sample: list[tuple[str, Image]], shape: tuple[int, int]
) -> None:
    """Where a scaled side is rounded to whole pixels, boxes still agree to a hundredth of a pixel."""
    _, image = sample[FRAMES // 2]
    image = np.ascontiguousarray(cv2.resize(image, shape[::-1]), dtype=np.uint8)
    onnx, ultralytics = OnnxDetector(config(weights)), UltralyticsDetector(config(weights, runtime="ultralytics"))
    onnx.start()
    ultralytics.start()
    ours, theirs = onnx.detect(image), ultralytics.detect(image)
    assert [detection.label for detection in ours] == [detection.label for detection in theirs] != []
    assert np.allclose([d.box for d in ours], [d.box for d in theirs], atol=0.01)


@uses_ultralytics
def test_a_pt_file_finds_the_cars(weights: Path, clips: Path) -> None:
    """Weights that onnxruntime cannot load find the cars, the most confident first, in pixels of the frame."""
    if not (weights / "yolov8n.pt").exists():
        pytest.skip(f"no yolov8n.pt in {weights}; run `smartpark models pull --dir {weights} yolov8n`")
    detector = make_detector(config(weights, runtime="ultralytics", model="yolov8n"))
    detector.start()
    capture = cv2.VideoCapture(str(clips / "suburb_road.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 60)
    image = np.asarray(capture.read()[1], dtype=np.uint8)
    found = detector.detect(image)
    detector.close()
    height, width = image.shape[:2]
    assert sum(detection.label == "car" and detection.confidence > 0.4 for detection in found) >= 2
    assert [d.confidence for d in found] == sorted((d.confidence for d in found), reverse=True)
    assert all(0 <= d.box.x1 < d.box.x2 <= width and 0 <= d.box.y1 < d.box.y2 <= height for d in found)
    with pytest.raises(RuntimeError, match="before start"):
        detector.detect(image)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Ultralytics the error names the package to install."""
    (tmp_path / "own.pt").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    detector = UltralyticsDetector(config(tmp_path, runtime="ultralytics", model=str(tmp_path / "own.pt")))
    with pytest.raises(ModelError, match=r"pip install 'smartpark-edge\[ultralytics\]'"):
        detector.start()


@uses_ultralytics
@pytest.mark.parametrize("name", ["own.pt", "own.onnx", "own_ncnn_model"])
def test_a_file_that_is_no_model_is_named(tmp_path: Path, name: str) -> None:
    """The error about damaged weights names their path, and no other weights are fetched."""
    path = tmp_path / name
    if name.endswith("_model"):
        path.mkdir()
    else:
        path.write_bytes(b"not a model")
    detector = UltralyticsDetector(config(tmp_path, runtime="ultralytics", model=str(path)))
    with pytest.raises(ModelError, match=r"own.*cannot load it"):
        detector.start()
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@uses_ultralytics
def test_a_class_that_the_model_does_not_know_is_named(weights: Path) -> None:
    """The error about a wrong name in detector.classes lists the right names."""
    detector = UltralyticsDetector(config(weights, runtime="ultralytics", classes=["car", "lorry"]))
    with pytest.raises(ModelError, match=r"does not know the class lorry; .*person, bicycle, car"):
        detector.start()


@uses_ultralytics
def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    """A classifier detects no boxes, so the start fails."""
    path = tmp_path / "own.pt"
    make = "import sys, ultralytics; ultralytics.YOLO('yolov8n-cls.yaml').save(sys.argv[1])"
    offline = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_CONFIG_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", make, path], env=os.environ | offline, check=True, timeout=120)
    detector = UltralyticsDetector(config(tmp_path, runtime="ultralytics", model=str(path)))
    with pytest.raises(ModelError, match="is a model for 'classify'; a detection model is needed"):
        detector.start()


# An audit hook in the child process records connections, look-ups, started programs and files opened for writing.
WATCHED = """
import json, os, sys
PROGRAMS = {"os.system", "os.exec", "os.posix_spawn", "os.fork"}
seen = []
def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.")) or event in PROGRAMS:
        seen.append((event, repr(arguments)))
    elif event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1]):
        seen.append((event, str(arguments[0])))
    elif event == "os.mkdir":
        seen.append((event, str(arguments[0])))
import numpy
from edge.config.schema import DetectorConfig
from edge.detection.detector import make_detector
sys.addaudithook(watch)
detector = make_detector(DetectorConfig(runtime=sys.argv[1], models_dir=sys.argv[2]))
detector.start()
detector.detect(numpy.zeros((360, 640, 3), numpy.uint8))
detector.close()
json.dump(seen, sys.stderr)
"""


@pytest.mark.parametrize(
    "runtime", ["onnx", pytest.param("ultralytics", marks=[pytest.mark.ultralytics, without_extra])]
)
def test_a_runtime_has_no_side_effects(weights: Path, tmp_path: Path, runtime: str) -> None:
    """It prints nothing, opens no connection, starts no program and leaves no file, neither settings nor statistics."""
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    # Where CI is set the libraries send no statistics, so it is unset. Python's own caches do not count.
    settings = {name: value for name, value in os.environ.items() if name not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    settings |= {"HOME": str(home), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", WATCHED, runtime, str(weights)]
    result = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    seen = json.loads(result.stderr)
    assert [entry for entry in seen if entry[0] not in {"open", "os.mkdir"}] == []
    assert [entry for entry in seen if not entry[1].startswith((str(scratch), "/dev/null"))] == []
    assert [*home.rglob("*"), *scratch.iterdir()] == []
