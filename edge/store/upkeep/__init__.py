"""Backup, clean-up, verification, repair and recovery of the database file."""
