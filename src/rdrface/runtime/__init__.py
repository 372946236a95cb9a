"""Running a trained RDR without PyTorch: the weights file, the sessions, and the export that makes both files."""
