"""What is verified of the DoSQL service: who speaks to it, and its load."""
