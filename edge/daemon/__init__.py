"""This room builds the daemon from the other rooms and runs it: camera threads, health, signals, reload."""
