"""The words that cases and judgement of `writes` share: what a request is in its case."""

KEY = "writes"
BEFORE, REFUSED, AFTER, AGAIN = "before", "refused", "after", "again"
LISTED, MADE, KEPT, KEPT_TEXTS = "listed", "made", "kept", "kept-texts"
PUT, SHOWN, PUT_AGAIN, SHOWN_AGAIN, PUT_LESS, SHOWN_LESS = (
    "put", "shown", "put-again", "shown-again", "put-less", "shown-less",
)  # fmt: skip
