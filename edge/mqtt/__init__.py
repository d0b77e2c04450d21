"""One MQTT connection that comes back, and the names of the topics."""
