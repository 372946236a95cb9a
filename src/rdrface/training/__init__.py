"""Training of the network, from annotated datasets to weights. Needs PyTorch (``pip install rdrface[train]``)."""
