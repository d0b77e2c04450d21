"""This room decides which line crossings count: what is a vehicle, and which crossings are of one vehicle."""
