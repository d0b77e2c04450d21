"""Tests that the fifteen scenes of ``make accuracy-scenes`` contain the difficulties that they are named after.

Nothing is counted here. Each scene is the same in every run, and its truth is the simulator's.
"""

from __future__ import annotations

from pathlib import Path

from edge.evaluation.label_file import read_labels
from edge.simulator.scene import Scene, SceneParameters, parse_scene
from edge.simulator.source import split_recorded

FOLDER = Path(__file__).parent / "scenes"


def scenes() -> dict[str, SceneParameters]:
    """The scenes by name; a label is refused unless its scene is recorded, so that it repeats."""
    labels = read_labels(sorted(FOLDER.glob("*.toml")))
    return {label.name: parse_scene(split_recorded(label.source)[0]) for label in labels}


def test_fifteen_scenes_with_six_hundred_vehicles() -> None:
    """There are 15 scenes of different seeds, in which more than 600 vehicles cross in both directions."""
    listed = scenes()
    assert len(listed) == 15
    assert len({parameters.seed for parameters in listed.values()}) == 15
    crossings = {name: Scene(parameters).crossings(parameters.seconds) for name, parameters in listed.items()}
    assert sum(len({crossing.vehicle for crossing in found}) for found in crossings.values()) >= 600
    for name, found in crossings.items():
        assert len(found) >= (12 if name == "10-pedestrians-and-trolleys" else 35), name
        assert 0.3 < sum(crossing.direction == "entry" for crossing in found) / len(found) < 0.75, name


def test_every_difficulty_is_in_a_scene_of_its_own() -> None:
    """Each difficulty has a scene in which it is frequent, and both mixed scenes have all of them."""
    listed = scenes()
    assert {parameters.light for parameters in listed.values()} == {"day", "dusk"}
    assert max(parameters.noise for parameters in listed.values()) >= 12
    difficulties: dict[str, dict[str, float]] = {
        "04-stops-on-the-line": {"stop_on_line": 0.5},
        "05-tailgating": {"tailgating": 0.5},
        "06-side-by-side": {"side_by_side": 0.5},
        "07-u-turns": {"u_turns": 0.2, "returns": 0.2},
        "08-motorcycles": {"motorbike_share": 0.5},
        "09-boom-barrier": {"barrier": 1, "idle_swings": 2},
        "10-pedestrians-and-trolleys": {"pedestrians": 20, "trolleys": 0.3},
        "11-flicker": {"flicker": 0.4},
        "12-long-vehicles": {"long_share": 0.3},
        "13-bicycles-among-vehicles": {"bicycle_share": 0.3},
    }
    for name, keys in difficulties.items():
        assert all(getattr(listed[name], key) >= least for key, least in keys.items()), name
    for name in ("14-mixed-by-day", "15-mixed-at-dusk"):
        assert all(getattr(listed[name], key) > 0 for keys in difficulties.values() for key in keys), name
