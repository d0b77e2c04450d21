"""Tests the labels that ``smartpark label`` proposes, on a clip in which a scripted detector finds cars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import pytest
from support.made_recordings import Drive, NumberedFrameDetector, write_numbered_clip

from edge.config.schema import Config, MechanismsConfig
from edge.evaluation.evaluate_clip import ClipOptions, evaluate_clip
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from pathlib import Path

DRIVES = (Drive(2.0), Drive(5.0, speed=-160, y=150), Drive(8.0, label="bicycle"), Drive(11.0))


@pytest.fixture
def clip(shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip of thirteen seconds; the detector finds the drives in it.

    It reads each frame's number in a corner, which is outside of the region, and in which too little moves.
    """
    shell.environ |= dict.fromkeys(
        ("SMARTPARK_MECHANISMS_MOTION_GATING", "SMARTPARK_MECHANISMS_REGION_OF_INTEREST"), "false"
    )
    path = tmp_path / 'my "first" clip.avi'
    write_numbered_clip(path, 13)
    monkeypatch.setattr("edge.detection.detector.make_detector", lambda _: NumberedFrameDetector(DRIVES))
    return path


LINE = ("--line", "0.5,0.3 0.5,0.9", "--inside", "0.9,0.5")


def test_a_proposal_is_a_valid_label(shell: Any, clip: Path, tmp_path: Path) -> None:
    """The label has the crossings that the pipeline found and comments for a person, and an evaluation accepts it."""
    done = shell("label", str(clip), *LINE)
    file = clip.with_suffix(".toml")
    assert f"{file}: 2 entries and 1 exits proposed; edit it as its comments say" in done.stdout
    label = read_label(file)
    assert label.source == str(clip)
    assert label.truth is not None
    assert [round(at) for at in label.truth.entries] == [2, 11]
    assert [round(at) for at in label.truth.exits] == [5]
    assert label.gate is not None
    assert (label.gate.line, label.gate.inside) == (((0.5, 0.3), (0.5, 0.9)), (0.9, 0.5))
    text = file.read_text()
    assert "# track-1, car, confidence 0.80" in text
    assert "# 8.00  entry: bicycle (track-" in text
    assert all(len(line) <= 120 for line in text.splitlines())
    whole_frames = Config(mechanisms=MechanismsConfig(motion_gating=False, region_of_interest=False))
    result = evaluate_clip(label, ClipOptions(whole_frames), NumberedFrameDetector(DRIVES))
    assert (result.figures.truth, result.figures.accuracy) == (3, 1.0)
    assert not list(tmp_path.rglob("*.partial"))


def test_each_crossing_has_a_contact_sheet(shell: Any, clip: Path) -> None:
    """A sheet has five frames around the crossing, also of a refused one; gate.png has the line on a grid."""
    shell("label", str(clip), *LINE)
    folder = clip.with_name(f"{clip.stem}-crossings")
    names = sorted(path.name.rpartition("-track")[0] or path.name for path in folder.iterdir())
    assert names == ["002.00s-entry", "005.00s-exit", "008.00s-refused-entry", "011.00s-entry", "gate.png"]
    sheet = cv2.imread(str(next(folder.glob("002*"))))
    assert sheet is not None
    assert sheet.shape[1] == 5 * 400
    red = (sheet.astype(int) @ [-1, -1, 2] > 200).reshape(sheet.shape[0], 5, 400).sum(axis=(0, 2))
    assert all(red > 50)


