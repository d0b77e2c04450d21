"""This room computes statistics and occupancy over time, exports events, and describes the file."""
