"""Tests which crossings a simulated scene is expected to give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.config.schema import Config, CountingConfig
from edge.evaluation.expected_crossings import expected_crossings
from edge.evaluation.label_file import read_label

if TYPE_CHECKING:
    from pathlib import Path


def test_a_vehicle_that_stops_on_the_line_crosses_for_seconds(tmp_path: Path) -> None:
    """The crossing of a vehicle that stops on the line has a span of time; that of the others is short."""
    file = tmp_path / "scene.toml"
    address = "sim:ramp?seed=104&recorded=1&seconds=60&vehicles_per_minute=26&bicycle_share=0.2"
    file.write_text(f'clip = "{address}&stop_on_line=1"')
    stopped = [crossing.until - crossing.at for crossing in expected_crossings(read_label(file), Config())]
    assert len(stopped) > 5
    assert sum(span > 1.0 for span in stopped) > len(stopped) / 2
    file.write_text(f'clip = "{address}"')
    passing = expected_crossings(read_label(file), Config())
    assert max(crossing.until - crossing.at for crossing in passing) < 1.0
    with_bicycles = expected_crossings(read_label(file), Config(counting=CountingConfig(bicycles=True)))
    assert len(with_bicycles) > len(passing)
