"""Augmentation: random changes of training crops, as batched tensor code."""
