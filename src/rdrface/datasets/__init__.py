"""Annotated faces: records, readers of public datasets, packed crops for training, and contact sheets."""
