"""Folders in the layout of the Hugging Face Hub: the weights, ``config.json`` and a model card."""
