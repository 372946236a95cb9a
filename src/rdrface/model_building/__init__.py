"""Building `morphable/data/face_model.safetensors`. Needs ``pip install rdrface[build]``."""
