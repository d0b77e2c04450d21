"""This room reads and writes what is counted: events, floors, ledger, outbox and audit log."""
