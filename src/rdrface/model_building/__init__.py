"""How `morphable/data/face_model.safetensors` is made. Needs ``pip install rdrface[build]``."""
