"""Statistics, occupancy over time, export, and the description of the file."""
