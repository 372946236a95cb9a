"""The training losses. The paper's are unknown: these are this project's own."""
