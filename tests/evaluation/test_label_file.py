"""Tests which label files are accepted, and how the faults of the others are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.errors import ConfigError
from edge.evaluation.label_file import read_label, read_labels

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
clip = "clip.mp4"
source = "mine"
licence = "mine"
[gate]
line = [[0.1, 0.6], [0.9, 0.6]]
inside = [0.5, 0.9]
[truth]
entries = [3.12, 7]
exits = []
uncertain = [9.9]
"""


def write_file(folder: Path, text: str, name: str = "clip.toml") -> Path:
    """Write a label file beside an empty clip; returns its path."""
    (folder / "clip.mp4").touch()
    (folder / name).write_text(text)
    return folder / name


def faults(folder: Path, text: str) -> list[str]:
    """The faults of a label, without its path."""
    file = write_file(folder, text)
    with pytest.raises(ConfigError) as error:
        read_label(file)
    assert all(problem.startswith(f"{file}: ") for problem in error.value.problems)
    return [problem.removeprefix(f"{file}: ") for problem in error.value.problems]


def test_a_label_is_read(tmp_path: Path) -> None:
    """The clip's path is relative to the label, and the gate has the configuration's defaults."""
    label = read_label(write_file(tmp_path, GOOD))
    assert (label.name, label.source, label.simulated) == ("clip", str(tmp_path / "clip.mp4"), False)
    assert label.gate is not None
    assert (label.gate.anchor, label.gate.line) == ("center", ((0.1, 0.6), (0.9, 0.6)))
    assert label.truth is not None
    assert label.truth.entries == (3.12, 7.0)


def test_a_gate_of_the_configuration_can_be_pasted_in(tmp_path: Path) -> None:
    """A label takes every key of a gate of the configuration."""
    text = GOOD.replace(
        "[truth]", 'id = "in"\nfloor = "Ground Floor"\nanchor = "bottom_center"\ndead_band = 0.1\n[truth]'
    )
    gate = read_label(write_file(tmp_path, text)).gate
    assert gate is not None
    assert (gate.floor, gate.anchor, gate.dead_band) == ("Ground Floor", "bottom_center", 0.1)


def test_a_clip_named_by_a_number_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip named 0 is the file 0 beside the label, not the camera of that number."""
    file = write_file(tmp_path, GOOD.replace("clip.mp4", "0"))
    (tmp_path / "0").touch()
    monkeypatch.chdir(tmp_path)
    assert read_label(file.relative_to(tmp_path)).source == str(tmp_path / "0")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"clip.mp4"', '"none.mp4"', "clip: there is no file"),
        ('"clip.mp4"', '"rtsp://10.0.0.5/stream"', "clip: is the address of a camera; record it to a video file first"),
        ('"clip.mp4"', '"file:///clip.mp4?realtime=1"', "clip: has options, which are those of a camera; remove them"),
        ("[0.5, 0.9]", "[0.5, 1.9]", "gate.inside[1]: must be 1.0 or less (it is 1.9); expected: [x, y] of a point"),
        ("[0.5, 0.9]", "[0.5, 0.6]", "gate: inside [0.5, 0.6] is on the line"),
        ("[[0.1, 0.6], [0.9, 0.6]]", "[[0.1, 0.6]]", "gate.line: needs 2 or more, has 1"),
        ("[3.12, 7]", "[3.12, -7]", "truth.entries[1]: must be 0.0 or more (it is -7); expected: seconds from the"),
        ("[3.12, 7]", "[nan]", "truth.entries[0]: must be a finite number"),
        ("[3.12, 7]", '"3.12"', "truth.entries: must be a list (it is '3.12')"),
        ("exits", "exit", "truth.exit: unknown key; did you mean 'exits'?"),
        ('clip = "clip.mp4"\n', "", "clip: is missing; add it: the video file, relative to the label file"),
        ("[truth]", "[truth", "is not valid TOML"),
    ],
)
def test_a_fault_names_the_key_and_the_remedy(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A fault is one line: the key, what is wrong, and what is right."""
    assert old in GOOD
    (problem,) = faults(tmp_path, GOOD.replace(old, new, 1))
    assert problem.startswith(message)


def test_missing_tables_are_reported_together(tmp_path: Path) -> None:
    """A label of a recorded clip needs a gate and a truth; both are named when both are missing."""
    gate, truth = faults(tmp_path, 'clip = "clip.mp4"')
    assert gate.startswith("gate: is missing; add a [gate] table")
    assert truth.startswith("truth: is missing; add a [truth] table")


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ("sim:ramp?seconds=9", "clip: a simulated clip must be recorded"),
        ("sim:ramp?recorded=1", "clip: a simulated clip must end; add seconds=60"),
        ("sim:ramp?recorded=1&sed=3", "clip: sim: there is no key 'sed'; did you mean seed?"),
        ("sim:garage?recorded=1&seconds=9", "clip: sim: there is no scene 'garage'"),
    ],
)
def test_a_simulated_clip_must_repeat_and_end(tmp_path: Path, clip: str, message: str) -> None:
    """A scene that does not repeat or end, or does not exist, is refused before anything is drawn."""
    (problem,) = faults(tmp_path, f'clip = "{clip}"')
    assert problem.startswith(message)


def test_a_simulated_clip_has_no_gate_and_truth_in_its_label(tmp_path: Path) -> None:
    """The simulator has both, so a label that gives them is refused."""
    address = 'clip = "sim:ramp?seed=3&recorded=1&seconds=9"\n'
    label = read_label(write_file(tmp_path, address))
    assert label.simulated
    assert label.gate is label.truth is None
    gate, truth = faults(tmp_path, address + GOOD.replace('clip = "clip.mp4"', ""))
    assert (gate, truth) == ("gate: is the simulator's own; remove it", "truth: is the simulator's own; remove it")


def test_the_faults_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    """Every fault of every file is reported, and two labels of one name, whose results could not be told apart."""
    (tmp_path / "other").mkdir()
    first, second = write_file(tmp_path, GOOD), write_file(tmp_path / "other", GOOD)
    broken = write_file(tmp_path, GOOD.replace("0.9]", "2]"), "broken.toml")
    with pytest.raises(ConfigError) as error:
        read_labels([first, second, broken, tmp_path / "none.toml"])
    same, inside, missing = error.value.problems
    assert f"{second}: has the same name as {first}" in same
    assert "broken.toml: gate" in inside
    assert "none.toml: cannot be read" in missing
