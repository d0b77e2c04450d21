"""Draws the simulated garage, its vehicles and its people."""
