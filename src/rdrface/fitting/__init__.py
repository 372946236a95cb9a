"""Fits the face model to 2D landmarks: annotated datasets for training, and `rdrface.fit` for one face."""

from rdrface.fitting.fit import fit_records

__all__ = ["fit_records"]
