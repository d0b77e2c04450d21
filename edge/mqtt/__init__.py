"""This room speaks MQTT: it keeps a connection to a broker, and makes and reads the names of the topics."""
