"""A GET of an address that an answer tells, by whoever was told: the Location of what was made, a file's own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin, urlsplit

from harness.errors import CannotTell
from harness.exchange import Request

if TYPE_CHECKING:
    from harness.contract import Contract


def request(contract: Contract, asked: Request, told: str, step: str = "") -> Request:
    """The GET of what the answer to `asked` told; raises CannotTell where that need not be this target."""
    parts = urlsplit(urljoin(asked.path, told))
    if parts.netloc:
        raise CannotTell(f"{asked.operation} answers an address at {parts.netloc}, which need not be this target")
    known = contract.match("GET", parts.path)
    return Request(
        "GET", parts.path, known.id if known else "", tuple(parse_qsl(parts.query, keep_blank_values=True)),
        identity=asked.identity, step=step, source=asked.source,
    )  # fmt: skip
