"""What tests of several rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A slow machine must not make a test fail: an example may take its time, and so may making one up.
# The examples are the same in every run, so that no build fails by chance. `make test-random` and `make test-long` look
# for others.
settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("RANDOM_EXAMPLES") != "1",
)
settings.load_profile("any machine")

# Before any test loads onnxruntime, which would otherwise keep usage figures.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# OpenCV reads it once, at a process's first video: a test that opens one by itself must not decide for all others.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_FFMPEG_IS_THREAD_SAFE", "1")

pytest_plugins = [
    "support.shared_fixtures",
    "support.disks",
    "support.mqtt_servers",
    "support.source_fixtures",
    "support.network_namespace",
    "support.field_bench",
    "support.remembered_detections",
]

PROJECT = Path(__file__).parent.parent


LONGEST_FIRST = ("test_crash.py", "test_replay.py", "system")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests go first, so that the workers of a parallel run end at about the same time."""

    def place(item: pytest.Item) -> int:
        return next((n for n, part in enumerate(LONGEST_FIRST) if part in item.path.parts), len(LONGEST_FIRST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def clips() -> Path:
    """The folder of labelled clips; tests that need it skip where it is not."""
    folder = Path(os.environ.get("SMARTPARK_CLIPS", PROJECT.parent / "shared" / "clips"))
    if not folder.is_dir():
        pytest.skip(f"no labelled clips at {folder}; set SMARTPARK_CLIPS")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of inputs that went wrong in the field; tests that need it skip where it is not."""
    folder = Path(os.environ.get("SMARTPARK_CASES", PROJECT.parent / "shared" / "cases"))
    if not folder.is_dir():
        pytest.skip(f"no cases of the field at {folder}; set SMARTPARK_CASES")
    return folder


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder that holds yolo11n.onnx; tests that need it skip where it was not pulled."""
    folder = Path(os.environ.get("SMARTPARK_DETECTOR_MODELS_DIR", PROJECT / "models"))
    if not (folder / "yolo11n.onnx").exists():
        pytest.skip(f"no yolo11n.onnx in {folder}; run `smartpark models pull --dir {folder}`")
    return folder
