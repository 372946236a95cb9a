"""Metrics on arrays: errors of single faces, and statistics over faces."""
