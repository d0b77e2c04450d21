"""Reads one live camera in a process of its own, which the daemon can kill at any time."""
