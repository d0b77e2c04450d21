"""What a board hears: session, state, view."""
