"""This room works with labelled clips: accuracy, baselines, recordings, pictures of errors, proposals of labels."""
