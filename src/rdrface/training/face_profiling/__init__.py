"""Face profiling: near-frontal images rendered at larger poses with their fitted 3D faces, before training."""
