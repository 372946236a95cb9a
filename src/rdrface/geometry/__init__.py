"""Geometry of a face in an image: rotation, projection, contour correspondence, visibility, meshes and boxes.

The functions that the network uses run on NumPy arrays and on PyTorch tensors.
"""
