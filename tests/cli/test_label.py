"""``smartpark label``: proposals that a person edits, on a clip whose detector is told what to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from support.made_recordings import SIZE, Drive

from edge.config.schema import Config
from edge.evaluation.evaluate_clip import Wish, evaluate
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.core.frames import Detection, Image

FPS, SECONDS = 10, 13
DRIVES = (Drive(2.0), Drive(5.0, speed=-160, y=150), Drive(8.0, label="bicycle"), Drive(11.0))


class Told:
    """A detector that sees what it is told: the number of the frame is written into its corner."""

    drives: Sequence[Drive] = DRIVES

    def start(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to free."""

    def detect(self, image: Image) -> list[Detection]:
        """The drives' boxes of that frame."""
        bits = [int(image[4, 8 * bit + 4].mean() > 128) for bit in range(8)]
        second = sum(on << bit for bit, on in enumerate(bits)) / FPS
        return [found for drive in self.drives if (found := drive.detection(second)) is not None]


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grey clip; its frames bear their numbers."""
    path = tmp_path / 'my "first" clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for number in range(FPS * SECONDS):
        image = np.full((SIZE[1], SIZE[0], 3), 90, dtype=np.uint8)
        for bit in range(8):
            image[:8, 8 * bit : 8 * bit + 8] = 255 * (number >> bit & 1)
        writer.write(image)
    writer.release()
    monkeypatch.setattr("edge.detection.detector.make_detector", lambda _: Told())
    monkeypatch.setattr("edge.host.logs.set_up_logging", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    return path


LINE = ("--line", "0.5,0.3 0.5,0.9", "--inside", "0.9,0.5")


def test_a_proposal_is_a_label_at_once(shell: Any, clip: Path, tmp_path: Path) -> None:
    """What the pipeline saw, its comments what to do; held against itself it is right."""
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
    result = evaluate(label, Wish(Config()), Told())
    assert (result.figures.truth, result.figures.accuracy) == (3, 1.0)
    assert not list(tmp_path.rglob("*.partial"))


def test_each_crossing_has_a_contact_sheet(shell: Any, clip: Path) -> None:
    """Five frames with their seconds about the crossing, those that were refused too, and the line on a grid."""
    shell("label", str(clip), *LINE)
    folder = clip.with_name(f"{clip.stem}-crossings")
    names = sorted(path.name.rpartition("-track")[0] or path.name for path in folder.iterdir())
    assert names == ["002.00s-entry", "005.00s-exit", "008.00s-refused-entry", "011.00s-entry", "gate.png"]
    sheet = cv2.imread(str(next(folder.glob("002*"))))
    assert sheet is not None
    assert sheet.shape[1] == 5 * 400
    red = (sheet.astype(int) @ [-1, -1, 2] > 200).reshape(sheet.shape[0], 5, 400).sum(axis=(0, 2))
    assert all(red > 50)


def test_nothing_is_written_over_unasked(shell: Any, clip: Path) -> None:
    """A person's work is safe; with --force the old pictures go, and nothing else."""
    shell("label", str(clip), *LINE)
    file, folder = clip.with_suffix(".toml"), clip.with_name(f"{clip.stem}-crossings")
    file.write_text("# mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "099.00s-entry-track-9.jpg").write_text("old")
    assert "is there already" in shell("label", str(clip), *LINE, code=1).stderr
    assert file.read_text() == "# mine"
    file.unlink()
    assert f"{folder} is there already" in shell("label", str(clip), *LINE, code=1).stderr
    shell("label", str(clip), *LINE, "--force")
    assert (folder / "notes.txt").read_text() == "mine"
    assert not (folder / "099.00s-entry-track-9.jpg").exists()
    assert read_label(file).truth is not None


def test_a_line_is_proposed_across_the_way_of_the_vehicles(shell: Any, clip: Path, tmp_path: Path) -> None:
    """Upright, for those that drive to the right and left; the label lies elsewhere and still finds its clip."""
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
    """Nothing is guessed; the remedy is told."""
    monkeypatch.setattr(Told, "drives", ())
    told = shell("label", str(clip), code=1).stderr
    picture = clip.with_name(f"{clip.stem}-crossings") / "gate.png"
    assert f"read one from {picture} and give it with --line" in told
    assert picture.exists()
    assert not clip.with_suffix(".toml").exists()
    done = shell("label", str(clip), *LINE, "--force")
    assert "0 entries and 0 exits" in done.stdout
    assert read_label(clip.with_suffix(".toml")).truth is not None


def test_a_gate_of_the_configuration(shell: Any, clip: Path, tmp_path: Path) -> None:
    """With its own keys, as the daemon counts with it; which one must be clear."""
    config = tmp_path / "smartpark.toml"
    gate = (
        '[[cameras.gates]]\nid = "{}"\nline = [[0.5, 0.3], [0.5, 0.9]]\ninside = [0.1, 0.5]\nfloor = "Ground Floor"\n'
    )
    config.write_text(f"{config.read_text()}{gate.format('in')}dead_band = 0.1\n{gate.format('other')}")
    told = shell("label", str(clip), "--camera", "entrance", code=1).stderr
    assert "choose one of its gates with --gate: in, other" in told
    assert "the configuration has entrance" in shell("label", str(clip), "--camera", "exit", code=1).stderr
    shell("label", str(clip), "--camera", "entrance", "--gate", "in")
    label = read_label(clip.with_suffix(".toml"))
    assert label.gate is not None
    assert (label.gate.inside, label.gate.dead_band) == ((0.1, 0.5), 0.1)
    assert label.truth is not None
    assert len(label.truth.exits) == 2


@pytest.mark.parametrize(
    ("options", "told"),
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
def test_wrong_options_are_told(shell: Any, clip: Path, options: tuple[str, ...], told: str) -> None:
    """Wrong usage is 2, before the clip is opened."""
    assert told in shell("label", str(clip), *options, code=2).stderr
    assert not clip.with_suffix(".toml").exists()
