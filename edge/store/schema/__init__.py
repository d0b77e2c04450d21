"""This room defines the tables, migrates them, and opens a database."""
