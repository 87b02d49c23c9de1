"""Renders a run: plain values in, bytes out. Nothing here decides, reads a clock or opens a file."""
