"""What is verified for this stack: its promise items, its properties and its load journeys."""
