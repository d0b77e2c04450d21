"""The commands of ``smartpark cameras`` are in this room."""
