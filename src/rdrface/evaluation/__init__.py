"""Evaluation: metrics, the protocols of public datasets, and result tables in the layout of papers."""
