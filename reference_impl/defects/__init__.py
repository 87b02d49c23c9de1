"""Planted defects: each a mistake that is often made, put in the place of a correct part at start-up."""
