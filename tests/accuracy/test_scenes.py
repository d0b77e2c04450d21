"""The list of scenes on which the accuracy is proven holds what it promises, before anything is counted on them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from edge.capture.simulated import split_recorded
from edge.capture.simulator import Scene, SceneParameters, parse
from edge.config import CameraConfig

LIST = Path(__file__).parent / "scenes.toml"


def scenes() -> dict[str, SceneParameters]:
    """The scenes of the list by name, as cameras; each must be recorded, so that it repeats."""
    found = {}
    for entry in tomllib.loads(LIST.read_text())["scenes"]:
        assert set(entry) == {"name", "source"}
        assert entry["name"] not in found
        camera = CameraConfig(id="ramp", source=entry["source"])
        address, recorded = split_recorded(camera.source)
        assert recorded, entry["name"]
        found[entry["name"]] = parse(address)
    return found


def test_fifteen_scenes_with_six_hundred_vehicles() -> None:
    """There are 15 scenes with traffic of their own, and together more than 600 different vehicles cross in them."""
    listed = scenes()
    assert len(listed) == 15
    assert len({parameters.seed for parameters in listed.values()}) == 15
    crossings = {name: Scene(one).crossings(one.seconds) for name, one in listed.items()}
    assert sum(len({one.vehicle for one in found}) for found in crossings.values()) >= 600
    for name, found in crossings.items():
        assert len(found) >= (12 if name == "pedestrians and trolleys" else 35), name
        assert 0.3 < sum(one.direction == "entry" for one in found) / len(found) < 0.75, name


def test_every_difficulty_is_in_a_scene_of_its_own() -> None:
    """Each thing that misleads a counter has a scene, most of which is that; both mixed ones have nearly all."""
    listed = scenes()
    assert {one.light for one in listed.values()} == {"day", "dusk"}
    assert max(one.noise for one in listed.values()) >= 12
    difficulties = {
        "stops on the line": {"stop_on_line": 0.5},
        "tailgating": {"tailgating": 0.5},
        "side by side": {"side_by_side": 0.5},
        "U-turns": {"u_turns": 0.2, "returns": 0.2},
        "motorcycles": {"motorbike_share": 0.5},
        "boom barrier": {"barrier": 1, "idle_swings": 2},
        "pedestrians and trolleys": {"pedestrians": 20, "trolleys": 0.3},
        "flicker": {"flicker": 0.4},
        "long vehicles": {"long_share": 0.3},
        "bicycles among vehicles": {"bicycle_share": 0.3},
    }
    for name, keys in difficulties.items():
        assert all(getattr(listed[name], key) >= least for key, least in keys.items()), name
    for name in ("mixed by day", "mixed at dusk"):
        assert all(getattr(listed[name], key) > 0 for keys in difficulties.values() for key in keys), name
