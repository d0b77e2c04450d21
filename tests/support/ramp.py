"""The simulated ramp between two floors, as the system tests configure it. Not a test itself."""

from __future__ import annotations

# Small pictures: the way of a frame is the real one, only faster.
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
