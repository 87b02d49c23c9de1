"""What is verified for this stack: its journeys, its properties, its load."""
