"""What the world is told: topics and payloads, the MQTT client, the relay of the outbox, the display board."""
