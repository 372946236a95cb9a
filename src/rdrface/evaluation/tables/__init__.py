"""Tables of results, and published results to compare with."""
