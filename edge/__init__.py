"""SmartPark Edge counts the vehicles that cross the gates of a car park."""

__version__ = "0.1.0"
