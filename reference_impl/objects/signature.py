"""AWS Signature Version 4 in a header, as S3-compatible stores ask for it (AWS, "Authenticating Requests")."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """The keys of one account in one region."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str

    def sign(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, epoch_s: float, query: str = ""
    ) -> dict[str, str]:
        """Return the headers to send: those given, which name `host`, with date, digest and Authorization.

        `path` is not percent-encoded yet; `query` is in canonical form.
        """
        at = datetime.fromtimestamp(epoch_s, UTC).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        signed |= {"x-amz-date": at, "x-amz-content-sha256": digest}
        names = ";".join(sorted(signed))
        lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
        request = "\n".join((method, encoded(path), query, lines, names, digest))
        scope = f"{at[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join((_ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()))
        signature = hmac.new(self._key(at[:8]), text.encode(), hashlib.sha256).hexdigest()
        authorization = f"{_ALGORITHM} Credential={self.access_key}/{scope},SignedHeaders={names},Signature={signature}"
        return {**signed, "authorization": authorization}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def encoded(path: str) -> str:
    """Return a path percent-encoded as the signature asks: all but unreserved characters and slashes."""
    return quote(path, safe="/-_.~")
