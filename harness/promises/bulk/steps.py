"""The words that cases and judgement of `bulk` share: what a request is in its case."""

KEY = "bulk"
# All items of one call: with one among them that is to fail, or each of them as it should be.
MIXED, PLAIN = "mixed", "plain"
# Where all of those were refused: the last of such calls in other words, and each item in a call of its own.
LAST, ALONE = "last", "alone"
IDS, BODIES = "ids", "bodies"
READ, READ_LATER = "read", "read-later"
