"""Keeps the process that reads a live camera alive, and gives its newest picture to the daemon."""
