"""Turns detections into tracks: association, motion, optical flow and tracing back."""
