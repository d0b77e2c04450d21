"""Cameras that are drawn, with the truth about what crossed."""
