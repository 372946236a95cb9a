"""Face profiling: near-frontal photos rendered from the side with their fitted 3D face, before training."""
