"""This room knows how the device is: its cameras, clock and machine; and reports it."""
