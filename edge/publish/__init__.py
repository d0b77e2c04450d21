"""This room publishes what the device knows: its status and health, its floors, and the events of the outbox."""
