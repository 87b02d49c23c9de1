"""Tokens against cross-site request forgery: an HMAC of the session's id, so each holds for one session only.

OWASP's signed double submit: the cookie `csrf` hands the token to the page's script, the header brings it back.
"""

from __future__ import annotations

import hashlib
import hmac

HEADER = "x-csrf-token"
# The key signs access tokens too; the label keeps the two uses apart.
_LABEL = b"csrf:"


def make(key: str, session_id: str) -> str:
    """Return the token of a session."""
    return hmac.new(key.encode(), _LABEL + session_id.encode(), hashlib.sha256).hexdigest()


def holds(key: str, session_id: str, token: str) -> bool:
    """Say whether a token is that of this session; takes as long whatever the token is."""
    return hmac.compare_digest(make(key, session_id).encode(), token.encode())
