"""This room makes the picture of a camera that an installer draws the gates from, and draws over pictures."""
