"""Fine-tuning to custom landmarks: L points per face of any annotation scheme, predicted from a frozen network."""
