"""This room is a display board: it reads a site's topics, keeps what they say, and draws it."""
