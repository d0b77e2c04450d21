"""This room backs up, cleans up, verifies, repairs and recovers the database file."""
