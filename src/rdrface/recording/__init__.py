"""Recordings: files with the tracked faces of a video."""
