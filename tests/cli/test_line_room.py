"""Tests of the warnings of lines so near the frame's edge that the middle of a vehicle cannot cross them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from edge.cli.check_config import configuration_warnings
from edge.config.schema import CameraConfig, Config, GateConfig
from edge.core.line_geometry import space_beside
from edge.core.shapes import Point

if TYPE_CHECKING:
    from collections.abc import Sequence


def warnings_of(line: Sequence[tuple[float, float]], inside: tuple[float, float] = (0.42, 0.57)) -> list[str]:
    """The warnings of a configuration whose only gate has that line."""
    gate = GateConfig.model_validate({"id": "in", "line": line, "inside": inside, "floor": "Ground Floor"})
    return configuration_warnings(Config(cameras=(CameraConfig(id="ramp", source="0", gates=(gate,)),)))


@pytest.mark.parametrize(
    ("line", "side", "away"),
    [
        ([(0.1, 0.97), (0.9, 0.97)], "lower", "up"),
        ([(0.9, 0.97), (0.1, 0.97)], "lower", "up"),
        ([(0.0, 0.03), (1.0, 0.05)], "upper", "down"),
        ([(0.03, 0.1), (0.03, 0.9)], "left", "to the right"),
        ([(0.98, 0.9), (0.97, 0.1)], "right", "to the left"),
        ([(0.1, 0.97), (0.5, 0.96), (0.9, 0.97)], "lower", "up"),
    ],
)
def test_a_line_at_the_edge_gets_a_warning(line: Sequence[tuple[float, float]], side: str, away: str) -> None:
    """It has the key, camera and gate, how much room there is on which side, and where to move the line."""
    (warning,) = warnings_of(line)
    assert warning.startswith("cameras[0].gates[0].line: camera 'ramp', gate 'in': ")
    assert f"of the frame is left on the line's {side} side" in warning
    assert f"move the line {away} until it is 6 % or more away" in warning


@pytest.mark.parametrize(
    "line",
    [
        [(0.0, 0.5), (1.0, 0.5)],
        [(0.0, 0.0), (1.0, 1.0)],  # ends in the corners
        [(0.1, 1.0), (0.1, 0.4), (0.9, 0.4), (0.9, 1.0)],  # starts and ends at the edge
        [(0.1, 0.93), (0.9, 0.93)],
    ],
)
def test_a_line_with_room_gets_no_warning(line: Sequence[tuple[float, float]]) -> None:
    """A line whose ends are at the frame's edge has room when the rest of it has."""
    assert warnings_of(line) == []


def test_room_is_measured_at_right_angles_to_the_line() -> None:
    """It is a fraction of the frame, and the median along an inclined line."""
    assert space_beside([Point(0.2, 0.7), Point(0.8, 0.7)]) == [
        ("lower", pytest.approx(0.3)),
        ("upper", pytest.approx(0.7)),
    ]
    (_, right), (_, left) = space_beside([Point(0.0, 0.0), Point(1.0, 1.0)])
    assert right == left == pytest.approx(0.35, abs=0.02)


def test_check_config_warns_and_still_says_good(shell: Any) -> None:
    """The exit code is 0, for a daemon can run with such a line."""
    config = shell.path.with_name("smartpark.toml")
    config.write_text(
        f"{config.read_text()}[[cameras.gates]]\n"
        'id = "in"\nline = [[0.1, 0.98], [0.9, 0.98]]\ninside = [0.5, 0.5]\nfloor = "Ground Floor"\n'
    )
    done = shell("check-config", str(config))
    assert "good: 1 floors, 1 cameras, 1 gates" in done.stdout
    assert done.stderr.startswith(f"warning: {config}: cameras[0].gates[0].line: camera 'entrance', gate 'in': 2 % of")
