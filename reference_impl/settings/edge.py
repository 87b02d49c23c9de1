"""The edge: tenants, proxies, sizes, origins, time-outs, compression, the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_impl.settings import reader as parse
from reference_impl.settings.reader import everywhere

if TYPE_CHECKING:
    from reference_impl.settings.reader import Network, Reader


@dataclass(frozen=True, slots=True)
class Edge:
    """What the layers around the procedures are told."""

    default_tenant: str
    base_domain: str
    trusted_proxies: tuple[Network, ...]
    body_limit_bytes: int
    upload_limit_bytes: int
    timeout_s: float
    cors_origins: tuple[str, ...]
    compress_from_bytes: int
    request_log: bool
    stored_log: bool
    """Whether request log lines are also rows of request_logs."""


def edge(reader: Reader) -> Edge:
    """Read the section."""
    no_proxy: tuple[Network, ...] = ()
    no_origin: tuple[str, ...] = ()
    return Edge(
        default_tenant=reader.read(
            "API_DEFAULT_TENANT",
            parse.tenant,
            "it must be a tenant's name (a-z, 0-9, -) or empty",
            {"development": "default", "staging": "", "production": "", "verify": "alpha"},
        ),
        base_domain=reader.read(
            "API_BASE_DOMAIN", parse.domain, "it must be a domain such as api.example.org or empty", everywhere("")
        ),
        trusted_proxies=reader.read(
            "API_TRUSTED_PROXIES",
            parse.networks,
            "it must be addresses or networks between commas",
            everywhere(no_proxy),
        ),
        body_limit_bytes=reader.whole("API_BODY_LIMIT_BYTES", 1024, 100_000_000, everywhere(1_048_576)),
        upload_limit_bytes=reader.whole("API_UPLOAD_LIMIT_BYTES", 1024, 1_000_000_000, everywhere(10_485_760)),
        timeout_s=reader.seconds("API_TIMEOUT_S", everywhere(30.0)),
        cors_origins=reader.read(
            "API_CORS_ORIGINS",
            parse.origins,
            "it must be origins such as https://shop.example.org between commas, or empty",
            {**everywhere(no_origin), "verify": ("https://shop.example.test",)},
        ),
        compress_from_bytes=reader.whole("API_COMPRESS_FROM_BYTES", 1, 100_000_000, everywhere(1024)),
        request_log=reader.switch("API_REQUEST_LOG", everywhere(value=True)),
        stored_log=reader.switch("API_STORED_LOG", everywhere(value=True)),
    )
