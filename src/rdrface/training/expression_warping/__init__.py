"""Expression warping, before training: open eyes in images are closed."""
