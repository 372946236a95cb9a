"""Training: from packed faces to weights. Needs PyTorch (``pip install rdrface[train]``)."""
