"""What is told to the outside about how it goes: metrics, traces, unexpected errors, rows of the request log."""
