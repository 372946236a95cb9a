"""Face detectors. All return boxes of the 68 landmarks, see `rdrface.detection.protocol`."""
