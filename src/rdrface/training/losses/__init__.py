"""The training losses. The paper does not state its losses; these are this project's own."""
