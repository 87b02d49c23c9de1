"""Generic mutants of the reference API, and how many of them the ordinary run kills."""
