"""What another tool finds of the planted defects, each started as the proof starts it, for a table beside the proof."""

from harness.against.comparison import Compared, Options, compare

__all__ = ["Compared", "Options", "compare"]
