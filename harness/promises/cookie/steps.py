"""The words that case and judgement of `cookie` share: what a request is in its case."""

KEY = "cookie"
NOBODY, READ, READ_OWN, HELD = "nobody", "read", "read-as-own-page", "read-otherwise"
# What a page of another site can make a browser send, and what it cannot: the session's own token in a header.
LACKING, STOLEN, FOREIGN, OWN = "no token", "another session's token", "a foreign origin", "its own token"
KINDS = (LACKING, STOLEN, FOREIGN)
# Signing out, the old cookies after it, the new one where it gives one in the old one's place, a new sign-in.
OUT, AFTER_OUT, REPLACED, IN_AGAIN = "sign-out", "after-sign-out", "replaced", "sign-in-again"


def label(kind: str, operation: str) -> str:
    """The name of an attempt: which operation, and with what."""
    return f"{operation}|{kind}"


def parted(text: str) -> tuple[str, str]:
    """The operation and the kind of an attempt's name."""
    operation, _, kind = text.partition("|")
    return operation, kind
