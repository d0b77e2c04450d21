"""The configuration file as typed sections: reading, overrides, credentials, and every error at once."""
