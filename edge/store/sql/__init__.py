"""How queries run: transactions, prepared statements, errors, online copies."""
