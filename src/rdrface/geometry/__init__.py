"""Geometry of a face in a picture: rotation, projection, contour correspondence, visibility.

Everything here, the exact mesh tests apart, runs on NumPy arrays and on PyTorch tensors from the same source.
"""
