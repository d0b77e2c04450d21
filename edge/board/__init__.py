"""Display boards: what they receive, what they know, and how they are drawn."""
