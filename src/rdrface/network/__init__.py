"""The RDR network, one file per box of Figure 2 of the supplement. Needs PyTorch (``pip install rdrface[train]``)."""
