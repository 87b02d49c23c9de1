"""What is told to the outside about how it goes: metrics, traces, unexpected errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_impl.settings import reader as parse
from reference_impl.settings.reader import everywhere

if TYPE_CHECKING:
    from reference_impl.settings.reader import Network, Reader


@dataclass(frozen=True, slots=True)
class Observe:
    """Sinks; an empty URL means none."""

    metrics: bool
    metrics_from: tuple[Network, ...]
    """Whose requests see /metrics."""
    slow_query_s: float
    traces_url: str = field(repr=False)
    """An OTLP/HTTP collector's /v1/traces; a password may stand in it."""
    sentry_dsn: str = field(repr=False)


def observe(reader: Reader) -> Observe:
    """Read the section."""
    return Observe(
        metrics=reader.switch("API_METRICS", everywhere(value=True)),
        metrics_from=reader.read(
            "API_METRICS_FROM",
            parse.networks,
            "it must be addresses or networks between commas",
            everywhere(parse.networks("127.0.0.0/8,::1")),
        ),
        slow_query_s=reader.seconds("API_SLOW_QUERY_S", everywhere(0.1)),
        traces_url=reader.read(
            "API_TRACES_URL",
            parse.url("http", "https"),
            "it must be the URL of an OTLP/HTTP collector, or empty",
            everywhere(""),
            secret=True,
        ),
        sentry_dsn=reader.read(
            "API_SENTRY_DSN",
            parse.dsn,
            "it must be a Sentry-compatible DSN such as https://key@host/1, or empty",
            everywhere(""),
            secret=True,
        ),
    )
