"""What this device publishes: topics and payloads, the relay of the outbox, and the connection that carries them."""
