"""Finding faces. Whatever finds them hands over landmark boxes: see `rdrface.detection.protocol`."""
