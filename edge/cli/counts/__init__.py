"""This room has the commands that read and change what was counted: events, floors, and when cameras were blind."""
