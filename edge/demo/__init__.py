"""This room runs the product on a desk, with simulated cameras, and compares the count with the truth."""
