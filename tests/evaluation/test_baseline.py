"""Tests the limits of a baseline: which figures violate them, and how a wrong file is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge.core.errors import ConfigError, RefusedError
from edge.evaluation.accuracy import Figures
from edge.evaluation.baseline import Baseline, read_baseline

if TYPE_CHECKING:
    from pathlib import Path

GOOD, POOR, ONE_EXTRA = Figures(10, 0, 0, 0, 10, 10), Figures(10, 1, 1, 1, 10, 8), Figures(0, 0, 1, 0, 0, 1)


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    """Limits for every frame and for 5 a second."""
    file = tmp_path / "baseline.toml"
    file.write_text("""
[all]
road = { accuracy = 0.8, extra = 1, missed = 1 }
people = { extra = 0 }

[5]
road = { accuracy = 0.8 }
people = {}
total = { accuracy = 0.95, net_bias = 0.1 }
""")
    return read_baseline(file)


def test_a_violation_names_clip_rate_and_figure(baseline: Baseline) -> None:
    """A figure at its limit is accepted; each worse one is a line."""
    assert baseline.violations(None, {"road": POOR, "other": ONE_EXTRA}) == []
    assert baseline.violations(None, {"road": Figures(10, 2, 1), "people": ONE_EXTRA}) == [
        "road at all frames: accuracy 0.7000, must be 0.8 or more",
        "road at all frames: 2 missed, must be 1 or fewer",
        "people at all frames: 1 extra, must be 0 or fewer",
    ]


def test_the_total_has_limits_when_exactly_its_clips_were_evaluated(baseline: Baseline) -> None:
    """A part of the clips is not that total, and neither are the clips with another one."""
    poor = {"road": POOR, "people": ONE_EXTRA}
    assert baseline.violations(5.0, poor) == [
        "total at 5 frames a second: accuracy 0.7000, must be 0.95 or more",
    ]
    assert baseline.violations(5.0, {"road": POOR}) == baseline.violations(5.0, {**poor, "other": GOOD}) == []
    assert baseline.violations(5.0, {"road": GOOD, "people": Figures()}) == []


def test_the_net_bias_has_a_limit_either_way(baseline: Baseline) -> None:
    """A net that is too large violates the limit as one that is too small does."""
    for net in (8, 12):
        drops = baseline.violations(5.0, {"road": Figures(10, 0, 0, 0, 10, net), "people": Figures()})
        assert drops == [
            f"total at 5 frames a second: net bias {(net - 10) / 10:+.4f}, must be 0.1 or less, either way"
        ]


def test_nothing_to_compare_is_refused(baseline: Baseline) -> None:
    """A rate or clips that the file does not name are refused, or a build would pass because of a typing error."""
    with pytest.raises(RefusedError, match=r"nothing on these clips at 10 frames a second; add them to its \[10\]"):
        baseline.violations(10.0, {"road": GOOD})
    with pytest.raises(RefusedError, match="all frames"):
        baseline.violations(None, {"raod": GOOD})


def test_a_fault_names_the_key(tmp_path: Path) -> None:
    """Each fault of the file is a line, as for the configuration."""
    file = tmp_path / "baseline.toml"
    file.write_text("[all]\nroad = { accuraci = 1.0, extra = -1, accuracy = 2 }\n")
    with pytest.raises(ConfigError) as error:
        read_baseline(file)
    assert sorted(problem.removeprefix(f"{file}: ")[:60] for problem in error.value.problems) == [
        "all.road.accuraci: unknown key; did you mean 'accuracy'?",
        "all.road.accuracy: must be 1.0 or less (it is 2); expected: ",
        "all.road.extra: must be 0 or more (it is -1); expected: the ",
    ]
