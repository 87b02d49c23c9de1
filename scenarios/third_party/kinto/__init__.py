"""A Kinto server, its promises, who speaks to it, and faults planted in it."""
