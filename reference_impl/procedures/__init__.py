"""The procedures of the API: one noun a file, all of them listed in catalogue.py."""
