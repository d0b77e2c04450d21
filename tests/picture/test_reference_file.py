"""Tests of the file that keeps what a camera usually shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.config.schema import CameraConfig, GateConfig
from edge.picture.artefacts import find_artefacts
from edge.picture.reference import SceneReference
from edge.picture.reference_file import ReferenceFile
from edge.picture.structure import measure_structure
from edge.picture.thumbnail import make_thumbnail

if TYPE_CHECKING:
    from pathlib import Path

GATE = GateConfig(id="g", line=((0.5, 0.1), (0.5, 0.9)), inside=(0.9, 0.5), floor="Ground")
CAMERA = CameraConfig(id="cam", source="rtsp://10.0.0.5/", gates=(GATE,))


@pytest.fixture
def reference() -> SceneReference:
    """What was learned in twenty seconds."""
    learned = SceneReference.empty()
    thumbnail = make_thumbnail(np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8))
    for _ in range(20):
        learned.learn(thumbnail.edges, measure_structure(thumbnail), find_artefacts(thumbnail), 1.0)
    return learned


def test_what_was_written_is_read(tmp_path: Path, reference: SceneReference) -> None:
    """Edges to a thousandth, everything else exactly; the folder is made."""
    ReferenceFile(tmp_path / "pictures" / "cam.npz", CAMERA).write(reference)
    kept = ReferenceFile(tmp_path / "pictures" / "cam.npz", CAMERA).read()
    assert kept is not None
    np.testing.assert_allclose(kept.edges, reference.edges, rtol=1e-3)
    np.testing.assert_array_equal(kept.structure.coarse, reference.structure.coarse)
    np.testing.assert_array_equal(kept.present, reference.present)
    assert (kept.seconds, kept.known) == (20.0, True)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["cam.npz"]


@pytest.mark.parametrize(
    "changed",
    [
        CAMERA.model_copy(update={"source": "rtsp://10.0.0.6/"}),
        CAMERA.model_copy(update={"gates": (GATE.model_copy(update={"line": ((0.4, 0.1), (0.5, 0.9))}),)}),
    ],
)
def test_new_gates_or_another_address_accept_the_picture(
    tmp_path: Path, reference: SceneReference, changed: CameraConfig
) -> None:
    """Who draws the gates anew has looked at the picture."""
    ReferenceFile(tmp_path / "cam.npz", CAMERA).write(reference)
    assert ReferenceFile(tmp_path / "cam.npz", changed).read() is None


@pytest.mark.parametrize("damage", ["empty", "cut", "other", "text"])
def test_a_damaged_file_is_learned_anew(
    tmp_path: Path, reference: SceneReference, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is a warning with the file's name, and never an error."""
    path = tmp_path / "cam.npz"
    file = ReferenceFile(path, CAMERA)
    file.write(reference)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "other":
        with np.load(path) as kept:
            arrays = {name: kept[name] for name in kept.files}
        np.savez(path, **{**arrays, "coarse": np.zeros(3)})
    else:
        path.write_bytes(b"" if damage == "empty" else b"no arrays")
    assert file.read() is None
    assert "cannot be read" in caplog.text
    assert "cam.npz" in caplog.text


def test_a_folder_that_cannot_be_written_is_a_warning(
    tmp_path: Path, reference: SceneReference, caplog: pytest.LogCaptureFixture
) -> None:
    """The camera is watched all the same."""
    (tmp_path / "pictures").write_text("a file where the folder should be")
    ReferenceFile(tmp_path / "pictures" / "cam.npz", CAMERA).write(reference)
    assert "cannot be written" in caplog.text


def test_a_removed_file_is_noticed_once(tmp_path: Path, reference: SceneReference) -> None:
    """A file that was never there was not removed."""
    file = ReferenceFile(tmp_path / "cam.npz", CAMERA)
    assert not file.removed(0.0)
    file.write_now_and_then(reference, 0.0)
    assert not file.removed(10.0)
    (tmp_path / "cam.npz").unlink()
    assert not file.removed(11.0)  # it is looked for every few seconds only
    file.write(reference)  # at the end of the daemon: the picture was accepted, and is not kept any more
    assert not (tmp_path / "cam.npz").exists()
    assert file.removed(20.0)
    assert not file.removed(40.0)
    file.write_now_and_then(reference, 50.0)
    assert (tmp_path / "cam.npz").exists()
