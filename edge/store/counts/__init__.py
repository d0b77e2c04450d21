"""Events, floors, ledger, outbox and audit log."""
