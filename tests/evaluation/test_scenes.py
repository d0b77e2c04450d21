"""The scenes on which the accuracy is proven are what they promise, before anything is counted on them.

They are 15 ways to make a counter wrong, with 600 vehicles and more. Each is the same in every run; its truth is the
simulator's own.
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
    """There are 15 scenes with traffic of their own, and together more than 600 different vehicles cross in them."""
    listed = scenes()
    assert len(listed) == 15
    assert len({parameters.seed for parameters in listed.values()}) == 15
    crossings = {name: Scene(one).crossings(one.seconds) for name, one in listed.items()}
    assert sum(len({one.vehicle for one in found}) for found in crossings.values()) >= 600
    for name, found in crossings.items():
        assert len(found) >= (12 if name == "10-pedestrians-and-trolleys" else 35), name
        assert 0.3 < sum(one.direction == "entry" for one in found) / len(found) < 0.75, name


def test_every_difficulty_is_in_a_scene_of_its_own() -> None:
    """Each thing that misleads a counter has a scene, most of which is that; both mixed ones have nearly all."""
    listed = scenes()
    assert {one.light for one in listed.values()} == {"day", "dusk"}
    assert max(one.noise for one in listed.values()) >= 12
    difficulties = {
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
