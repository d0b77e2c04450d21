"""Configures the simulated ramp between two floors, for the system tests, and reads a device's health."""

from __future__ import annotations

from typing import Any

# The network sees small pictures, which it processes faster.
FLOORS = """
[detector]
image_size = 256

[[floors]]
name = "Ground Floor"
total_slots = 1000
opening_vehicles = 500

[[floors]]
name = "First Floor"
total_slots = 1000
opening_vehicles = 500
"""
GATE = """
[[cameras.gates]]
id = "ramp"
line = [[0.5, 0.25], [0.5, 0.98]]
inside = [0.9, 0.6]
floor = "First Floor"
outside_floor = "Ground Floor"
"""


def database_problems(health: dict[str, Any]) -> list[str]:
    """The codes of the problems in a health payload, without those of cameras, which a slow machine has as well."""
    return [problem["code"] for problem in health["problems"] if not problem["code"].startswith("camera.")]
