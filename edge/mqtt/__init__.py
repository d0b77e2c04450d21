"""MQTT for every room that uses it: a connection that is made again when it is lost, and the names of the topics."""
