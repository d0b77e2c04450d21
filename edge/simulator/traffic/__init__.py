"""Who drives or walks when, and where."""
