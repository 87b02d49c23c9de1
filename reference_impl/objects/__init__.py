"""Stored files of each tenant: one interface, a folder or an S3-compatible bucket behind it."""
