"""What happens as it happens: the events table is the truth, read by streams and sockets after a nudge."""
