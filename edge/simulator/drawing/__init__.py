"""What the simulated garage, its vehicles and its people look like."""
