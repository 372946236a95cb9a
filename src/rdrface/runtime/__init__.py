"""Running a trained RDR without PyTorch: the weights file, and inference sessions for its graph."""
