"""Expression warping: images with open eyes are changed to images with closed eyes, before training."""
