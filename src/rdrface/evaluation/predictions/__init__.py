"""Predictions of a method for annotated faces: from rdrface's aligner, or from a file."""
