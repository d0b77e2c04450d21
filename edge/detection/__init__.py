"""Frames to boxes: one module a runtime, letterbox, decoding, weights."""
