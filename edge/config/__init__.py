"""This room holds the configuration file as typed sections, reads it, and reports all of its errors at once."""
