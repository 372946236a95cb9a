"""The training losses. The paper does not state its losses; these are ours."""
