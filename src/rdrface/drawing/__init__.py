"""Drawing of faces on their image, with NumPy and Pillow."""

from rdrface.drawing.faces import UNCERTAIN, draw

__all__ = ["UNCERTAIN", "draw"]
