"""Reads frames from live cameras and from recorded clips."""
