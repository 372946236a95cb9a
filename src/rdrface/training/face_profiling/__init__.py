"""Face profiling, before training: near-frontal faces are rendered at larger poses with their fitted 3D faces."""
