"""This room is ``smartpark db``, the commands for the database file and its tables."""
