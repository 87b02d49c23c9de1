"""Tokens of the reference API that its login never gives: `python -m scenarios.tokens KIND`, a valid one on the input.

API_TOKEN_KEY holds the key that the API signs with. `valid` is signed anew as it is, which shows that the key is right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Claims = dict[str, Any]
HOUR_S = 3600


def _part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def _earlier(claims: Claims) -> Claims:
    """The claims of a token whose life ended an hour ago."""
    return {
        **claims,
        **{name: claims[name] - HOUR_S - (claims["exp"] - claims["iat"]) for name in ("iat", "nbf", "exp")},
    }


def _later(claims: Claims) -> Claims:
    """The claims of a token whose life begins in an hour."""
    return {**claims, **{name: claims[name] + HOUR_S for name in ("nbf", "exp")}}


KINDS: dict[str, Callable[[Claims], Claims]] = {
    "valid": lambda claims: claims,
    "expired": _earlier,
    "not-yet-valid": _later,
    "wrong-audience": lambda claims: {**claims, "aud": "another-api"},
    "wrong-issuer": lambda claims: {**claims, "iss": "another-issuer"},
    "wrong-key": lambda claims: claims,
    "no-algorithm": lambda claims: claims,
}


def made(kind: str, token: str, key: str) -> str:
    """The token of a kind; KeyError where there is none of that name."""
    head, body, _ = token.split(".")
    claims = KINDS[kind](_read(body))
    if kind == "no-algorithm":
        return f"{_part({**_read(head), 'alg': 'none'})}.{_part(claims)}."
    signed = f"{head}.{_part(claims)}"
    secret = f"not {key}" if kind == "wrong-key" else key
    return f"{signed}.{_part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


def main(arguments: list[str]) -> int:
    """Print one token; 2 with what is wrong where it cannot be made."""
    problems = []
    if len(arguments) != 1 or arguments[0] not in KINDS:
        problems.append(f"{' '.join(arguments) or 'nothing'} is no kind; give one of {', '.join(KINDS)}")
    if not os.environ.get("API_TOKEN_KEY"):
        problems.append("API_TOKEN_KEY is not set; it is the key that the API signs with")
    token = sys.stdin.read().strip()
    if token.count(".") != 2:  # noqa: PLR2004 - the parts of a JWT
        problems.append("the input holds no token of three parts; pipe a valid one in")
    if problems:
        sys.stderr.write("\n".join(problems) + "\n")
        return 2
    sys.stdout.write(made(arguments[0], token, os.environ["API_TOKEN_KEY"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
