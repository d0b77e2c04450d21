"""SmartPark Edge: the number on the parking board is right."""

__version__ = "0.1.0"
