"""Predictions: what a method finds in annotated photos, from our aligner or from files."""
