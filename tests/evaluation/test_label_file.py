"""Label files: what is taken, and how faults are told."""

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


def written(folder: Path, text: str, name: str = "clip.toml") -> Path:
    """A label file beside an empty clip."""
    (folder / "clip.mp4").touch()
    (folder / name).write_text(text)
    return folder / name


def faults(folder: Path, text: str) -> list[str]:
    """What is told of a label, without its path."""
    file = written(folder, text)
    with pytest.raises(ConfigError) as error:
        read_label(file)
    assert all(problem.startswith(f"{file}: ") for problem in error.value.problems)
    return [problem.removeprefix(f"{file}: ") for problem in error.value.problems]


def test_a_label_as_they_are(tmp_path: Path) -> None:
    """The clip lies beside the label, wherever the program runs; the gate has the product's own defaults."""
    label = read_label(written(tmp_path, GOOD))
    assert (label.name, label.source, label.simulated) == ("clip", str(tmp_path / "clip.mp4"), False)
    assert label.gate is not None
    assert (label.gate.anchor, label.gate.line) == ("center", ((0.1, 0.6), (0.9, 0.6)))
    assert label.truth is not None
    assert label.truth.entries == (3.12, 7.0)


def test_a_gate_of_the_configuration_can_be_pasted_in(tmp_path: Path) -> None:
    """Every key of a gate is known in a label."""
    text = GOOD.replace(
        "[truth]", 'id = "in"\nfloor = "Ground Floor"\nanchor = "bottom_center"\ndead_band = 0.1\n[truth]'
    )
    gate = read_label(written(tmp_path, text)).gate
    assert gate is not None
    assert (gate.floor, gate.anchor, gate.dead_band) == ("Ground Floor", "bottom_center", 0.1)


def test_a_clip_named_by_a_number_is_no_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative label in the working folder still names a file."""
    file = written(tmp_path, GOOD.replace("clip.mp4", "0"))
    (tmp_path / "0").touch()
    monkeypatch.chdir(tmp_path)
    assert read_label(file.relative_to(tmp_path)).source == str(tmp_path / "0")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"clip.mp4"', '"none.mp4"', "clip: there is no file"),
        ('"clip.mp4"', '"rtsp://10.0.0.5/stream"', "clip: 'rtsp://10.0.0.5/stream' is no recorded clip; record it"),
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
def test_a_fault_names_the_key_and_the_remedy(tmp_path: Path, old: str, new: str, told: str) -> None:
    """One line for one fault."""
    assert old in GOOD
    (problem,) = faults(tmp_path, GOOD.replace(old, new, 1))
    assert problem.startswith(told)


def test_missing_tables_are_told_together(tmp_path: Path) -> None:
    """A label of a real clip has a gate and a truth."""
    gate, truth = faults(tmp_path, 'clip = "clip.mp4"')
    assert gate.startswith("gate: is missing; add a [gate] table")
    assert truth.startswith("truth: is missing; add a [truth] table")


@pytest.mark.parametrize(
    ("clip", "told"),
    [
        ("sim:ramp?seconds=9", "clip: a simulated clip must be recorded"),
        ("sim:ramp?recorded=1", "clip: a simulated clip must end; add seconds=60"),
        ("sim:ramp?recorded=1&sed=3", "clip: sim: there is no key 'sed'; did you mean seed?"),
        ("sim:garage?recorded=1&seconds=9", "clip: sim: there is no scene 'garage'"),
    ],
)
def test_a_simulated_clip_repeats_and_ends(tmp_path: Path, clip: str, told: str) -> None:
    """What would not is refused before anything is drawn."""
    (problem,) = faults(tmp_path, f'clip = "{clip}"')
    assert problem.startswith(told)


def test_a_simulated_clip_knows_its_gate_and_truth(tmp_path: Path) -> None:
    """They are not to be given a second time."""
    address = 'clip = "sim:ramp?seed=3&recorded=1&seconds=9"\n'
    label = read_label(written(tmp_path, address))
    assert label.simulated
    assert label.gate is label.truth is None
    gate, truth = faults(tmp_path, address + GOOD.replace('clip = "clip.mp4"', ""))
    assert (gate, truth) == ("gate: is the simulator's own; remove it", "truth: is the simulator's own; remove it")


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Two labels of one name are one of the faults: results would be mixed up."""
    (tmp_path / "other").mkdir()
    one, other = written(tmp_path, GOOD), written(tmp_path / "other", GOOD)
    broken = written(tmp_path, GOOD.replace("0.9]", "2]"), "broken.toml")
    with pytest.raises(ConfigError) as error:
        read_labels([one, other, broken, tmp_path / "none.toml"])
    same, inside, missing = error.value.problems
    assert f"{other}: has the same name as {one}" in same
    assert "broken.toml: gate" in inside
    assert "none.toml: cannot be read" in missing
