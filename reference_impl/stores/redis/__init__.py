"""The stores in Redis: for several workers, which agree through it."""
