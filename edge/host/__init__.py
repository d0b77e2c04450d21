"""The machine: systemd, clock, logs, instance lock, problems."""
