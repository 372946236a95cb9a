"""Video clips made from photos: every motion is known, so every frame has true landmarks. docs/video_evaluation.md."""
