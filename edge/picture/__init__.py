"""Looks at a camera's pictures and says which states keep its gates from being counted, or may do so."""
