"""Configures the simulated ramp between two floors, for the system tests."""

from __future__ import annotations

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