def test_nothing_is_overwritten_without_force(shell: Any, clip: Path) -> None:
    """A label and pictures that exist are refused; with --force the old pictures are removed, and nothing else."""
    shell("label", str(clip), *LINE)
    file, folder = clip.with_suffix(".toml"), clip.with_name(f"{clip.stem}-crossings")
    file.write_text("# mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "099.00s-entry-track-9.jpg").write_text("old")
    assert "exists already" in shell("label", str(clip), *LINE, code=1).stderr
    assert file.read_text() == "# mine"
    file.unlink()
    assert f"{folder} exists already" in shell("label", str(clip), *LINE, code=1).stderr
    shell("label", str(clip), *LINE, "--force")
    assert (folder / "notes.txt").read_text() == "mine"
    assert not (folder / "099.00s-entry-track-9.jpg").exists()
    assert read_label(file).truth is not None


def test_a_line_is_proposed_across_the_paths_of_vehicles(shell: Any, clip: Path, tmp_path: Path) -> None:
    """The line is upright for cars that drive right and left, and a label in another folder still finds its clip."""
    (tmp_path / "labels").mkdir()
    out = tmp_path / "labels" / "x.toml"
    done = shell("label", clip.name, "--out", str(out))
    assert 'line proposed, passed by 3 of 3 vehicles: --line "' in done.stdout
    label = read_label(out)
    assert label.gate is not None
    (ax, ay), (bx, by) = label.gate.line
    assert abs(ax - bx) < 0.05
    assert 0.3 < ax < 0.7
    assert min(ay, by) < 150 / 360
    assert max(ay, by) > 200 / 360
    assert label.gate.inside[0] > ax
    assert label.truth is not None
    assert len(label.truth.entries + label.truth.exits) == 3
    assert (tmp_path / "labels" / "x-crossings" / "gate.png").exists()


def test_without_vehicles_there_is_a_picture_to_choose_a_line_by(
    shell: Any, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without vehicles no line is proposed; the message names a picture with coordinates, and --line."""
    monkeypatch.setattr("edge.detection.detector.make_detector", lambda _: NumberedFrameDetector(()))
    error = shell("label", str(clip), code=1).stderr
    picture = clip.with_name(f"{clip.stem}-crossings") / "gate.png"
    assert f"read the coordinates of one from {picture} and give it with --line" in error
    assert picture.exists()
    assert not clip.with_suffix(".toml").exists()
    done = shell("label", str(clip), *LINE, "--force")
    assert "0 entries and 0 exits" in done.stdout
    assert read_label(clip.with_suffix(".toml")).truth is not None


def test_a_gate_of_the_configuration_is_used(shell: Any, clip: Path, tmp_path: Path) -> None:
    """--camera and --gate take a gate with all its keys; a camera with several gates needs both."""
    config = tmp_path / "smartpark.toml"
    gate = (
        '[[cameras.gates]]\nid = "{}"\nline = [[0.5, 0.3], [0.5, 0.9]]\ninside = [0.1, 0.5]\nfloor = "Ground Floor"\n'
    )
    config.write_text(f"{config.read_text()}{gate.format('in')}dead_band = 0.1\n{gate.format('other')}")
    error = shell("label", str(clip), "--camera", "entrance", code=1).stderr
    assert "choose one of its gates with --gate: in, other" in error
    assert "the configuration has entrance" in shell("label", str(clip), "--camera", "exit", code=1).stderr
    shell("label", str(clip), "--camera", "entrance", "--gate", "in")
    label = read_label(clip.with_suffix(".toml"))
    assert label.gate is not None
    assert (label.gate.inside, label.gate.dead_band) == ((0.1, 0.5), 0.1)
    assert label.truth is not None
    assert len(label.truth.exits) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--line", "0.5,0.3"), "--line: give two points or more"),
        (("--line", "0.5;0.3 0.5,0.9"), "'0.5;0.3' is no point; write X,Y in fractions"),
        (("--line", "0.5,0.3 0.5,1.9"), "line[1][1]: must be 1.0 or less"),
        (("--line", "0.5,0.3 0.5,0.9", "--inside", "0.5,0.5"), "is on the line or on its extension"),
        (("--inside", "0.5,0.5"), "--inside needs --line"),
        (("--gate", "in"), "--gate needs --camera"),
        (("--camera", "entrance", "--line", "0.5,0.3 0.5,0.9"), "exclude each other"),
    ],
)
def test_wrong_options_are_refused(shell: Any, clip: Path, options: tuple[str, ...], message: str) -> None:
    """Wrong usage exits with 2 before the clip is opened."""
    assert message in shell("label", str(clip), *options, code=2).stderr
    assert not clip.with_suffix(".toml").exists()
