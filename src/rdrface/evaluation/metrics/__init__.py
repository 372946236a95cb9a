"""Metrics: errors per face and their means, on arrays."""
