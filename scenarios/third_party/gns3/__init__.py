"""A GNS3 server, its promises and who speaks to it."""
