"""Initial weights of a smaller network from a trained one, layer by layer, by channel selection and least squares."""
