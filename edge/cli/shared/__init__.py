"""This room holds what several commands use: options, access to the database, printed rows."""
