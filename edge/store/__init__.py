"""Peewee tables, migrations, floors, events, ledger, outbox and maintenance. Rows never leave this room.

Models and operations take any Peewee handle: on a file, from ``database.open_database``, or on a PostgreSQL server,
``peewee.PostgresqlDatabase("postgresql://...")`` with the extra ``[postgresql]``; ``schema.create_schema`` makes the
tables of either. For files only are the daemon's writer, migrations (a server has no older tables), backups, views, and
what describes or queries a file.
"""
