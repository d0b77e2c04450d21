"""This room decides which frames are given to the detector, which part of them, and which camera comes first."""
