"""The composition root: camera workers, watchdog, signals, reload."""
