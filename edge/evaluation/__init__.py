"""Labelled clips: accuracy, baselines, recorded observations, pictures of errors, proposals of lines and labels."""
