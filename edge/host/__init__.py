"""This room deals with the machine: systemd, the clock, the log, the lock on the database, the list of problems."""
