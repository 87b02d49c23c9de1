"""The promise `filter`."""
