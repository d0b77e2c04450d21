"""``smartpark db``: the database file and its tables."""
