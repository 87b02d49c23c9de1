"""A realistic catalogue for trying out and measuring: drawn from a number, written in bulk."""
