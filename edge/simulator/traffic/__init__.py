"""Decides who drives or walks through the simulated ramp when, and where."""
