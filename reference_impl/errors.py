"""The one error an API call can end in, and the catalogue of codes it may carry.

The tree: `ApiError` is what a client is told; `DatabaseError` (data/database.py) is mapped onto it; anything else is
a fault of ours and becomes INTERNAL_ERROR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

Code = Literal[
    "VALIDATION_ERROR",
    "INVALID_REFERENCE",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "REQUEST_TIMEOUT",
    "CONFLICT",
    "INSUFFICIENT_STOCK",
    "PRECONDITION_FAILED",
    "PAYLOAD_TOO_LARGE",
    "URI_TOO_LONG",
    "UNSUPPORTED_MEDIA_TYPE",
    "RANGE_NOT_SATISFIABLE",
    "UPGRADE_REQUIRED",
    "PRECONDITION_REQUIRED",
    "RATE_LIMITED",
    "HEADERS_TOO_LARGE",
    "INTERNAL_ERROR",
    "BAD_GATEWAY",
    "UNAVAILABLE",
    "TIMEOUT",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code means on the wire."""

    status: int
    retryable: bool
    says: str


KINDS: dict[Code, Kind] = {
    "VALIDATION_ERROR": Kind(400, retryable=False, says="The request does not fit the document."),
    "INVALID_REFERENCE": Kind(400, retryable=False, says="The request names something that is not there."),
    "UNAUTHORIZED": Kind(401, retryable=False, says="No identity, or a token that does not hold."),
    "FORBIDDEN": Kind(403, retryable=False, says="The caller may see this but not do it."),
    "NOT_FOUND": Kind(404, retryable=False, says="No such thing for this caller."),
    "METHOD_NOT_ALLOWED": Kind(405, retryable=False, says="The path does not serve this method."),
    "NOT_ACCEPTABLE": Kind(406, retryable=False, says="No representation that Accept asks for."),
    "REQUEST_TIMEOUT": Kind(408, retryable=True, says="The request did not come in time."),
    "CONFLICT": Kind(409, retryable=False, says="The present state refuses the change."),
    "INSUFFICIENT_STOCK": Kind(409, retryable=False, says="Less stock than the order asks; nothing was drawn."),
    "PRECONDITION_FAILED": Kind(412, retryable=False, says="If-Match names a version that is no longer the newest."),
    "PAYLOAD_TOO_LARGE": Kind(413, retryable=False, says="The body is over the size limit."),
    "URI_TOO_LONG": Kind(414, retryable=False, says="The target is over the size limit."),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, retryable=False, says="The body is not of a media type that is served here."),
    "RANGE_NOT_SATISFIABLE": Kind(416, retryable=False, says="The range lies outside the file."),
    "UPGRADE_REQUIRED": Kind(426, retryable=False, says="This path speaks WebSocket."),
    "PRECONDITION_REQUIRED": Kind(428, retryable=False, says="The version seen is missing."),
    "RATE_LIMITED": Kind(429, retryable=True, says="The quota of this window is spent."),
    "HEADERS_TOO_LARGE": Kind(431, retryable=False, says="The head has too many lines or bytes."),
    "INTERNAL_ERROR": Kind(500, retryable=False, says="A fault of the server."),
    "BAD_GATEWAY": Kind(502, retryable=True, says="A service that this one asks failed."),
    "UNAVAILABLE": Kind(503, retryable=True, says="A part that is needed does not answer now."),
    "TIMEOUT": Kind(504, retryable=True, says="The work took too long; what was not committed is undone."),
}


class ErrorDetail(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One field of the request and what is wrong with it."""

    field: str
    message: str


class ErrorBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The member `error` of every error response."""

    code: Code
    message: str
    retryable: bool
    request_id: str
    details: list[ErrorDetail] | msgspec.UnsetType = msgspec.UNSET


class ErrorEnvelope(msgspec.Struct, forbid_unknown_fields=True):
    """The body of every error response, whatever its status."""

    error: ErrorBody


class ApiError(Exception):
    """A refusal that the client is told: `code` decides the status, `headers` go out beside the envelope."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        details: tuple[ErrorDetail, ...] = (),
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.details = details
        self.headers = headers

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return KINDS[self.code].status

    def envelope(self, request_id: str) -> ErrorEnvelope:
        """Return the body for one response."""
        return ErrorEnvelope(
            ErrorBody(
                code=self.code,
                message=self.message,
                retryable=KINDS[self.code].retryable,
                request_id=request_id,
                details=list(self.details) or msgspec.UNSET,
            )
        )


def invalid(field: str, message: str) -> ApiError:
    """Return a VALIDATION_ERROR about one field."""
    return ApiError("VALIDATION_ERROR", f"{field}: {message}", details=(ErrorDetail(field, message),))


def unauthorized(message: str) -> ApiError:
    """Return an UNAUTHORIZED with the challenge RFC 6750 asks for."""
    return ApiError("UNAUTHORIZED", message, headers=((b"www-authenticate", b'Bearer realm="api"'),))


def late(timeout_s: float) -> ApiError:
    """Return a REQUEST_TIMEOUT that ends the connection, as the rest of the request may still come."""
    return ApiError(
        "REQUEST_TIMEOUT", f"The request did not come within {timeout_s:g} s.", headers=((b"connection", b"close"),)
    )


def unavailable(message: str) -> ApiError:
    """Return an UNAVAILABLE that may be tried again in a second."""
    return ApiError("UNAVAILABLE", message, headers=((b"retry-after", b"1"),))


def not_found(what: str) -> ApiError:
    """Return a NOT_FOUND that names the kind of thing and nothing else."""
    return ApiError("NOT_FOUND", f"No such {what}.")
