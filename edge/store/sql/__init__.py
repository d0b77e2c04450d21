"""This room runs queries: transactions, prepared statements, errors, online copies."""
