"""Planted defects: each the seeds' own mistake, put in the place of a correct part at start-up."""
