"""RDR, box by box as in Figure 2 of the supplement. Needs PyTorch (``pip install rdrface[train]``)."""
