"""Tests ``smartpark evaluate`` on recordings of scripted cars: its document, its tables and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.made_recordings import DRIVES, write_label

from edge.core.tracks import Reason

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = ("clip", "truth", "counted", "missed", "extra", "wrong_direction", "accuracy", "net_bias", "f1")


@pytest.fixture
def labels(tmp_path: Path) -> list[str]:
    """The files of two labels, beside their recordings."""
    tuesday = write_label(tmp_path, "tuesday", DRIVES[:1], (3.0,), uncertain=(8.0,))
    return [str(write_label(tmp_path, "monday")), str(tuesday)]


def test_the_document_has_everything(shell: Any, labels: list[str], tmp_path: Path) -> None:
    """The JSON document has figures, errors, events and tracks, and is the same with two clips at a time."""
    command = ["evaluate", *labels, "--detections", str(tmp_path), "--trace", "--json"]
    text = shell(*command).stdout
    assert shell(*command, "--jobs", "2").stdout == text
    document = json.loads(text)
    monday, tuesday = document["clips"]
    assert [monday[key] for key in FIGURES] == ["monday", 2, 3, 1, 2, 1, -0.5, -0.5, 0.4]
    assert [tuesday[key] for key in FIGURES] == ["tuesday", 1, 1, 0, 0, 0, 1.0, 0.0, 1.0]
    assert [document["total"][key] for key in FIGURES[1:]] == [3, 4, 1, 2, 1, 0.0, -0.333333, 0.571429]
    assert [(error["kind"], error["direction"], round(error["at"], 1)) for error in monday["errors"]] == [
        ("extra", "exit", 6.0),
        ("missed", "entry", 6.2),
        ("wrong_direction", "entry", 6.2),
        ("extra", "entry", 12.0),
    ]
    assert [event["direction"] for event in monday["events"]] == ["entry", "exit", "entry"]
    assert {entry["reason"] for entry in monday["trace"]} >= {Reason.CROSSED, Reason.BESIDE_LINE}
    assert [entry["at"] for entry in monday["trace"]] == sorted(entry["at"] for entry in monday["trace"])


def test_the_tables_have_figures_and_errors(shell: Any, labels: list[str], tmp_path: Path) -> None:
    """The tables show each clip and the total, each error once, and the command fails below the baseline."""
    baseline = tmp_path / "baseline.toml"
    baseline.write_text("[all]\nmonday = { accuracy = 0.9 }\n")
    command = ["evaluate", *labels, "--detections", str(tmp_path), "--baseline", str(baseline)]
    done = shell(*command, "--trace", code=1)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "monday 2 3 1 2 1 -50.0 % -50.0 % 0.400" in lines
    assert "total 3 4 1 2 1 0.0 % -33.3 % 0.571" in lines
    assert [line.rpartition(" ")[0] for line in lines if line.startswith("monday") and "track" in line][-2:] == [
        "monday 6.20 wrong direction of an entry counted as an exit at 6.00 s: crossed",
        "monday 12.00 extra entry crossed",
    ]
    assert any(line.startswith("monday 3.00 s track-") and line.endswith("counted entry crossed") for line in lines)
    assert lines[-1] == "300 frames looked at of 29.8 s, all frames"
    warning, error = done.stderr.splitlines()
    assert warning.startswith("warning: monday: 1 vehicle passed beside the line's ends, at 9.1 s; if that was through")
    assert error == "error: worse than the baseline: monday at all frames: accuracy -0.5000, must be 0.9 or more"


def test_a_mechanism_can_be_switched_off(shell: Any, labels: list[str], tmp_path: Path) -> None:
    """The same recording counts without a mechanism; an unknown one is refused with the list of those that exist."""
    command = ["evaluate", labels[1], "--detections", str(tmp_path)]
    assert shell(*command, "--without", "one_vehicle", "--without", "retrace").stdout == shell(*command).stdout
    assert "optical_flow" in shell(*command, "--without", "luck", code=2).stderr


def test_faults_are_reported_in_a_line_each(shell: Any, labels: list[str], tmp_path: Path) -> None:
    """Wrong labels and missing weights exit with 78, the faults of all labels together."""
    (tmp_path / "bad.toml").write_text('clip = "none.mp4"')
    errors = shell("evaluate", *labels, str(tmp_path / "bad.toml"), str(tmp_path / "none.toml"), code=78).stderr
    assert len(errors.splitlines()) == 4
    shell.environ["SMARTPARK_DETECTOR_MODELS_DIR"] = str(tmp_path)
    errors = shell("evaluate", *labels, "--jobs", "2", code=78).stderr
    assert errors.startswith("error: ")
    assert errors.endswith("fetch it with `smartpark models pull yolo11n`\n")
