"""Labels become parameters: fit the face model to 2D points, so that any annotated set can train the network."""

from rdrface.fitting.fit import fit_records

__all__ = ["fit_records"]
