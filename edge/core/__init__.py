"""Holds the frozen values that pass between rooms, errors, line geometry and back-off. It imports no other room."""
