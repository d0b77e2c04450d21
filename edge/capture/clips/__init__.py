"""This inner room reads recorded clips: their files, streams, pictures and times."""
