"""Test of the wheel: what is installed from it is the whole product, without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parent.parent.parent


@pytest.mark.timeout(300)
def test_the_wheel_holds_all_that_a_daemon_needs(counting: Any, tmp_path: Path) -> None:
    """Manifest, example configuration and units are in it, tests and weights are not, and the demo runs from it."""
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path / "dist"), str(PROJECT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "edge/data/models.toml",
        "edge/data/smartpark.toml",
        "edge/data/smartpark-edge.service",
        "edge/data/smartpark-backup.service",
        "edge/data/smartpark-backup.timer",
    } <= set(names)
    assert all(name.startswith(("edge/", "smartpark_edge-")) for name in names)
    assert not [name for name in names if name.endswith((".onnx", ".pt", ".db"))]

    installed = tmp_path / "installed"
    # The requirements come from the environment that runs the tests, the package itself from the wheel.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--target", str(installed), str(wheel)], check=True, capture_output=True)
    counting.environ["PYTHONPATH"] = str(installed)
    show_file = [sys.executable, "-c", "import edge; print(edge.__file__)"]
    script = [str(installed / "bin" / "smartpark"), "--version"]
    for command, beginning in ((show_file, str(installed)), (script, "smartpark, version ")):
        done = subprocess.run(
            command, env=counting.environment, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(beginning)
    assert "yolo11n" in counting("models", "list").stdout
    counting("check-config", str(installed / "edge" / "data" / "smartpark.toml"))
    demo = counting("demo", "--seconds", "10", "--traffic", "30", "--fps", "6", "--image-size", "320", "--every-frame")
    assert "the board shows the truth" in demo.stdout
