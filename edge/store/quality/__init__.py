"""This room records how far counts and times can be trusted: blind intervals, quality of floors, clock changes."""
