"""Fine-tuning to another landmark setting: L points of a user's own, read from a network that holds still."""
