"""Known scenes keep their traffic and their pixels when the simulator learns to show more."""

from __future__ import annotations

import hashlib

import cv2
import pytest

from edge.simulator.scene import Scene, parse_scene

# Address, digest of half an hour of crossings, digest of five frames as OpenCV 5.0.0 draws them.
KNOWN = [
    ("sim:ramp", "73dad7189abba7c9", "1640857fd29791d8"),
    ("sim:ramp?seed=8&light=dusk&vehicles_per_minute=25", "69c5ed8f0d2af3a0", "cc62fd38deb4c8dc"),
    (
        "sim:ramp?seed=3&tailgating=0.4&stop_on_line=0.3&u_turns=0.3&vehicles_per_minute=40",
        "78f865105e51a188",
        "93e4fce035bcdc16",
    ),
    ("sim:ramp?seed=5&width=320&height=240&noise=0&vehicles_per_minute=30", "9f31cb1576a40868", "3d1a6f58f4de530e"),
]


@pytest.mark.parametrize(("address", "crossings", "pixels"), KNOWN)
def test_known_scenes_keep_their_traffic_and_pixels(address: str, crossings: str, pixels: str) -> None:
    """The truth and the frames of scenes without new keys have the digests that they have always had."""
    truth = repr(Scene(parse_scene(address)).crossings(1800)).encode()
    assert hashlib.sha256(truth).hexdigest()[:16] == crossings
    if cv2.__version__ != "5.0.0":
        pytest.skip(f"OpenCV {cv2.__version__} rounds some pixels otherwise; the crossings are as known")
    scene, drawn = Scene(parse_scene(address)), hashlib.sha256()
    for at in (0.0, 7.3, 13.0, 31.7, 55.25):
        drawn.update(scene.render(at).tobytes())
    assert drawn.hexdigest()[:16] == pixels
