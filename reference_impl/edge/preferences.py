"""What a client prefers: Accept and Accept-Encoding read as RFC 9110 (12.5.1, 12.5.3) has them."""

from __future__ import annotations

from functools import lru_cache

from reference_impl.errors import ApiError

CODINGS = ("zstd", "br", "gzip")
"""The content codings that are served, the one taken first among equals first."""
_ALIASES = {"x-gzip": "gzip"}


def weights(header: str) -> dict[str, float]:
    """Return the weight of each name in a list such as `br, gzip;q=0.5`; a weight that is none counts 0."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        name = name.strip()
        if name:
            found[_ALIASES.get(name, name)] = _weight(parameters)
    return found


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, equals, text = parameter.partition("=")
        if equals and name.strip() == "q":
            try:
                weight = float(text)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


@lru_cache(1024)
def coding(accept_encoding: str | None) -> str | None:
    """Return the coding to answer in, `identity` for none; None when the client takes nothing that is served."""
    if accept_encoding is None:
        return "identity"
    asked = weights(accept_encoding)
    rest = asked.get("*", 0.0)
    # Only gzip stands for "anything": a client that takes another says so.
    offers = {name: asked.get(name, rest if name == "gzip" else 0.0) for name in CODINGS}
    best = max(CODINGS, key=lambda name: offers[name])
    # Identity that is not named is acceptable and comes last, unless `*;q=0` refuses all that is not named.
    identity = asked.get("identity", 0.0 if asked.get("*") == 0 else None)
    if offers[best] > 0 and (identity is None or offers[best] >= identity):
        return best
    return None if identity == 0 else "identity"


@lru_cache(1024)
def refuses_identity(accept_encoding: str | None) -> bool:
    """Say whether an answer without a coding is refused, however small it is."""
    if accept_encoding is None:
        return False
    asked = weights(accept_encoding)
    return asked.get("identity", asked.get("*", 1.0)) == 0


@lru_cache(1024)
def accepts(accept: str, media_type: str) -> bool:
    """Say whether an Accept header takes a media type; the range that names it most closely decides."""
    asked = weights(accept)
    if not asked:
        return True
    for name in (media_type, media_type.partition("/")[0] + "/*", "*/*"):
        if name in asked:
            return asked[name] > 0
    return False


def hold_acceptable(accept: str, media_type: str) -> None:
    """NOT_ACCEPTABLE when what would be answered is not asked for."""
    if accept != "*/*" and not accepts(accept, media_type):
        raise ApiError("NOT_ACCEPTABLE", f"This is answered as {media_type}.")
