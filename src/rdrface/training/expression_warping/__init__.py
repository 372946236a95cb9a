"""Expression warping: photos of open eyes become photos of closed ones, before training."""
