"""Tracking: the faces of a video, with stable numbers and smoothed over time."""
