"""Draws the frames of simulated cameras, and knows the truth about what crossed."""
