"""Turns frames into detections: a module for each detector runtime, the letterbox, decoding and the weights."""
