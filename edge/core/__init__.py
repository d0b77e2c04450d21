"""The frozen values that pass between rooms, errors and line geometry. Imports nothing of the other rooms."""
