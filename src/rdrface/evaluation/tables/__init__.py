"""Tables of results, and published numbers to compare with."""
