"""This room is the thread that writes to the database, with its queue and its retries."""
