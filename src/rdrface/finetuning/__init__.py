"""Fine-tuning to custom landmarks: L points per face of any annotation scheme, read from a frozen network."""
