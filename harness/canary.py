"""Marks in what a run writes: each text tells in which tenant it was written, so that another tenant's is known."""

from __future__ import annotations

import hashlib
import re
import secrets

# No letter of a tag is a hexadecimal digit: with the digits after it, no id and no key of an API looks like a mark.
LETTERS = "ghjkmnpqrstvwxyz"
OPENING = "zq"
RANDOM_BYTES = 4
MARK = re.compile(rf"{OPENING}([{LETTERS}]{{4}})[0-9a-f]{{{2 * RANDOM_BYTES}}}")


def tag(tenant: str) -> str:
    """The four letters that stand for a tenant."""
    return "".join(LETTERS[byte % len(LETTERS)] for byte in hashlib.sha256(tenant.encode()).digest()[:4])


def fresh(tenant: str) -> str:
    """A short text that no other case-run has; where there is a tenant, a mark of it."""
    drawn = secrets.token_hex(RANDOM_BYTES)
    return f"{OPENING}{tag(tenant)}{drawn}" if tenant else drawn


def kin(nonce: str, tenant: str, *, marked: bool = True) -> str:
    """Another nonce that follows from a first, for the same case-run in another tenant."""
    drawn = hashlib.sha256(f"{nonce}/{tenant}/{marked}".encode()).hexdigest()[: 2 * RANDOM_BYTES]
    return f"{OPENING}{tag(tenant)}{drawn}" if marked else f"{OPENING}{drawn}"


def foreign(text: str, tenant: str) -> list[str]:
    """The marks in a text that were written in other tenants, each once, in their order."""
    own = tag(tenant)
    return list(dict.fromkeys(match[0] for match in MARK.finditer(text) if match[1] != own))
