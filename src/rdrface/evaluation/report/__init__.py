"""Reports: JSON, plots and contact sheets of an evaluation."""
