"""Opaque secrets, shown once and stored as a keyed hash: refresh tokens, API keys, states of OAuth2 logins.

They are 256 random bits, so a fast hash hides them; its key keeps a stolen table from being compared with anything.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Literal

Purpose = Literal["refresh", "key", "state"]
_BYTES = 32


def make(prefix: str = "") -> str:
    """Return a new secret; the prefix tells people and scanners what it is."""
    return prefix + secrets.token_urlsafe(_BYTES)


def digest(key: str, purpose: Purpose, secret: str) -> str:
    """Return what is stored of a secret: HMAC-SHA-256 in hex, another for each purpose."""
    return hmac.new(key.encode(), f"{purpose}:{secret}".encode(), hashlib.sha256).hexdigest()
